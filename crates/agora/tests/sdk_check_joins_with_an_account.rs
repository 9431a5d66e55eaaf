//! `parley-agora-sdk check` with an App ID and a certificate: a call between two ends, and why there is none.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(target_os = "linux")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

const APP_ID: &str = "970ca35de60c44645bbae8a215061b33";
const CERTIFICATE: &str = "5cfd2fd1755d40ecb72977518be15d3b";
const OTHER_CERTIFICATE: &str = "0123456789abcdef0123456789abcdef";

/// The program over a stand-in that takes tokens of our App ID and certificate only, and dies of a wrong call.
fn check(room: &Path, make: fn(&Path) -> anyhow::Result<PathBuf>) -> Command {
    let library = make(&room.join("library")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_parley-agora-sdk"));
    command
        .env_remove("AGORA_SDK_DIR")
        .env("AGORA_APP_ID", APP_ID)
        .env("AGORA_APP_CERTIFICATE", CERTIFICATE)
        .env("PARLEY_STANDIN_APP_ID", APP_ID)
        .env("PARLEY_STANDIN_CERTIFICATE", CERTIFICATE)
        .env("PARLEY_STANDIN_ROOM", room.join("meeting-place"))
        .env("PARLEY_STANDIN_STRICT", "1")
        .arg("--data-dir")
        .arg(room)
        .arg("--sdk-dir")
        .arg(library.parent().unwrap())
        .arg("check");
    command
}

/// Runs it; its lines on standard output, and what it said on the other one.
fn ends_with(code: i32, command: &mut Command) -> (Vec<String>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(code), "{stdout}{stderr}");
    for secret in [CERTIFICATE, OTHER_CERTIFICATE, "007"] {
        assert!(!stdout.contains(secret) && !stderr.contains(secret), "{stdout}{stderr}");
    }
    (stdout.lines().map(str::to_owned).collect(), stderr)
}

fn works_over(make: fn(&Path) -> anyhow::Result<PathBuf>) {
    let room = tempfile::tempdir().unwrap();
    let (lines, complaint) = ends_with(0, &mut check(room.path(), make));
    assert_eq!(complaint, "");
    assert!(lines[0].starts_with("It loads: version 4."), "{lines:?}");
    for end in ["first", "second"] {
        for step in [
            "is in the channel",
            "meets the other one",
            "sees the other one's picture",
            "hears the other one's tone",
            "goes on with a new token",
            "has left",
        ] {
            let said = format!(" s  the {end} end {step}");
            assert_eq!(lines.iter().filter(|line| line.ends_with(&said)).count(), 1, "{said}: {lines:#?}");
        }
    }
    assert!(lines.last().unwrap().starts_with("A call over it works: "), "{lines:?}");
    assert_eq!(lines.len(), 1 + 2 * 6 + 1, "{lines:#?}");
}

#[test]
fn two_ends_meet_over_the_gateway() {
    works_over(parley_agora_standin::gateway);
}

#[test]
fn two_ends_meet_over_iris() {
    works_over(parley_agora_standin::iris);
}

#[test]
fn certificate_of_another_project_is_named_as_the_reason() {
    let room = tempfile::tempdir().unwrap();
    let mut command = check(room.path(), parley_agora_standin::gateway);
    let (lines, said) = ends_with(1, command.env("AGORA_APP_CERTIFICATE", OTHER_CERTIFICATE));
    assert_eq!(lines.len(), 1, "it still loads: {lines:?}");
    assert!(said.contains("token was refused") && said.contains("AGORA_APP_CERTIFICATE does not belong"), "{said}");
}

#[test]
fn join_that_stays_silent_is_given_up_with_what_to_do() {
    let room = tempfile::tempdir().unwrap();
    let mut command = check(room.path(), parley_agora_standin::gateway);
    let (_, said) = ends_with(1, command.env("PARLEY_STANDIN_JOIN_SILENT", "1"));
    assert!(said.contains("did not answer in time") && said.contains("*.agora.io"), "{said}");
}

#[test]
fn pictures_and_sound_that_are_damaged_on_their_way_are_not_taken_for_the_others() {
    let room = tempfile::tempdir().unwrap();
    let mut command = check(room.path(), parley_agora_standin::gateway);
    let (lines, said) = ends_with(1, command.env("PARLEY_STANDIN_GARBAGE_FRAMES", "1"));
    assert!(lines.iter().any(|line| line.ends_with("meets the other one")), "{lines:#?}");
    assert!(said.contains("saw nothing of the other one's picture within 20 s"), "{said}");
}

#[test]
fn without_an_account_or_with_half_of_one_it_says_which_variable_to_set() {
    let room = tempfile::tempdir().unwrap();
    let mut neither = check(room.path(), parley_agora_standin::gateway);
    neither.env_remove("AGORA_APP_ID").env("AGORA_APP_CERTIFICATE", "");
    let (lines, _) = ends_with(0, &mut neither);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("not tried") && lines[1].contains("AGORA_APP_ID and AGORA_APP_CERTIFICATE"), "{lines:?}");
    let mut half = check(room.path(), parley_agora_standin::gateway);
    let (_, said) = ends_with(1, half.env_remove("AGORA_APP_CERTIFICATE"));
    assert!(said.contains("AGORA_APP_CERTIFICATE is not"), "{said}");
}
