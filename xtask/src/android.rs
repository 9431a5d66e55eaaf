//! A public binary of Agora's, whose symbol table a test reads: the archive for Android, in Maven form.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::{
    shell::{find_program, run_quietly},
    workspace::Workspace,
};

const ARTIFACT: &str = "io.agora.rtc:full-sdk:4.2.6:aar";
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

/// The archive, fetched once (110 MB); `None`, with the reason printed, where it can't be had.
pub(crate) fn archive(workspace: &Workspace, is_terminal: bool) -> Option<PathBuf> {
    let archive = workspace.out("cache/agora-android/full-sdk.aar");
    if archive.exists() {
        return Some(archive);
    }
    match fetch(workspace, &archive, is_terminal) {
        Ok(()) => Some(archive),
        Err(error) => {
            eprintln!("      no public Agora library to compare names with ({error:#}); those two tests skip");
            None
        }
    }
}

fn fetch(workspace: &Workspace, archive: &std::path::Path, is_terminal: bool) -> Result<()> {
    let Some(maven) = find_program("mvn") else { anyhow::bail!("Maven is not installed") };
    // Moved at the end, so that an archive cut short is never taken for a whole one.
    let partial = workspace.out("cache/agora-android.partial");
    fs::create_dir_all(&partial)?;
    let mut copy = Command::new(maven);
    copy.args(["--batch-mode", "--quiet", PLUGIN, "-Dmdep.stripVersion=true"])
        .arg(format!("-Dartifact={ARTIFACT}"))
        .arg(format!("-DoutputDirectory={}", partial.display()))
        .current_dir(&partial)
        .stdin(Stdio::null());
    run_quietly(&mut copy, &workspace.out("logs/maven.log"), is_terminal)?;
    if let Some(folder) = archive.parent() {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::rename(&partial, folder)?;
    }
    Ok(())
}
