//! `cargo xtask agora-sdk …`: Agora's library for the apps that `run` opens, put into their common folder.

use std::{ffi::OsString, process::Command};

use anyhow::{Result, bail};

use crate::{
    build,
    packages::{self, Need},
    shell::run_cargo,
    workspace::Workspace,
};

/// Builds `parley-agora-sdk` and hands the words on to it; what it says is the answer.
pub(crate) fn run(workspace: &Workspace, words: &[OsString], is_terminal: bool) -> Result<()> {
    packages::install(workspace, Need::Headless, is_terminal)?;
    let mut compile = build::cargo_in(workspace, "build");
    // The same choice as `run` makes, so that what that built is found.
    compile.args(build::EVERYTHING).args(["--bin", PROGRAM]);
    run_cargo(&mut compile, is_terminal)?;
    let mut program = Command::new(workspace.program(PROGRAM));
    let status = program.arg("--data-dir").arg(workspace.out("run")).args(words).status()?;
    if !status.success() {
        bail!("{PROGRAM} ended with {status}");
    }
    Ok(())
}

const PROGRAM: &str = "parley-agora-sdk";
