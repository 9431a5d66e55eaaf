//! Refuses to build where OpenH264 would silently be built without its assembler parts.

use std::{env, path::Path};

fn main() {
    println!("cargo::rerun-if-env-changed=PATH");
    let x86 = env::var_os("CARGO_CFG_TARGET_ARCH").is_some_and(|arch| arch == "x86_64" || arch == "x86");
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| holds_nasm(&folder));
    if x86 && !found {
        println!(
            "cargo::error=nasm is not on the PATH. Without this assembler the video encoder is three times slower, \
             too slow for a call. Install it (Debian: apt install nasm; macOS: brew install nasm; Windows: winget \
             install NASM.NASM), then run `cargo clean -p openh264-sys2` and build again."
        );
    }
}

fn holds_nasm(folder: &Path) -> bool {
    ["nasm", "nasm.exe"].iter().any(|name| folder.join(name).is_file())
}
