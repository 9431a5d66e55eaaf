//! A library that doesn't fit is refused before anything of it is used; one that fits is opened once.

#![cfg(target_os = "linux")]

mod common;

use std::{fmt::Write, fs, path::Path, sync::Arc};

use agora_sys::gateway::{FUNCTIONS, LIBRARY, OPTIONAL, PROBES};
use common::{Rig, Standin};
use parley_agora::{gateway::Library, sdk::Refusal};
use parley_agora_standin::{Product, build};

/// Seen from outside.
const EXPORT: &str = "#define EXPORT __attribute__((visibility(\"default\")))\n";

/// A library of that name with these functions, which all answer 0, and that version.
fn library(dir: &Path, functions: &[&str], version: &str) {
    let mut source = EXPORT.to_owned();
    for name in functions.iter().filter(|name| **name != "getAgoraSdkVersion") {
        writeln!(source, "EXPORT int {name}(void) {{ return 0; }}").expect("written");
    }
    writeln!(source, "EXPORT const char *getAgoraSdkVersion(int *build) {{ *build = 7; return {version}; }}")
        .expect("written");
    let file = dir.join("source.c");
    fs::write(&file, source).expect("written");
    build(&Product::library(LIBRARY, vec![file]), dir).expect("it compiles");
}

/// Each of them opened in one process must have a folder of its own.
fn refused(without: &[&str], version: &str) -> Refusal {
    let dir = tempfile::tempdir().expect("a folder");
    let functions: Vec<&str> = FUNCTIONS.iter().copied().filter(|name| !without.contains(name)).collect();
    library(dir.path(), &functions, version);
    Library::load(dir.path()).expect_err("refused")
}

#[test]
fn nothing_and_no_library_are_told_apart() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(matches!(Library::load(dir.path()), Err(Refusal::NotFound { .. })));
    fs::write(dir.path().join(LIBRARY), "not a library").expect("written");
    assert!(matches!(Library::load(dir.path()), Err(Refusal::NotALibrary { .. })));
}

#[test]
fn a_library_without_the_probes_is_too_old() {
    for probe in PROBES {
        let refusal = refused(&[probe], "\"4.4.32\"");
        assert!(matches!(refusal, Refusal::TooOld { .. }), "{refusal:?}");
    }
}

#[test]
fn a_library_that_says_it_is_older_is_believed() {
    let Refusal::TooOld { found, needed, .. } = refused(&[], "\"4.4.31\"") else { panic!("too old") };
    assert_eq!((found.as_str(), needed), ("4.4.31 (build 7)", "4.4.32.154"));
}

#[test]
fn every_function_that_is_missing_is_named() {
    let refusal = refused(&["agora_rtc_conn_connect", "agora_video_frame_sender_send"], "\"4.4.32\"");
    let Refusal::MissingSymbol { symbols, .. } = &refusal else { panic!("{refusal:?}") };
    assert_eq!(symbols, &["agora_rtc_conn_connect", "agora_video_frame_sender_send"]);
    let refusal = refused(&["agora_service_create"], "\"4.4.32\"");
    assert!(matches!(refusal, Refusal::NotAgora { lacks: "agora_service_create", .. }), "{refusal:?}");
}

#[test]
fn a_version_that_is_no_text_is_survived() {
    for (version, text) in [("0", "unknown"), ("\"\\xff\\xfe 5\"", "\u{fffd}\u{fffd} 5"), ("\"\"", "")] {
        let dir = tempfile::tempdir().expect("a folder");
        library(dir.path(), FUNCTIONS, version);
        let loaded = Library::load(dir.path()).expect("accepted");
        assert_eq!((loaded.version().text.as_str(), loaded.version().build), (text, 7));
    }
    // And one that says nothing at all.
    let dir = tempfile::tempdir().expect("a folder");
    let source = dir.path().join("source.c");
    let functions = FUNCTIONS.iter().filter(|name| !OPTIONAL.contains(name));
    let text: String = functions.map(|name| format!("EXPORT int {name}(void) {{ return 0; }}\n")).collect();
    fs::write(&source, format!("{EXPORT}{text}")).expect("written");
    build(&Product::library(LIBRARY, vec![source]), dir.path()).expect("it compiles");
    assert_eq!(Library::load(dir.path()).expect("accepted").version().text, "unknown");
}

#[test]
fn the_same_file_is_the_same_library_however_it_is_named() {
    let rig = Rig::new();
    let path = Standin::path();
    let folder = path.parent().expect("a folder");
    for name in [path.clone(), folder.to_owned(), folder.join(".").join(LIBRARY)] {
        assert!(Arc::ptr_eq(&Library::load(&name).expect("it is open"), rig.library()));
    }
    let loaders: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn({
                let path = path.clone();
                move || Library::load(&path).expect("it is open")
            })
        })
        .collect();
    for loader in loaders {
        assert!(Arc::ptr_eq(&loader.join().expect("no panic"), rig.library()));
    }
}
