//! What a person gives us as Agora's library: the library file itself, and the zip that it came in. Nothing of it is run.
//!
//! An input is one byte (even: a library, odd: a zip) and the file.
#![no_main]

use std::{cell::RefCell, fs, path::Path};

use libfuzzer_sys::fuzz_target;
use parley_agora::sdk;

thread_local! {
    static FOLDER: RefCell<tempfile::TempDir> = RefCell::new(tempfile::tempdir().expect("a folder can be made"));
}

fn library(folder: &Path, bytes: &[u8]) {
    let file = folder.join(agora_sys::gateway::LIBRARY);
    fs::write(&file, bytes).expect("the folder can be written");
    match sdk::inspect(folder) {
        // A library with all those functions isn't found by chance.
        Ok(fit) => assert!(fit.symbols >= agora_sys::gateway::needed().count(), "{fit:?}"),
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
    fs::remove_file(file).expect("it is still there");
}

fn download(folder: &Path, bytes: &[u8]) {
    let (zip, within) = (folder.join("download.zip"), folder.join("within"));
    fs::create_dir(&within).expect("the folder can be written");
    fs::write(&zip, bytes).expect("the folder can be written");
    let place = within.join(sdk::FOLDER);
    let outcome = sdk::install(&[&zip], &place, |_| Ok(()));
    assert_eq!(outcome.is_ok(), place.is_dir(), "whole or not at all");
    if outcome.is_err() {
        // At most the lock that two installing programs share.
        let left: Vec<_> = fs::read_dir(&within).expect("it is there").flatten().collect();
        assert!(left.iter().all(|entry| entry.path().is_file()), "{left:?}");
    }
    let beside: Vec<_> = fs::read_dir(folder).expect("it is there").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(beside.len(), 2, "nothing is written outside: {beside:?}");
    fs::remove_dir_all(within).expect("it is there");
    fs::remove_file(zip).expect("it is there");
}

fuzz_target!(|bytes: &[u8]| {
    let Some((how, file)) = bytes.split_first() else { return };
    FOLDER.with_borrow(|folder| match how % 2 {
        0 => library(folder.path(), file),
        _ => download(folder.path(), file),
    });
});
