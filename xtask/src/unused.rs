//! Dependencies that nothing names: they cost every build and say something untrue about the crate.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    node::files_below,
    workspace::{Workspace, metadata},
};

/// A dependency counts as used when its name stands as a word in some source file of the crate. That misses one that
/// only a comment names, and never blames one that is used.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let metadata = metadata(&workspace.root, &["--no-deps"])?;
    let mut unused = Vec::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists packages")? {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let text = sources(manifest.parent().context("a manifest lies in a folder")?)?;
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let known_as = known_as(dependency);
            if dependency["name"].as_str() != Some(name) && !has_word(&text, &known_as) {
                unused.push(format!("{name} does not use {known_as}"));
            }
        }
    }
    if unused.is_empty() { Ok(()) } else { bail!("take these out of the manifests:\n  {}", unused.join("\n  ")) }
}

fn known_as(dependency: &Value) -> String {
    dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap_or_default().replace('-', "_")
}

fn sources(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for file in files_below(folder, &["target"])? {
        if file.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?);
        }
    }
    Ok(text)
}

fn has_word(text: &str, word: &str) -> bool {
    let continues = |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_');
    text.match_indices(word)
        .any(|(at, _)| !continues(text[..at].chars().next_back()) && !continues(text[at + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_count() {
        assert!(has_word("use serde::Serialize;", "serde"));
        assert!(has_word("#[tokio::main]", "tokio"));
        assert!(!has_word("use serde_json::Value;", "serde"));
        assert!(!has_word("let myserde = 1;", "serde"));
    }
}
