//! Arrows point down only: which crate may use which, and who may speak to Tauri.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    node::files_below,
    workspace::{Workspace, metadata},
};

/// Each crate with the workspace crates that it may use; all may use `parley-domain`.
/// A crate that is not in here is an error, so that a new one gets its place.
const ALLOWED: &[(&str, &[&str])] = &[
    ("parley-domain", &[]),
    ("parley-agora-token", &[]),
    ("parley-protocol", &[]),
    ("parley-store", &[]),
    ("parley-call", &["parley-agora-token"]),
    ("agora-sys", &[]),
    // The tokens are those of its `parley-agora-sdk check`, which joins with a person's own App ID and certificate.
    ("parley-agora", &["agora-sys", "parley-agora-token", "parley-call"]),
    ("parley-agora-standin", &[]),
    ("parley-media", &["parley-call"]),
    ("parley-direct", &["parley-call", "parley-media"]),
    ("parley-client", &["parley-protocol"]),
    ("parley-server", &["parley-store", "parley-agora-token", "parley-protocol"]),
    (
        "parley-app",
        &["parley-agora", "parley-client", "parley-call", "parley-direct", "parley-media", "parley-protocol"],
    ),
    ("parley", &["parley-app", "parley-server", "parley-protocol"]),
    (
        "parley-testkit",
        &[
            "parley-agora",
            "parley-agora-token",
            "parley-app",
            "parley-call",
            "parley-client",
            "parley-direct",
            "parley-media",
            "parley-protocol",
            "parley-server",
            "parley-store",
        ],
    ),
    ("parley-load", &["parley-agora-token"]),
    ("xtask", &[]),
];
/// What tests may use besides.
const ALLOWED_IN_TESTS: &[&str] = &["parley-testkit", "parley-agora-token", "parley-agora-standin", "parley-store"];
/// Crates that only the shell may name.
const SHELL_ONLY: &str = "tauri";
/// The one folder of the UI that reaches Tauri, and how such an import looks.
const BACKEND_FOLDER: &str = "lib/backend";
const TAURI_IMPORT: &str = "@tauri-apps/";

pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut problems = crate_problems(&metadata(&workspace.root, &["--no-deps"])?)?;
    problems.extend(import_problems(&workspace.root.join("ui/src"))?);
    if problems.is_empty() {
        eprintln!("every arrow points down");
        return Ok(());
    }
    bail!("arrows that should not be:\n  {}", problems.join("\n  "))
}

fn crate_problems(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let members: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(listed, _)| *listed == name) else {
            problems.push(format!("{name} has no place in the table of xtask/src/layers.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let is_for_tests = dependency["kind"].as_str() == Some("dev");
            let is_itself = is_for_tests && used == name;
            let is_allowed = is_itself || used == "parley-domain" || allowed.contains(&used);
            let is_allowed_here = is_allowed || (is_for_tests && ALLOWED_IN_TESTS.contains(&used));
            if members.contains(used) && !is_allowed_here {
                problems.push(format!("{name} uses {used}"));
            }
            if used.starts_with(SHELL_ONLY) && name != "parley" {
                problems.push(format!("{name} uses {used}, which only the shell may"));
            }
        }
    }
    Ok(problems)
}

fn import_problems(sources: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in files_below(sources, &["generated"])? {
        let inside = file.strip_prefix(sources).unwrap_or(&file);
        let is_source = file.extension().is_some_and(|extension| extension == "ts" || extension == "svelte");
        if is_source && !inside.starts_with(BACKEND_FOLDER) && fs::read_to_string(&file)?.contains(TAURI_IMPORT) {
            problems.push(format!(
                "ui/src/{} imports {TAURI_IMPORT}…, which only ui/src/{BACKEND_FOLDER} may",
                inside.display()
            ));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(name: &str, used: &str, kind: Option<&str>) -> Vec<String> {
        let mut packages = vec![json!({ "name": name, "dependencies": [{ "name": used, "kind": kind }] })];
        if ALLOWED.iter().any(|(listed, _)| *listed == used) {
            packages.push(json!({ "name": used, "dependencies": [] }));
        }
        crate_problems(&json!({ "packages": packages })).unwrap()
    }

    #[test]
    fn upward_arrows_are_found() {
        assert_eq!(of("parley-server", "parley-call", None), ["parley-server uses parley-call"]);
        assert_eq!(of("parley-domain", "parley-protocol", None), ["parley-domain uses parley-protocol"]);
        assert_eq!(of("parley-app", "tauri", None).len(), 1);
        assert_eq!(of("parley-brand-new", "serde", None).len(), 1);
    }

    #[test]
    fn downward_arrows_and_tests_are_fine() {
        assert!(of("parley-media", "parley-call", None).is_empty());
        assert!(of("parley-client", "parley-testkit", Some("dev")).is_empty());
        assert_eq!(of("parley-client", "parley-testkit", None), ["parley-client uses parley-testkit"]);
    }
}
