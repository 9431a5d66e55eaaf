//! Node: the UI's packages, its build, its checks, and the tests that stock clients run.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{shell, workspace::Workspace};

/// Vite and the tests' runner need this one or a newer one.
const OLDEST_MAJOR: u32 = 20;

/// One sentence if Node or npm is not there or too old.
pub(crate) fn check_version() -> Result<()> {
    let hint = format!("install Node.js {OLDEST_MAJOR} or newer with npm, then start again");
    let Ok(output) = Command::new("node").arg("--version").output() else { bail!("Node.js is missing: {hint}") };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_MAJOR) {
        bail!("Node.js {version} is too old: {hint}");
    }
    if shell::find_program(npm()).is_none() {
        bail!("npm is missing: {hint}");
    }
    Ok(())
}

fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// npm in one of the Node projects.
pub(crate) fn npm_in(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(npm());
    command.args(arguments).current_dir(folder).env("NO_UPDATE_NOTIFIER", "1");
    command
}

/// `npm ci`, left out while the lock is the one that was installed last.
pub(crate) fn install(workspace: &Workspace, project: &str, is_terminal: bool) -> Result<()> {
    install_with(workspace, project, is_terminal, |_| {})
}

/// As [`install`], for a project with a native module that may have to be compiled: Node's headers are taken from beside
/// Node where they are, so that they need not be fetched.
pub(crate) fn install_compiling(workspace: &Workspace, project: &str, is_terminal: bool) -> Result<()> {
    install_with(workspace, project, is_terminal, |ci| {
        let node = shell::find_program("node").and_then(|node| node.canonicalize().ok());
        let prefix = node.as_deref().and_then(Path::parent).and_then(Path::parent);
        if let Some(prefix) = prefix.filter(|prefix| prefix.join("include/node/node.h").is_file()) {
            ci.env("npm_config_nodedir", prefix);
        }
    })
}

fn install_with(
    workspace: &Workspace,
    project: &str,
    is_terminal: bool,
    prepare: impl FnOnce(&mut Command),
) -> Result<()> {
    let folder = workspace.root.join(project);
    let lock =
        fs::read(folder.join("package-lock.json")).with_context(|| format!("{project} has no package-lock.json"))?;
    let stamp = folder.join("node_modules/.parley-installed");
    let wanted = fingerprint_of(&lock);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let log = workspace.out(&format!("logs/npm-{}.log", project.replace('/', "-")));
    let mut ci = npm_in(&folder, &["ci", "--no-audit", "--no-fund", "--loglevel=http"]);
    prepare(&mut ci);
    shell::run_quietly(&mut ci, &log, is_terminal)?;
    fs::create_dir_all(folder.join("node_modules"))?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// Builds the UI, left out while no source changed since the last build.
pub(crate) fn build_ui(workspace: &Workspace, is_terminal: bool) -> Result<()> {
    let folder = workspace.root.join("ui");
    let stamp = workspace.out("stamps/ui");
    let wanted = fingerprint(&folder)?;
    if folder.join("dist/index.html").exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return Ok(());
    }
    shell::run_quietly(&mut npm_in(&folder, &["run", "build"]), &workspace.out("logs/ui-build.log"), is_terminal)?;
    fs::create_dir_all(workspace.out("stamps"))?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// Changes when any file of the project does; what is installed and built does not count.
fn fingerprint(folder: &Path) -> Result<String> {
    let mut files = files_below(folder, &["node_modules", "dist"])?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(folder).unwrap_or(&file).hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

pub(crate) fn fingerprint_of(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// All files below a folder, hidden ones and those in `without` left out.
pub(crate) fn files_below(folder: &Path, without: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || without.contains(&name.as_ref()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}
