//! Where things lie.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde_json::Value;

pub(crate) struct Workspace {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Cargo's output, wherever the person's configuration puts it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn locate() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask lies in the workspace")?.to_path_buf();
        let metadata = metadata(&root, &["--no-deps"])?;
        let target = metadata["target_directory"].as_str().context("cargo metadata names the target directory")?;
        Ok(Self { root, target: target.into() })
    }

    /// What tasks leave behind for people and for the next run; ignored by git.
    pub(crate) fn out(&self, path: &str) -> PathBuf {
        self.root.join("out").join(path)
    }

    /// A program that cargo built.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

/// `cargo metadata`, parsed.
pub(crate) fn metadata(root: &Path, arguments: &[&str]) -> Result<Value> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version=1", "--locked"])
        .args(arguments)
        .current_dir(root)
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        anyhow::bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata answered something else than JSON")
}

/// The cargo that started us, so that a chosen toolchain stays chosen.
pub(crate) fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), Into::into)
}
