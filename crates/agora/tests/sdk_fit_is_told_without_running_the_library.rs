//! What `inspect` says of folders and files of every kind. The libraries are compiled here and never loaded.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(target_os = "linux")]

#[path = "common/sdk_files.rs"]
mod sdk_files;

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use parley_agora::sdk::{Cpu, Interface, Machine, Refusal, Source, System, inspect, place};
use proptest::prelude::*;
use sdk_files::{CPU_ARM64, CPU_X86_64, GATEWAY, IRIS, gateway, gateway_functions, library};

fn refusal(dir: &Path) -> Refusal {
    inspect(dir).expect_err("this should not fit")
}

/// The refusal, and that its sentence names the file, what was found and what is needed.
fn refusal_saying(dir: &Path, words: &[&str]) -> Refusal {
    let refusal = refusal(dir);
    let sentence = refusal.to_string();
    for word in words {
        assert!(sentence.contains(word), "{sentence:?} does not say {word:?}");
    }
    refusal
}

#[test]
fn complete_library_fits_wherever_in_the_folder_it_lies() {
    let room = tempfile::tempdir().unwrap();
    let library = gateway(&room.path().join("agora_sdk"));
    for dir in [room.path(), &room.path().join("agora_sdk"), &library] {
        let fit = inspect(dir).unwrap();
        assert_eq!(fit.interface, Interface::Gateway);
        assert_eq!(fit.library, library);
        assert_eq!(fit.machine, Machine::ours());
        assert_eq!(fit.siblings, [library.with_file_name("libaosl.so")]);
        assert_eq!(fit.symbols, gateway_functions(&[]).len() + 1);
    }
}

#[test]
fn functions_that_a_library_may_lack_are_not_asked_for() {
    let room = tempfile::tempdir().unwrap();
    library(&room.path().join(GATEWAY), &gateway_functions(agora_sys::gateway::OPTIONAL), &[]);
    inspect(room.path()).unwrap();
}

#[test]
fn iris_goes_before_the_native_library_that_it_brings_along() {
    let room = tempfile::tempdir().unwrap();
    library(&room.path().join(GATEWAY), &["createAgoraRtcEngine"], &[]);
    library(&room.path().join(IRIS), agora_sys::iris::FUNCTIONS, &[GATEWAY]);
    let fit = inspect(room.path()).unwrap();
    assert_eq!((fit.interface, fit.library), (Interface::Iris, room.path().join(IRIS)));
    assert_eq!(fit.siblings, [room.path().join(GATEWAY)]);

    fs::remove_file(room.path().join(GATEWAY)).unwrap();
    let refusal = refusal_saying(room.path(), &[IRIS, GATEWAY, "beside"]);
    assert!(matches!(refusal, Refusal::MissingSibling { sibling, .. } if sibling == GATEWAY));
}

#[test]
fn empty_and_missing_folders_have_no_library() {
    let room = tempfile::tempdir().unwrap();
    assert!(refusal_saying(room.path(), &["has no library", "Linux on"]).is_absence());
    assert!(refusal(&room.path().join("nowhere")).is_absence());
}

#[test]
fn phone_library_is_another_product() {
    let room = tempfile::tempdir().unwrap();
    library(&room.path().join("arm64-v8a/libagora-rtc-sdk.so"), &["createAgoraRtcEngine"], &[]);
    let refusal = refusal_saying(room.path(), &["libagora-rtc-sdk.so", "another product", "server gateway"]);
    assert!(matches!(refusal, Refusal::OtherProduct { .. }));
}

#[test]
fn what_is_no_library_is_called_by_its_kind() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join(GATEWAY);
    for (content, kind) in [
        (b"".as_slice(), "empty"),
        (b"<html>Sign in to download</html>\n", "text"),
        (b"PK\x03\x04 and so on", "a zip archive"),
        (b"!<arch>\n", "an archive for a linker"),
        (&[0; 4096], "filled with zeros"),
        (b"\xff\xfe\x00\x01", "a file of another kind"),
    ] {
        fs::write(&file, content).unwrap();
        let refusal = refusal_saying(room.path(), &[GATEWAY, kind, "not a library"]);
        assert!(matches!(refusal, Refusal::NotALibrary { .. }));
    }
    // The whole program that runs this test.
    fs::copy(std::env::current_exe().unwrap(), &file).unwrap();
    assert!(!matches!(refusal(room.path()), Refusal::NotFound { .. }));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(refusal(room.path()).is_absence(), "a folder of that name holds nothing");
}

#[test]
fn pipe_and_absurd_size_are_refused_without_reading_them() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join(GATEWAY);
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    refusal_saying(room.path(), &[GATEWAY, "a pipe"]);
    fs::remove_file(&file).unwrap();
    fs::File::create(&file).unwrap().set_len(3 << 30).unwrap();
    refusal_saying(room.path(), &[GATEWAY, "3072 MiB"]);
}

#[test]
fn link_to_nowhere_cannot_be_read() {
    let room = tempfile::tempdir().unwrap();
    symlink(room.path().join("nowhere"), room.path().join(GATEWAY)).unwrap();
    let refusal = refusal_saying(room.path(), &[GATEWAY, "can't be read"]);
    assert!(matches!(refusal, Refusal::Unreadable { .. }));
}

#[test]
fn library_that_ends_too_early_is_damaged_wherever_it_was_cut() {
    let room = tempfile::tempdir().unwrap();
    let file = gateway(room.path());
    let whole = fs::read(&file).unwrap();
    for sixteenths in 1..16 {
        fs::write(&file, &whole[..whole.len() * sixteenths / 16]).unwrap();
        let refusal = refusal_saying(room.path(), &[GATEWAY, "damaged", "again"]);
        assert!(matches!(refusal, Refusal::Damaged { .. }), "{refusal:?}");
    }
}

#[test]
fn library_for_another_processor_says_both() {
    let room = tempfile::tempdir().unwrap();
    let file = gateway(room.path());
    let mut bytes = fs::read(&file).unwrap();
    let (other, word) = if cfg!(target_arch = "aarch64") { (62u16, "x86_64") } else { (183u16, "aarch64") };
    // e_machine, at byte 18 of an ELF header.
    bytes[18..20].copy_from_slice(&other.to_le_bytes());
    fs::write(&file, &bytes).unwrap();
    let refusal = refusal_saying(room.path(), &[GATEWAY, word, std::env::consts::ARCH]);
    assert!(matches!(refusal, Refusal::WrongArchitecture { needed, .. } if needed == Machine::ours()));
    bytes[18..20].copy_from_slice(&0xfeed_u16.to_le_bytes());
    fs::write(&file, &bytes).unwrap();
    refusal_saying(room.path(), &["another processor"]);
}

#[test]
fn libraries_for_other_systems_are_told_apart() {
    let room = tempfile::tempdir().unwrap();
    let windows = room.path().join("x64/Release/AgoraRtcWrapper.dll");
    let mac = room.path().join("MAC/Release/AgoraRtcWrapper.framework/Versions/A/AgoraRtcWrapper");
    for (file, bytes, system, cpu) in [
        (&windows, sdk_files::windows_library(0x8664), System::Windows, Cpu::X86_64),
        (&windows, sdk_files::windows_library(0xaa64), System::Windows, Cpu::Aarch64),
        (&windows, sdk_files::windows_library(0x014c), System::Windows, Cpu::X86),
        (&mac, sdk_files::mac_library(CPU_ARM64), System::MacOs, Cpu::Aarch64),
        (&mac, sdk_files::mac_universal(&[CPU_X86_64, CPU_ARM64]), System::MacOs, Cpu::X86_64),
    ] {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
        let refusal = refusal_saying(room.path(), &["was made for", "needed is the one for Linux"]);
        assert!(
            matches!(refusal, Refusal::WrongArchitecture { found, .. } if found == Machine { system, cpu }),
            "{refusal:?}"
        );
        fs::remove_file(file).unwrap();
    }
    // A universal file whose list of parts is cut off.
    fs::write(&mac, &sdk_files::mac_universal(&[CPU_X86_64, CPU_ARM64])[..20]).unwrap();
    assert!(matches!(refusal(room.path()), Refusal::Damaged { .. }));
}

#[test]
fn other_machines_libraries_beside_ours_do_no_harm() {
    let room = tempfile::tempdir().unwrap();
    let foreign = room.path().join("a-first/AgoraRtcWrapper.dll");
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    fs::write(&foreign, sdk_files::windows_library(0x8664)).unwrap();
    let ours = gateway(&room.path().join("linux"));
    assert_eq!(inspect(room.path()).unwrap().library, ours);
    // And when ours does not fit either, ours is the one to speak of.
    library(&ours, &["of_somebody_else"], &[]);
    assert!(matches!(refusal(room.path()), Refusal::NotAgora { file, .. } if file == ours));
}

#[test]
fn old_library_is_told_by_each_probe_and_the_needed_version() {
    for probe in agora_sys::gateway::PROBES {
        let room = tempfile::tempdir().unwrap();
        library(&room.path().join(GATEWAY), &gateway_functions(&[probe]), &[]);
        let refusal = refusal_saying(room.path(), &[GATEWAY, "too old", probe, "4.4.32.154"]);
        assert!(matches!(refusal, Refusal::TooOld { .. }));
    }
}

#[test]
fn library_without_the_interface_is_not_agoras() {
    let room = tempfile::tempdir().unwrap();
    library(&room.path().join(GATEWAY), &["agora_service_destroy"], &[]);
    refusal_saying(room.path(), &[GATEWAY, "agora_service_create"]);
    library(&room.path().join(IRIS), &["agora_service_create"], &[]);
    refusal_saying(room.path(), &[IRIS, "CreateIrisApiEngine"]);
}

#[test]
fn missing_functions_are_listed_but_not_endlessly() {
    let room = tempfile::tempdir().unwrap();
    let missing = ["agora_rtc_conn_create", "agora_rtc_conn_connect"];
    library(&room.path().join(GATEWAY), &gateway_functions(&missing), &[]);
    let refusal = refusal_saying(room.path(), &missing);
    assert!(matches!(refusal, Refusal::MissingSymbol { symbols, .. } if symbols.len() == 2));
    let few = [agora_sys::gateway::PROBES, &["agora_service_create"]].concat();
    library(&room.path().join(GATEWAY), &few, &[]);
    refusal_saying(room.path(), &[" more"]);
}

#[test]
fn sibling_that_is_missing_or_foreign_is_named() {
    let room = tempfile::tempdir().unwrap();
    let at = |name: &str| room.path().join(name);
    library(&at("libagora-fdkaac.so"), &["aac_open"], &[]);
    library(&at("libaosl.so"), &["aosl_ref_create"], &["libagora-fdkaac.so"]);
    library(&at(GATEWAY), &gateway_functions(&[]), &["libaosl.so"]);
    assert_eq!(inspect(room.path()).unwrap().siblings, [at("libagora-fdkaac.so"), at("libaosl.so")]);

    let mut bytes = fs::read(at("libagora-fdkaac.so")).unwrap();
    bytes[18..20].copy_from_slice(&0xfeed_u16.to_le_bytes());
    fs::write(at("libagora-fdkaac.so"), bytes).unwrap();
    refusal_saying(room.path(), &["libagora-fdkaac.so", "another processor"]);

    fs::remove_file(at("libagora-fdkaac.so")).unwrap();
    let refusal = refusal_saying(room.path(), &["libaosl.so", "libagora-fdkaac.so", "beside"]);
    let expected = at("libaosl.so");
    assert!(matches!(refusal, Refusal::MissingSibling { file, .. } if file == expected));
}

#[test]
fn siblings_that_need_each_other_come_to_an_end() {
    let room = tempfile::tempdir().unwrap();
    let at = |name: &str| room.path().join(name);
    library(&at("libaosl.so"), &["aosl_ref_create"], &[]);
    library(&at("libagora-ffmpeg.so"), &["av_open"], &["libaosl.so"]);
    library(&at("libaosl.so"), &["aosl_ref_create"], &["libagora-ffmpeg.so"]);
    library(&at(GATEWAY), &gateway_functions(&[]), &["libaosl.so"]);
    assert_eq!(inspect(room.path()).unwrap().siblings.len(), 2);
}

#[test]
fn named_folder_goes_before_the_installed_one_even_when_empty() {
    let room = tempfile::tempdir().unwrap();
    let data_dir = room.path().join("data");
    assert_eq!(place(None, None, &data_dir), None);
    fs::create_dir_all(data_dir.join("agora-sdk")).unwrap();
    assert_eq!(place(None, None, &data_dir).unwrap().source, Source::Installed);
    let (setting, environment) = (room.path().join("chosen"), room.path().join("named"));
    assert_eq!(place(None, Some(&environment), &data_dir).unwrap().dir, environment);
    let chosen = place(Some(&setting), Some(&environment), &data_dir).unwrap();
    assert_eq!((chosen.dir, chosen.source), (setting, Source::Setting));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever bytes of a library are changed: an answer, and no panic.
    #[test]
    fn changed_bytes_never_break_the_inspection(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)) {
        let whole = whole();
        let mut bytes = whole.to_vec();
        for (index, byte) in changes {
            // Mostly the headers, where it matters.
            let at = index.index(bytes.len());
            let at = if byte % 2 == 0 { at % 0x400 } else { at };
            bytes[at] = byte;
        }
        let room = tempfile::tempdir().unwrap();
        fs::write(room.path().join(GATEWAY), bytes).unwrap();
        if let Err(refusal) = inspect(room.path()) {
            prop_assert!(!refusal.to_string().is_empty());
        }
    }
}

fn whole() -> &'static [u8] {
    static WHOLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    WHOLE.get_or_init(|| {
        let room = tempfile::tempdir().unwrap();
        fs::read(gateway(room.path())).unwrap()
    })
}
