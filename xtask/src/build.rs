//! What is compiled, in one place: tasks that follow each other must choose the same packages and features, or cargo
//! compiles the same crates twice.

use std::process::Command;

use anyhow::Result;

use crate::{
    shell::run_cargo,
    workspace::{Workspace, cargo},
};

/// Everything but ourselves: a running program should not be replaced.
pub(crate) const EVERYTHING: &[&str] = &["--workspace", "--exclude", "xtask"];

pub(crate) fn cargo_in(workspace: &Workspace, verb: &str) -> Command {
    let mut command = Command::new(cargo());
    command.arg(verb).arg("--locked").current_dir(&workspace.root);
    command
}

/// The programs of a run with windows.
pub(crate) fn windows(workspace: &Workspace, is_terminal: bool) -> Result<()> {
    run_cargo(cargo_in(workspace, "build").args(EVERYTHING).arg("--bins"), is_terminal)
}

/// The programs of a run without: neither the app nor what only windows need.
pub(crate) fn headless(workspace: &Workspace, is_terminal: bool) -> Result<()> {
    let mut build = cargo_in(workspace, "build");
    for package in ["parley-server", "parley-testkit", "parley-agora-standin"] {
        build.args(["--package", package]);
    }
    build.arg("--bins");
    run_cargo(&mut build, is_terminal)
}

/// Programs, tests and examples, so that every later step finds what it needs.
pub(crate) fn tests(workspace: &Workspace, is_terminal: bool) -> Result<()> {
    run_cargo(cargo_in(workspace, "build").args(EVERYTHING).arg("--all-targets"), is_terminal)
}
