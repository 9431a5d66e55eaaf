//! Whether the disk holds what is about to be built: a compiler that finds it full says so after a quarter of an hour,
//! and not in one sentence.

use anyhow::Result;

use crate::{environment::Environment, workspace::Workspace};

const GIB: u64 = 1 << 30;
/// What a first `test` leaves in the build folder (5.9 GiB), and a little more.
const FIRST_BUILD: u64 = 7 * GIB;
/// What cargo keeps besides, so that the next build is faster (3.5 GiB).
const KEPT_FOR_THE_NEXT: u64 = 4 * GIB;
/// What a later one adds at most, when everything of ours has changed.
const LATER_BUILD: u64 = 3 * GIB;

/// An error that names both sizes where the disk is too small for building and testing everything.
pub(crate) fn check(workspace: &Workspace, environment: &Environment) -> Result<()> {
    let is_first = !workspace.target.join("debug/deps").is_dir() || !workspace.target.join("sanitizer").is_dir();
    let kept = if environment.is_incremental { KEPT_FOR_THE_NEXT } else { 0 };
    let needed = if is_first { FIRST_BUILD + kept } else { LATER_BUILD };
    match free(workspace)? {
        Some(free) if free < needed => anyhow::bail!(
            "the build folder {} is to grow by up to {}, and its disk has {} left: make room there, or name another \
             folder in CARGO_TARGET_DIR",
            workspace.target.display(),
            spoken(needed),
            spoken(free),
        ),
        _ => Ok(()),
    }
}

/// What is free where the build folder lies (it need not exist yet).
#[cfg(unix)]
fn free(workspace: &Workspace) -> Result<Option<u64>> {
    let Some(folder) = workspace.target.ancestors().find(|folder| folder.is_dir()) else { return Ok(None) };
    let disk = rustix::fs::statvfs(folder)?;
    Ok(Some(disk.f_bavail * disk.f_frsize))
}

/// Other systems' compilers say it themselves.
#[cfg(not(unix))]
fn free(_: &Workspace) -> Result<Option<u64>> {
    Ok(None)
}

fn spoken(bytes: u64) -> String {
    format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(spoken(12 * GIB), "12.0 GiB");
        assert_eq!(spoken(5 * GIB + GIB / 2), "5.5 GiB");
    }

    #[cfg(unix)]
    #[test]
    fn a_build_folder_that_does_not_exist_yet_is_asked_for_by_the_folder_above() {
        let root = std::env::temp_dir();
        let workspace = Workspace { target: root.join("not/there/yet"), root };
        assert!(free(&workspace).unwrap().is_some_and(|free| free > 0));
    }
}
