//! The libraries as others get them.

use std::{fs, path::Path, thread};

use object::{Object, ObjectSymbol};

#[test]
fn callers_at_the_same_time_get_whole_libraries() {
    let dir = tempfile::tempdir().expect("a folder");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let path = parley_agora_standin::gateway(dir.path()).expect("a library");
                assert!(fs::read(path).expect("a library").starts_with(b"\x7fELF"));
            });
        }
    });
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).expect("the folder").map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["libagora-fdkaac.so", "libagora-ffmpeg.so", "libagora-soundtouch.so", "libagora_rtc_sdk.so", "libaosl.so"]
    );
}

#[test]
fn a_library_that_is_up_to_date_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = parley_agora_standin::gateway(dir.path()).expect("a library");
    let before = fs::metadata(&path).expect("a file").modified().expect("a time");
    assert_eq!(parley_agora_standin::gateway(dir.path()).expect("a library"), path);
    assert_eq!(fs::metadata(&path).expect("a file").modified().expect("a time"), before);
}

/// The functions that a header of ours declares.
fn declared(header: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../agora-sys/include").join(header);
    let text = fs::read_to_string(path).expect("our header");
    let starts = text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()));
    let names =
        starts.filter_map(|line| line.split_once('(')).filter_map(|(before, _)| before.split([' ', '*']).next_back());
    names.map(str::to_owned).collect()
}

fn exported(library: &Path) -> Vec<String> {
    let content = fs::read(library).expect("a library");
    let file = object::File::parse(&*content).expect("an ELF file");
    let symbols = file.dynamic_symbols().filter(|symbol| symbol.is_definition());
    symbols.map(|symbol| symbol.name().expect("a name").to_owned()).collect()
}

fn check(library: &Path, header: &str, at_least: usize) {
    let mut present = exported(library);
    let mut wanted = declared(header);
    assert!(wanted.len() >= at_least, "{wanted:?}");
    wanted.extend(["standin_set", "standin_get", "standin_set_text", "standin_complaints"].map(str::to_owned));
    present.sort();
    wanted.sort();
    assert_eq!(present, wanted);
}

#[test]
fn every_function_of_the_headers_is_there_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a folder");
    check(&parley_agora_standin::gateway(&dir.path().join("gateway")).expect("a library"), "gateway.h", 60);
    check(&parley_agora_standin::iris(&dir.path().join("iris")).expect("a library"), "iris.h", 7);
}
