//! `parley-agora-sdk` as a person uses it: exit codes, sentences, and libraries that misbehave when they are loaded.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(target_os = "linux")]

#[path = "common/sdk_files.rs"]
mod sdk_files;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use sdk_files::{GATEWAY, IRIS, gateway, gateway_functions, library, library_with, zip};

fn program(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parley-agora-sdk"));
    for name in ["AGORA_SDK_DIR", "AGORA_APP_ID", "AGORA_APP_CERTIFICATE"] {
        command.env_remove(name);
    }
    command.arg("--data-dir").arg(data_dir);
    command
}

/// Runs it and answers what it said, if it ended with `code`.
fn says(command: &mut Command, code: i32) -> String {
    let said = lines(command, code);
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    said
}

/// What a `check` that finds no fault says of the library; then that there was no account to join with.
fn checks(command: &mut Command) -> String {
    let said = lines(command, 0);
    let [first, second] = said.lines().collect::<Vec<_>>()[..] else { panic!("two sentences: {said}") };
    assert!(second.starts_with("Joining was not tried"), "{said}");
    first.to_owned()
}

fn lines(command: &mut Command, code: i32) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert_eq!(status.code(), Some(code), "{said}");
    said
}

#[test]
fn install_status_check_and_remove_follow_each_other() {
    let room = tempfile::tempdir().unwrap();
    let data = room.path().join("data");
    let nothing = says(program(&data).arg("status"), 3);
    assert!(nothing.contains("has no library") && nothing.contains("https://docs.agora.io"), "{nothing}");
    says(program(&data).arg("check"), 3);

    let made = room.path().join("made");
    let version = "const char *getAgoraSdkVersion(int *b) { *b = 28020; return \"4.4.32.174\"; }";
    library(&made.join("libaosl.so"), &["aosl_ref_create"], &[]);
    library_with(&made.join(GATEWAY), &gateway_functions(&["getAgoraSdkVersion"]), &["libaosl.so"], version);
    let read = |name: &str| fs::read(made.join(name)).unwrap();
    let entries = [("agora_sdk/libagora_rtc_sdk.so", read(GATEWAY)), ("agora_sdk/libaosl.so", read("libaosl.so"))];
    let entries = entries.each_ref().map(|(name, content)| (*name, content.as_slice()));
    let download = zip(&room.path().join("v4.4.32.174.zip"), &entries);

    let installed = says(program(&data).arg("install").arg(&download), 0);
    assert!(installed.starts_with("Installed: ") && !installed.contains("goes before it"), "{installed}");
    let named = says(program(&data).env("AGORA_SDK_DIR", room.path()).arg("install").arg(&download), 0);
    assert!(named.contains("goes before it"), "{named}");
    let status = says(program(&data).arg("status"), 0);
    assert!(status.contains("It fits") && status.contains("v4.4.32.174.zip"), "{status}");
    let check = checks(program(&data).arg("check"));
    assert!(check.contains("version 4.4.32.174, build 28020"), "{check}");
    says(program(&data).arg("remove"), 0);
    says(program(&data).arg("status"), 3);
}

#[test]
fn iris_is_as_old_as_the_native_library_beside_it() {
    let room = tempfile::tempdir().unwrap();
    let version = "const char *getAgoraSdkVersion(int *b) { *b = 31618; return \"4.6.2\"; }";
    library_with(&room.path().join(GATEWAY), &["createAgoraRtcEngine"], &[], version);
    library(&room.path().join(IRIS), agora_sys::iris::FUNCTIONS, &[GATEWAY]);
    let check = checks(program(room.path()).arg("--sdk-dir").arg(room.path()).arg("check"));
    assert!(check.contains("version 4.6.2, build 31618"), "{check}");
}

/// As on macOS: what it needs lies beside its framework, two folders further up.
#[test]
fn library_in_a_framework_finds_what_lies_beside_that() {
    let room = tempfile::tempdir().unwrap();
    let made = room.path().join("made");
    let wrapper = parley_agora_standin::iris(&made).unwrap();
    let folder = room.path().join("sdk/AgoraRtcWrapper.framework/Versions/A");
    fs::create_dir_all(&folder).unwrap();
    fs::rename(wrapper, folder.join("AgoraRtcWrapper")).unwrap();
    fs::rename(made.join(GATEWAY), room.path().join("sdk").join(GATEWAY)).unwrap();
    let mut check = program(room.path());
    // Also when the folder is not named from the root.
    check.current_dir(room.path()).args(["--sdk-dir", "sdk", "check"]);
    assert!(checks(&mut check).starts_with("It loads: version 4."));
}

#[test]
fn folder_named_by_the_environment_is_looked_at() {
    let room = tempfile::tempdir().unwrap();
    fs::write(room.path().join(GATEWAY), "text").unwrap();
    let refused = says(program(room.path()).env("AGORA_SDK_DIR", room.path()).arg("status"), 1);
    assert!(refused.contains("text, not a library"), "{refused}");
    says(program(room.path()).env("AGORA_SDK_DIR", "").arg("status"), 3);
}

#[test]
fn library_that_ends_its_process_ends_only_that() {
    let room = tempfile::tempdir().unwrap();
    let crash = "__attribute__((constructor)) static void crash(void) { __builtin_trap(); }";
    library_with(&room.path().join(GATEWAY), &gateway_functions(&[]), &[], crash);
    let said = says(program(room.path()).arg("--sdk-dir").arg(room.path()).arg("check"), 1);
    assert!(said.contains("ended the process") && said.contains("signal"), "{said}");
    assert!(says(program(room.path()).arg("--sdk-dir").arg(room.path()).arg("status"), 0).contains("It fits"));
}

#[test]
fn library_that_never_finishes_loading_is_given_up() {
    let room = tempfile::tempdir().unwrap();
    let hang = "__attribute__((constructor)) static void hang(void) { for (;;) __asm__ volatile(\"\"); }";
    library_with(&room.path().join(GATEWAY), &gateway_functions(&[]), &[], hang);
    let said = says(program(room.path()).arg("--sdk-dir").arg(room.path()).args(["check", "--within", "1"]), 1);
    assert!(said.contains("longer than 1 s"), "{said}");
}

/// It holds the output of the one that loaded the library, whose end would be waited for.
#[test]
fn process_that_a_library_starts_is_not_waited_for() {
    let room = tempfile::tempdir().unwrap();
    // By itself it ends after a minute, whatever becomes of this test.
    let start = "extern int fork(void), alarm(unsigned), pause(void);
        __attribute__((constructor)) static void start(void) { if (fork() == 0) { alarm(60); for (;;) pause(); } }";
    library_with(&room.path().join(GATEWAY), &gateway_functions(&[]), &[], start);
    let said = says(program(room.path()).arg("--sdk-dir").arg(room.path()).arg("check"), 1);
    assert!(said.contains("started another process"), "{said}");
}

#[test]
fn loaders_own_words_are_passed_on() {
    let room = tempfile::tempdir().unwrap();
    // Its tables are in order, but a function that it calls is nowhere.
    let calls = "extern int nowhere_to_be_found(void); int (*of_use)(void) = nowhere_to_be_found;";
    library_with(&room.path().join(GATEWAY), &gateway_functions(&[]), &[], calls);
    let said = says(program(room.path()).arg("--sdk-dir").arg(room.path()).arg("check"), 1);
    assert!(said.contains("can't be loaded") && said.contains("nowhere_to_be_found"), "{said}");
}

#[test]
fn refused_download_leaves_with_one_and_wrong_usage_with_two() {
    let room = tempfile::tempdir().unwrap();
    gateway(room.path());
    assert!(says(program(room.path()).args(["install", "nowhere.zip"]), 1).contains("nowhere.zip can't be read"));
    assert_eq!(program(room.path()).arg("install").output().unwrap().status.code(), Some(2));
}

#[test]
fn stand_ins_are_loaded_and_tell_their_version() {
    let room = tempfile::tempdir().unwrap();
    for (folder, make) in
        [("gateway", parley_agora_standin::gateway as fn(&Path) -> _), ("iris", parley_agora_standin::iris)]
    {
        let dir = room.path().join(folder);
        fs::create_dir(&dir).unwrap();
        let _: std::path::PathBuf = make(&dir).unwrap();
        let check = checks(program(room.path()).arg("--sdk-dir").arg(&dir).arg("check"));
        assert!(check.starts_with("It loads: version 4."), "{check}");
    }
}
