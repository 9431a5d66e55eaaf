//! The native crates on systems that this machine isn't: they are compiled there, not run.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::{
    build::cargo_in,
    shell::{find_program, run_cargo},
    workspace::Workspace,
};

/// Where Parley's native layer has to compile, without anything of Agora's.
const TARGETS: &[&str] = &[
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
];

/// Checks the crates for each target whose standard library is there or can be had; says which ones are left out.
pub(crate) fn check(workspace: &Workspace, is_terminal: bool) -> Result<()> {
    let Some(rustup) = find_program("rustup") else {
        eprintln!("      rustup is not installed: checked for this system only");
        return Ok(());
    };
    for target in TARGETS {
        let mut add = Command::new(&rustup);
        add.args(["target", "add", target]).stdout(Stdio::null()).stderr(Stdio::null());
        if !add.status().is_ok_and(|status| status.success()) {
            eprintln!("      {target}: left out, its standard library can't be had");
            continue;
        }
        let mut check = cargo_in(workspace, "check");
        run_cargo(
            check.args(["--package", "agora-sys", "--package", "parley-agora", "--target", target]),
            is_terminal,
        )?;
    }
    Ok(())
}
