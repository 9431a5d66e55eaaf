//! A real library of Agora's, the public one for Android, has the names that every native library of theirs has, and is
//! refused as what it is: another product. Only its symbol table is read; it is never loaded.
//!
//! `cargo xtask test` fetches the archive where Maven is installed and names it in `PARLEY_AGORA_ANDROID`.

use std::{collections::BTreeSet, fs::File, io::Read, path::PathBuf};

use object::{Object, ObjectSymbol, read::elf::ElfFile64};

const INSIDE: &str = "jni/x86_64/libagora-rtc-sdk.so";

fn library() -> Option<Vec<u8>> {
    let Some(archive) = std::env::var_os("PARLEY_AGORA_ANDROID").map(PathBuf::from) else {
        eprintln!(
            "skipped: PARLEY_AGORA_ANDROID names no archive (Maven is not installed, or the archive can't be had)"
        );
        return None;
    };
    let mut archive = zip::ZipArchive::new(File::open(archive).expect("the archive is there")).expect("it is a zip");
    let mut bytes = Vec::new();
    archive.by_name(INSIDE).expect("it holds the library").read_to_end(&mut bytes).expect("the library is whole");
    Some(bytes)
}

fn exported(bytes: &[u8]) -> BTreeSet<&str> {
    let file = ElfFile64::<object::Endianness>::parse(bytes).expect("it is a 64-bit ELF file");
    let names: Vec<_> = file.dynamic_symbols().filter(ObjectSymbol::is_definition).collect();
    names.iter().filter_map(|symbol| symbol.name().ok()).collect()
}

#[test]
fn version_and_error_words_have_the_names_that_we_ask_for() {
    let Some(bytes) = library() else { return };
    let names = exported(&bytes);
    for name in agora_sys::gateway::OPTIONAL {
        assert!(names.contains(name), "{name} is among the {} exported names", names.len());
    }
}

#[test]
fn library_for_phones_lacks_the_gateway_interface() {
    let Some(bytes) = library() else { return };
    let names = exported(&bytes);
    assert_eq!(agora_sys::gateway::needed().filter(|name| names.contains(name)).count(), 0);
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join(agora_sys::gateway::LIBRARY), &bytes).expect("it can be written");
    let refusal = parley_agora::sdk::inspect(folder.path()).expect_err("it is another product");
    assert!(refusal.to_string().contains(agora_sys::gateway::LIBRARY), "{refusal}");
}
