//! The UI's types, generated from `crates/protocol`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{build::cargo_in, shell, workspace::Workspace};

fn destination(workspace: &Workspace) -> PathBuf {
    workspace.root.join("ui/src/lib/generated/types.ts")
}

fn generate(workspace: &Workspace) -> Result<String> {
    let mut example = cargo_in(workspace, "run");
    shell::output(example.args(["--quiet", "--package", "parley-protocol", "--example", "export-types"]))
}

pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    let path = destination(workspace);
    let text = generate(workspace)?;
    if fs::read_to_string(&path).is_ok_and(|current| current == text) {
        eprintln!("the UI's types are up to date");
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    compare(&destination(workspace), &generate(workspace)?)
}

/// The same with the generator that the tests' build has made already.
pub(crate) fn check_built(workspace: &Workspace) -> Result<()> {
    let generator = workspace.program("examples/export-types");
    compare(&destination(workspace), &shell::output(&mut Command::new(generator))?)
}

fn compare(path: &Path, text: &str) -> Result<()> {
    let current = fs::read_to_string(path).unwrap_or_default();
    if current == text {
        return Ok(());
    }
    let first = current.lines().zip(text.lines()).position(|(old, new)| old != new);
    let line = first.unwrap_or_else(|| current.lines().count().min(text.lines().count())) + 1;
    bail!("{} does not match crates/protocol from line {line} on: run `cargo xtask types`", path.display())
}
