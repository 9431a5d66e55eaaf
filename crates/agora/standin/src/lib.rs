//! Stand-ins for Agora's native libraries, written by us in C against the public facts, so that the engines can be run
//! without Agora: the same symbols, own threads, media between connections of one or several processes, every pointer
//! and number checked, and told to misbehave where a test wants it (`c/knobs.h` lists how).
//!
//! A test steers a library that it has loaded by `standin_set`, `standin_set_text`, `standin_get` and
//! `standin_complaints`. A program does by its environment: `PARLEY_STANDIN_ROOM` is the folder where connections of all
//! processes find each other (in the temporary directory if it isn't set), `PARLEY_STANDIN_APP_ID` and
//! `PARLEY_STANDIN_CERTIFICATE` are what tokens are checked against, `PARLEY_STANDIN_STRICT=1` makes a wrong call end the
//! process with a sentence; every knob has a variable of its name, too.
//!
//! They prove our marshalling, never Agora's behaviour.

mod compile;

use std::path::{Path, PathBuf};

use anyhow::Result;

pub use compile::{Product, build};

/// The folder of the C sources.
#[must_use]
pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("c")
}

/// Compiles the server gateway's stand-in and the libraries that it needs beside it into `dir`, and answers the main
/// library's path. What is there already and up to date is left as it is; callers may do this at the same time.
///
/// # Errors
/// When the system is not Linux, no C compiler is there, or the folder can't be written.
pub fn gateway(dir: &Path) -> Result<PathBuf> {
    let siblings = [
        ("libaosl.so", "aosl_version"),
        ("libagora-fdkaac.so", "fdkaac_version"),
        ("libagora-ffmpeg.so", "ffmpeg_version"),
        ("libagora-soundtouch.so", "soundtouch_version"),
    ];
    let mut needs = Vec::new();
    for (name, function) in siblings {
        needs.push(sibling(dir, name, function)?);
    }
    // As in the real one the loader insists on these two.
    needs.truncate(2);
    let mut product = Product::library("libagora_rtc_sdk.so", shared()?);
    product.sources.extend(compile::c_files(&sources().join("gateway"))?);
    product.libraries.extend(["z".to_owned(), "m".to_owned()]);
    product.needs = needs;
    build(&product, dir)
}

/// Compiles the desktop wrapper's stand-in and the native library that it needs beside it into `dir`, as [`gateway`] does.
///
/// # Errors
/// As [`gateway`].
pub fn iris(dir: &Path) -> Result<PathBuf> {
    let native = sibling(dir, "libagora_rtc_sdk.so", "createAgoraRtcEngine")?;
    let mut product = Product::library("libAgoraRtcWrapper.so", shared()?);
    // As the real one it sits on a native SDK; here it has that inside, and shows nothing of it.
    product.sources.extend(compile::c_files(&sources().join("gateway"))?);
    product.sources.extend(compile::c_files(&sources().join("iris"))?);
    product.flags.push("-DINSIDE_WRAPPER".to_owned());
    product.libraries.extend(["z".to_owned(), "m".to_owned()]);
    product.needs = vec![native];
    build(&product, dir)
}

/// What both libraries consist of.
fn shared() -> Result<Vec<PathBuf>> {
    let mut files = compile::c_files(&sources())?;
    files.retain(|file| !file.ends_with("sibling.c"));
    Ok(files)
}

fn sibling(dir: &Path, name: &str, function: &str) -> Result<PathBuf> {
    let mut product = Product::library(name, vec![sources().join("sibling.c")]);
    product.flags.push(format!("-DNAME={function}"));
    // Whoever was linked against it finds it by this name once it is open, wherever it lies.
    product.flags.push(format!("-Wl,-soname,{name}"));
    build(&product, dir)
}
