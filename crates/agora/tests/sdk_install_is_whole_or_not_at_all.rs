//! What `install` takes out of downloads, and what it refuses, leaving everything as it was.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(target_os = "linux")]

#[path = "common/sdk_files.rs"]
mod sdk_files;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use parley_agora::sdk::{self, FOLDER, Fit, InstallError, Interface, Refusal, remove};
use proptest::prelude::*;
use sdk_files::{GATEWAY, IRIS, gateway, library, listing, zip};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

/// Nothing of what is installed here is run.
fn install(downloads: &[&Path], place: &Path) -> Result<Fit, InstallError> {
    sdk::install(downloads, place, |_| Ok(()))
}

/// A data folder, a folder with a compiled library, and a place for downloads.
struct Room {
    room: TempDir,
    main: Vec<u8>,
    sibling: Vec<u8>,
}

impl Room {
    fn new() -> Self {
        let room = tempfile::tempdir().unwrap();
        let main = gateway(&room.path().join("made"));
        let sibling = fs::read(main.with_file_name("libaosl.so")).unwrap();
        fs::create_dir(room.path().join("data")).unwrap();
        Self { main: fs::read(main).unwrap(), sibling, room }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    fn place(&self) -> PathBuf {
        self.at("data").join(FOLDER)
    }

    /// A zip as Agora makes them, with more entries in it.
    fn download(&self, name: &str, more: &[(&str, &[u8])]) -> PathBuf {
        let main = format!("agora_sdk/{GATEWAY}");
        let mut entries = vec![
            ("agora_sdk/include/c/api2/agora_service.h", b"// not for us".as_slice()),
            (main.as_str(), self.main.as_slice()),
            ("agora_sdk/libaosl.so", self.sibling.as_slice()),
            ("agora_sdk/LICENSE.txt", b"Agora's terms"),
        ];
        entries.extend(more);
        zip(&self.at(name), &entries)
    }

    fn refusal(&self, download: &Path) -> InstallError {
        install(&[download], &self.place()).expect_err("this should be refused")
    }

    /// Refuses a download, and leaves what was there: nothing, or the library before.
    fn refuses(&self, download: &Path, words: &[&str]) -> InstallError {
        let before = listing(&self.at("data"));
        let error = self.refusal(download);
        for word in words {
            assert!(error.to_string().contains(word), "{error} does not say {word:?}");
        }
        let after: Vec<String> =
            listing(&self.at("data")).into_iter().filter(|name| !name.ends_with(".lock")).collect();
        assert_eq!(after, before.into_iter().filter(|name| !name.ends_with(".lock")).collect::<Vec<_>>());
        error
    }
}

#[test]
fn zip_becomes_an_installed_library_without_headers() {
    let room = Room::new();
    let download = room.download("agora_rtc_sdk_x86_64-v4.4.32.174.zip", &[]);
    let fit = install(&[&download], &room.place()).unwrap();
    assert_eq!(fit.interface, Interface::Gateway);
    assert_eq!(fit.library, room.place().join(GATEWAY));
    assert_eq!(fit.siblings, [room.place().join("libaosl.so")]);
    assert_eq!(listing(&room.place()), ["LICENSE.txt", "downloads.txt", GATEWAY, "libaosl.so"]);
    assert_eq!(fs::read(room.place().join(GATEWAY)).unwrap(), room.main);
    assert_eq!(sdk::downloads(&room.place()), ["agora_rtc_sdk_x86_64-v4.4.32.174.zip"]);
    assert_eq!(sdk::find(None, None, &room.at("data")), Some(room.place()));
    assert_eq!(sdk::inspect(&room.place()).unwrap(), fit);
}

#[test]
fn folder_is_as_good_as_a_zip_and_a_second_installation_takes_the_first_ones_place() {
    let room = Room::new();
    install(&[&room.download("first.zip", &[("libagora-extra.so", &room.sibling)])], &room.place()).unwrap();
    assert!(room.place().join("libagora-extra.so").exists());
    install(&[&room.at("made")], &room.place()).unwrap();
    assert_eq!(listing(&room.place()), ["downloads.txt", GATEWAY, "libaosl.so"]);
    assert_eq!(
        listing(&room.at("data")).iter().filter(|name| !name.contains("agora-sdk/")).count(),
        1,
        "only the lock"
    );
}

#[test]
fn library_that_can_not_be_loaded_does_not_take_the_place_of_one_that_works() {
    let room = Room::new();
    install(&[&room.download("works.zip", &[])], &room.place()).unwrap();
    let before = listing(&room.at("data"));
    let newer = room.download("newer.zip", &[("agora_sdk/libagora-extra.so", &room.sibling)]);
    let error = sdk::install(&[&newer], &room.place(), |fit| {
        assert!(fit.library.exists(), "there to be loaded: {}", fit.library.display());
        Err(Refusal::CannotLoad { file: fit.library.clone(), reason: "GLIBC_2.99 not found".to_owned() })
    });
    let words = error.unwrap_err().to_string();
    assert!(words.contains("newer.zip") && words.contains("GLIBC_2.99"), "{words}");
    assert_eq!(listing(&room.at("data")), before);
    assert_eq!(sdk::downloads(&room.place()), ["works.zip"]);
}

#[test]
fn iris_and_its_native_library_come_as_two_downloads() {
    let room = Room::new();
    let made = room.at("made-iris");
    library(&made.join(GATEWAY), &["createAgoraRtcEngine"], &[]);
    library(&made.join(IRIS), agora_sys::iris::FUNCTIONS, &[GATEWAY]);
    let read = |name: &str| fs::read(made.join(name)).unwrap();
    let iris = zip(&room.at("iris.zip"), &[("x64/Release/libAgoraRtcWrapper.so", &read(IRIS))]);
    let native = zip(&room.at("native.zip"), &[("N_FULL/sdk/x86_64/libagora_rtc_sdk.so", &read(GATEWAY))]);
    let error = room.refuses(&iris, &[GATEWAY, "iris.zip"]);
    assert!(matches!(error, InstallError::Refused(Refusal::MissingSibling { .. })));
    let fit = install(&[&iris, &native], &room.place()).unwrap();
    assert_eq!((fit.interface, fit.siblings), (Interface::Iris, vec![room.place().join(GATEWAY)]));
    assert_eq!(sdk::downloads(&room.place()), ["iris.zip", "native.zip"]);
}

#[test]
fn names_that_lead_elsewhere_are_refused_before_a_byte_is_written() {
    let room = Room::new();
    for name in [
        "../libagora-evil.so",
        "agora_sdk/../../libagora-evil.so",
        "/etc/libagora-evil.so",
        "\\\\server\\share\\libagora-evil.so",
        "..\\libagora-evil.so",
        "C:\\libagora-evil.so",
        "c:libagora-evil.so",
        "libagora-evil.so:stream",
        "agora_sdk/libagora\u{0}evil.so",
        "../readme.txt",
        "",
    ] {
        let download = room.download("evil.zip", &[(name, &room.sibling)]);
        let error = room.refuses(&download, &["evil.zip"]);
        assert!(matches!(error, InstallError::UnsafeName { .. }), "{name:?}: {error:?}");
        assert!(!room.at("libagora-evil.so").exists() && !room.at("data/libagora-evil.so").exists());
    }
}

#[test]
fn link_is_refused() {
    let room = Room::new();
    let file = room.at("link.zip");
    let mut writer = ZipWriter::new(fs::File::create(&file).unwrap());
    writer.add_symlink("agora_sdk/libagora-ffmpeg.so", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    writer.start_file(format!("agora_sdk/{GATEWAY}"), SimpleFileOptions::default()).unwrap();
    writer.write_all(&room.main).unwrap();
    writer.finish().unwrap();
    let error = room.refuses(&file, &["link.zip", "libagora-ffmpeg.so"]);
    assert!(matches!(error, InstallError::Link { .. }));
}

#[test]
fn bomb_is_stopped_while_it_is_unpacked_whatever_its_header_says() {
    let room = Room::new();
    let zeros = vec![0; 32 << 20];
    let honest = zip(&room.at("bomb.zip"), &[("libagora_rtc_sdk.so", &zeros)]);
    let error = room.refuses(&honest, &["bomb.zip", "MiB"]);
    assert!(matches!(error, InstallError::TooLarge { .. }), "{error:?}");

    // The same with headers that promise a hundred bytes.
    let mut bytes = fs::read(&honest).unwrap();
    let real = u32::try_from(zeros.len()).unwrap().to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..*at + 4] == real).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
    }
    let lying = room.at("lying.zip");
    fs::write(&lying, bytes).unwrap();
    let error = room.refuses(&lying, &["lying.zip"]);
    assert!(matches!(error, InstallError::TooLarge { .. } | InstallError::Damaged { .. }), "{error:?}");
}

#[test]
fn zip_with_too_many_entries_is_refused() {
    let room = Room::new();
    let file = room.at("many.zip");
    let mut writer = ZipWriter::new(fs::File::create(&file).unwrap());
    for number in 0..20_001 {
        writer.start_file(format!("libagora-{number}.so"), SimpleFileOptions::default()).unwrap();
    }
    writer.finish().unwrap();
    assert!(matches!(room.refuses(&file, &["20001", "20000"]), InstallError::TooLarge { .. }));
}

#[test]
fn encrypted_zip_is_refused() {
    let room = Room::new();
    let file = room.download("secret.zip", &[]);
    let mut bytes = fs::read(&file).unwrap();
    // Bit 0 of the flags: 6 bytes into each local header, 8 into each central one.
    for at in 0..bytes.len() - 10 {
        match &bytes[at..at + 4] {
            b"PK\x03\x04" => bytes[at + 6] |= 1,
            b"PK\x01\x02" => bytes[at + 8] |= 1,
            _ => {}
        }
    }
    fs::write(&file, bytes).unwrap();
    assert!(matches!(room.refuses(&file, &["secret.zip", "encrypted"]), InstallError::Encrypted { .. }));
}

#[test]
fn unknown_compression_is_refused() {
    let room = Room::new();
    let file = room.download("odd.zip", &[]);
    let mut bytes = fs::read(&file).unwrap();
    for at in 0..bytes.len() - 12 {
        match &bytes[at..at + 4] {
            b"PK\x03\x04" => bytes[at + 8..at + 10].copy_from_slice(&98u16.to_le_bytes()),
            b"PK\x01\x02" => bytes[at + 10..at + 12].copy_from_slice(&98u16.to_le_bytes()),
            _ => {}
        }
    }
    fs::write(&file, bytes).unwrap();
    assert!(matches!(room.refuses(&file, &["odd.zip", "unpack it"]), InstallError::Compression { .. }));
}

#[test]
fn damaged_and_truncated_zips_and_what_is_none_are_refused_and_the_library_before_stays() {
    let room = Room::new();
    let whole = room.download("whole.zip", &[]);
    install(&[&whole], &room.place()).unwrap();
    let bytes = fs::read(&whole).unwrap();
    let file = room.at("broken.zip");
    for part in 1..8 {
        fs::write(&file, &bytes[..bytes.len() * part / 8]).unwrap();
        assert!(matches!(room.refuses(&file, &["broken.zip", "again"]), InstallError::Damaged { .. }));
    }
    let mut flipped = bytes.clone();
    // Within the compressed bytes of the main library.
    let at = bytes.windows(GATEWAY.len()).position(|window| window == GATEWAY.as_bytes()).unwrap() + 200;
    flipped[at] ^= 0xff;
    fs::write(&file, flipped).unwrap();
    assert!(matches!(room.refuses(&file, &["broken.zip"]), InstallError::Damaged { .. }));
    fs::write(&file, "<html>Sign in to download</html>").unwrap();
    assert!(matches!(room.refuses(&file, &["broken.zip"]), InstallError::Damaged { .. }));
    assert!(matches!(room.refuses(&room.at("nowhere.zip"), &["nowhere.zip"]), InstallError::Unreadable { .. }));
    sdk::inspect(&room.place()).unwrap();
}

#[test]
fn zip_for_another_machine_says_so_and_leaves_the_library_before() {
    let room = Room::new();
    install(&[&room.download("whole.zip", &[])], &room.place()).unwrap();
    let dll = sdk_files::windows_library(0x8664);
    let windows = zip(&room.at("windows.zip"), &[("x64/Release/AgoraRtcWrapper.dll", &dll)]);
    let error = room.refuses(&windows, &["windows.zip/x64/Release/AgoraRtcWrapper.dll", "Windows on x86_64", "Linux"]);
    assert!(matches!(error, InstallError::Refused(Refusal::WrongArchitecture { .. })));
    let mut foreign = room.main.clone();
    foreign[18..20].copy_from_slice(&0xfeed_u16.to_le_bytes());
    let other = zip(&room.at("other.zip"), &[("agora_sdk/libagora_rtc_sdk.so", &foreign)]);
    room.refuses(&other, &["other.zip/agora_sdk/libagora_rtc_sdk.so", "another processor"]);
    let empty = zip(&room.at("empty.zip"), &[("readme.txt", b"nothing")]);
    room.refuses(&empty, &["empty.zip", "has no library"]);
    sdk::inspect(&room.place()).unwrap();
}

#[test]
fn other_machines_files_in_the_same_zip_are_left_out() {
    let room = Room::new();
    let mut foreign = room.main.clone();
    foreign[18..20].copy_from_slice(&0xfeed_u16.to_le_bytes());
    let dll = sdk_files::windows_library(0x8664);
    let download =
        room.download("all.zip", &[("other/libagora_rtc_sdk.so", &foreign), ("x64/agora_rtc_sdk.dll", &dll)]);
    install(&[&download], &room.place()).unwrap();
    assert_eq!(listing(&room.place()), ["LICENSE.txt", "downloads.txt", GATEWAY, "libaosl.so"]);
}

#[test]
fn two_libraries_of_one_name_are_refused_unless_they_are_the_same() {
    let room = Room::new();
    install(&[&room.download("twice.zip", &[("again/libaosl.so", &room.sibling)])], &room.place()).unwrap();
    let second = format!("agora_sdk/{}", "LIBAOSL.so");
    let download = room.download("clash.zip", &[(&second, &room.main)]);
    assert!(matches!(room.refuses(&download, &["clash.zip", "two different"]), InstallError::Clash { .. }));
    let second = format!("again/{GATEWAY}");
    let download = room.download("clash.zip", &[(&second, &room.sibling)]);
    assert!(matches!(room.refuses(&download, &["clash.zip", "two different"]), InstallError::Clash { .. }));
}

#[test]
fn what_lies_beside_the_main_library_goes_before_another_products() {
    let room = Room::new();
    let other = [("agora_rtm/libaosl.so", room.main.as_slice()), ("agora_rtm/libagora_rtm_sdk.so", &room.sibling)];
    let [first, last] = ["agora_rtm", "zz_rtm"].map(|folder| {
        let names = other.map(|(name, content)| (name.replace("agora_rtm/", &format!("{folder}/")), content));
        let mut entries: Vec<(&str, &[u8])> = names.iter().map(|(name, content)| (name.as_str(), *content)).collect();
        let main = format!("agora_sdk/{GATEWAY}");
        let ours = [(main.as_str(), room.main.as_slice()), ("agora_sdk/libaosl.so", &room.sibling)];
        let at = if folder == "agora_rtm" { entries.len() } else { 0 };
        entries.splice(at..at, ours);
        zip(&room.at(&format!("{folder}.zip")), &entries)
    });
    for download in [first, last] {
        install(&[&download], &room.place()).unwrap();
        assert_eq!(fs::read(room.place().join("libaosl.so")).unwrap(), room.sibling, "{}", download.display());
    }
}

#[test]
fn interrupted_change_is_finished_the_safe_way() {
    let room = Room::new();
    let download = room.download("whole.zip", &[]);
    install(&[&download], &room.place()).unwrap();
    // As a crash between the two renames leaves it.
    let old = room.at("data/agora-sdk.old");
    fs::rename(room.place(), &old).unwrap();
    fs::create_dir(room.at("data/agora-sdk.new")).unwrap();
    fs::write(room.at("data/agora-sdk.new/half.so"), "half").unwrap();
    assert_eq!(sdk::find(None, None, &room.at("data")), Some(old.clone()));
    sdk::inspect(&old).unwrap();
    // A refused download brings the old one back, too.
    room.refusal(&room.at("nowhere.zip"));
    assert!(!old.exists() && !room.at("data/agora-sdk.new").exists());
    sdk::inspect(&room.place()).unwrap();
}

#[test]
fn two_at_a_time_are_one_too_many() {
    let room = Room::new();
    let download = room.download("whole.zip", &[]);
    let lock = fs::File::create(room.at("data/agora-sdk.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(room.refusal(&download), InstallError::Busy { .. }));
    assert!(matches!(remove(&room.place()), Err(InstallError::Busy { .. })));
    drop(lock);
    install(&[&download], &room.place()).unwrap();
}

#[test]
fn removing_leaves_nothing_and_may_be_done_twice() {
    let room = Room::new();
    install(&[&room.download("whole.zip", &[])], &room.place()).unwrap();
    remove(&room.place()).unwrap();
    remove(&room.place()).unwrap();
    assert_eq!(listing(&room.at("data")), ["agora-sdk.lock"]);
    assert_eq!(sdk::find(None, None, &room.at("data")), None);
}

#[test]
fn place_that_cannot_be_made_is_told() {
    let room = Room::new();
    fs::write(room.at("data/file"), "").unwrap();
    let error = install(&[&room.download("whole.zip", &[])], &room.at("data/file/agora-sdk")).unwrap_err();
    assert!(matches!(error, InstallError::Place { .. }), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Whatever an entry is called: nothing appears outside of the place, and the rest is installed or nothing is.
    #[test]
    fn no_name_writes_anywhere_else(name in r"(\.\.|[a-zA-Z0-9 ._:\\/-]|\PC){0,24}(\.so|\.dll|\.so\.1|/)?") {
        let whole = whole();
        let room = tempfile::tempdir().unwrap();
        let data = room.path().join("data");
        fs::create_dir(&data).unwrap();
        let file = room.path().join("any.zip");
        let mut writer = ZipWriter::new(fs::File::create(&file).unwrap());
        for (name, content) in [(format!("agora_sdk/{GATEWAY}"), &whole.0), ("agora_sdk/libaosl.so".to_owned(), &whole.1), (name, &whole.1)] {
            // The writer itself refuses to say the same name twice.
            if writer.start_file(name, SimpleFileOptions::default()).is_ok() {
                writer.write_all(content).unwrap();
            }
        }
        writer.finish().unwrap();
        let outcome = install(&[&file], &data.join(FOLDER));
        let mut outside: Vec<String> = listing(room.path()).into_iter().filter(|file| !file.starts_with("data/agora-sdk/")).collect();
        outside.sort();
        prop_assert_eq!(outside, ["any.zip", "data/agora-sdk.lock"]);
        match outcome {
            Ok(fit) => prop_assert!(fit.library.is_file()),
            Err(_) => prop_assert!(!data.join(FOLDER).exists()),
        }
    }
}

fn whole() -> &'static (Vec<u8>, Vec<u8>) {
    static WHOLE: std::sync::OnceLock<(Vec<u8>, Vec<u8>)> = std::sync::OnceLock::new();
    WHOLE.get_or_init(|| {
        let room = Room::new();
        (room.main, room.sibling)
    })
}
