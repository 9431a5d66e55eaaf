//! Makes library files and downloads for the tests of `sdk`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use zip::{ZipWriter, write::SimpleFileOptions};

pub(crate) const GATEWAY: &str = "libagora_rtc_sdk.so";
pub(crate) const IRIS: &str = "libAgoraRtcWrapper.so";

/// Compiles a library at `file` that exports `functions` and needs `siblings`, which lie beside it.
pub(crate) fn library(file: &Path, functions: &[&str], siblings: &[&str]) {
    library_with(file, functions, siblings, "");
}

/// The same, with more C in it.
pub(crate) fn library_with(file: &Path, functions: &[&str], siblings: &[&str], more: &str) {
    let folder = file.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    let source = file.with_extension("c");
    let body: String = functions.iter().map(|name| format!("int {name}(void) {{ return 0; }}\n")).collect();
    fs::write(&source, format!("int of_no_use;\n{more}\n{body}")).unwrap();
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-nostdlib", "-Wl,--no-as-needed", "-o"])
        .arg(file)
        .arg(&source)
        .arg("-L")
        .arg(folder);
    for sibling in siblings {
        compiler.arg(format!("-l:{sibling}"));
    }
    // A soname, as real libraries have it: what needs them asks for that and not for a path.
    compiler.arg(format!("-Wl,-soname,{}", file.file_name().unwrap().display()));
    let done = compiler.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fs::remove_file(source).unwrap();
}

/// Every function that the gateway's binding needs, but those in `without`.
pub(crate) fn gateway_functions(without: &[&str]) -> Vec<&'static str> {
    agora_sys::gateway::FUNCTIONS.iter().copied().filter(|name| !without.contains(name)).collect()
}

/// A gateway library with one sibling, as it lies in Agora's zip.
pub(crate) fn gateway(folder: &Path) -> PathBuf {
    library(&folder.join("libaosl.so"), &["aosl_ref_create"], &[]);
    let main = folder.join(GATEWAY);
    library(&main, &gateway_functions(&[]), &["libaosl.so"]);
    main
}

/// A zip file of these entries.
pub(crate) fn zip(file: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
    let mut writer = ZipWriter::new(fs::File::create(file).unwrap());
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap();
    file.to_owned()
}

/// Everything in a folder and below, as paths within it, sorted.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// The least Windows library: headers without a section.
pub(crate) fn windows_library(machine: u16) -> Vec<u8> {
    let is_wide = machine != 0x014c;
    let mut file = b"MZ".to_vec();
    file.resize(0x3c, 0);
    file.extend(0x40u32.to_le_bytes());
    file.extend(b"PE\0\0");
    file.extend(machine.to_le_bytes());
    file.extend(0u16.to_le_bytes());
    file.extend([0; 12]);
    let optional: u16 = if is_wide { 112 + 128 } else { 96 + 128 };
    file.extend(optional.to_le_bytes());
    file.extend(0x2022u16.to_le_bytes());
    let start = file.len();
    file.extend(if is_wide { 0x20bu16 } else { 0x10b }.to_le_bytes());
    file.resize(start + usize::from(optional) - 128 - 4, 0);
    file.extend(16u32.to_le_bytes());
    file.resize(start + usize::from(optional), 0);
    file
}

/// The least macOS library: a header without commands.
pub(crate) fn mac_library(cpu: u32) -> Vec<u8> {
    [0xfeed_facf_u32, cpu, 0, 6, 0, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A macOS file with one library for each processor.
pub(crate) fn mac_universal(cpus: &[u32]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = cpus.iter().map(|cpu| mac_library(*cpu)).collect();
    let mut file: Vec<u8> =
        [0xcafe_babe_u32, u32::try_from(cpus.len()).unwrap()].iter().flat_map(|word| word.to_be_bytes()).collect();
    let mut offset = 4096_u32;
    for (cpu, part) in cpus.iter().zip(&parts) {
        let size = u32::try_from(part.len()).unwrap();
        file.extend([*cpu, 0, offset, size, 12].iter().flat_map(|word| word.to_be_bytes()));
        offset += 4096;
    }
    for part in &parts {
        file.resize(file.len().next_multiple_of(4096), 0);
        file.extend(part);
    }
    file
}

pub(crate) const CPU_X86_64: u32 = 0x0100_0007;
pub(crate) const CPU_ARM64: u32 = 0x0100_000c;
