//! Python: other people's tools that tests hold against the server, in an environment of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{node::fingerprint_of, shell, workspace::Workspace};

/// The tools ask for 3.10; 3.11 is Debian 12's and the one their versions were chosen with.
const OLDEST_MINOR: u32 = 11;
/// Succeeds where an environment with pip can be made: Debian keeps that part in a package of its own.
const CAN_MAKE_ENVIRONMENTS: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, int(sys.argv[1])))";
/// Written last, so that an installation cut short is made anew.
const STAMP: &str = ".parley-installed";

/// The environment's interpreter: what `PARLEY_PYTHON` tells tests.
pub(crate) fn interpreter(workspace: &Workspace) -> PathBuf {
    let inside = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    workspace.out("python").join(inside)
}

/// Makes the environment, left out while it holds what `tests/requirements.txt` pins.
pub(crate) fn install(workspace: &Workspace, is_terminal: bool) -> Result<()> {
    let requirements = workspace.root.join("tests/requirements.txt");
    let wanted =
        fingerprint_of(&fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?);
    let folder = workspace.out("python");
    if is_current(&folder, &interpreter(workspace), &wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let mut make = Command::new(system_python()?);
    make.args(["-m", "venv"]).arg(&folder);
    shell::run_quietly(&mut make, &workspace.out("logs/python-environment.log"), is_terminal)?;
    let mut pip = Command::new(interpreter(workspace));
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--requirement"]);
    shell::run_quietly(pip.arg(&requirements), &workspace.out("logs/python-packages.log"), is_terminal)?;
    fs::write(folder.join(STAMP), wanted)?;
    Ok(())
}

/// The interpreter is a link to the system's, which an upgrade can take away.
fn is_current(folder: &Path, interpreter: &Path, wanted: &str) -> bool {
    interpreter.exists() && fs::read_to_string(folder.join(STAMP)).is_ok_and(|installed| installed == wanted)
}

/// The first on the search path, or the system's own behind one that can't make environments.
fn system_python() -> Result<&'static str> {
    let can_make_environments = |python: &&str| {
        let mut question = Command::new(python);
        question.args(["-c", CAN_MAKE_ENVIRONMENTS]).arg(OLDEST_MINOR.to_string());
        question.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3", "python"].into_iter().find(can_make_environments).with_context(|| {
        format!("Python 3.{OLDEST_MINOR} or newer with venv and pip is missing (Debian: python3-venv)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_of_other_versions_or_without_its_interpreter_is_made_anew() {
        let folder = std::env::temp_dir().join(format!("parley-python-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let interpreter = folder.join("python");
        fs::write(folder.join(STAMP), "these versions").unwrap();
        assert!(!is_current(&folder, &interpreter, "these versions"), "its interpreter is gone");
        fs::write(&interpreter, "").unwrap();
        assert!(is_current(&folder, &interpreter, "these versions"));
        assert!(!is_current(&folder, &interpreter, "newer versions"));
        fs::remove_file(folder.join(STAMP)).unwrap();
        assert!(!is_current(&folder, &interpreter, "these versions"), "never finished");
        fs::remove_dir_all(folder).unwrap();
    }
}
