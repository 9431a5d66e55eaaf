//! `migrate`, `backup`, `restore` and `check`: the data directory in the hands of its operator.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, bail};
use parley_store::{
    StoreError,
    sqlite::{self, Finding, pending_migrations},
};
use serde_json::json;

use super::print;
use crate::{
    App, Config,
    data_dir::{self, backup, restore},
    secrets::create_private_dir,
    state::make_data_dir,
};

/// Brings the database to this version's schema.
pub(super) async fn migrate(config: Config) -> anyhow::Result<()> {
    let database = config.database();
    let is_new = !database.exists();
    make_data_dir(&config)?;
    let pending = pending_migrations(&database)?;
    App::open_beside(config).await?.store.close().await?;
    match pending {
        Some((from, to)) => print(&json!({ "migrated": true, "from": from, "to": to })),
        None => print(&json!({ "migrated": is_new })),
    }
}

/// Writes a backup.
pub(super) fn backup(config: &Config, file: &Path) -> anyhow::Result<()> {
    refuse_half_restored(config)?;
    let held = backup::write(&config.data_dir, file).context("no backup was made")?;
    let mut told = told(&held);
    told["backup"] = file.display().to_string().into();
    print(&told)
}

/// Old and new data may lie side by side until the exchange is finished.
fn refuse_half_restored(config: &Config) -> anyhow::Result<()> {
    if restore::is_interrupted(&config.data_dir) {
        bail!("a restore in {} was interrupted: `migrate` finishes it, as does `serve`", config.data_dir.display());
    }
    Ok(())
}

fn told(held: &backup::Held) -> serde_json::Value {
    let contents = held.contents;
    json!({
        "bytes": held.bytes, "schema": contents.schema, "users": contents.users, "projects": contents.projects,
        "messages": contents.messages, "meetings": contents.meetings, "files": held.files,
    })
}

/// Puts a backup in place.
pub(super) fn restore(config: &Config, file: &Path) -> anyhow::Result<()> {
    create_private_dir(&config.data_dir).with_context(|| format!("{} can't be made", config.data_dir.display()))?;
    let _lock = data_dir::lock(&config.data_dir)?;
    restore::finish(&config.data_dir).context("an earlier restore can't be finished")?;
    let restored = restore::restore(&config.data_dir, file, config.clock.now())
        .with_context(|| format!("{} was not restored and nothing was changed", file.display()))?;
    let mut told = told(&restored.held);
    told["restored"] = config.data_dir.display().to_string().into();
    told["before"] = restored.aside.display().to_string().into();
    print(&told)
}

/// Looks everything through.
pub(super) fn check(config: &Config) -> anyhow::Result<ExitCode> {
    refuse_half_restored(config)?;
    let database = config.database();
    if !database.exists() {
        bail!("there is no database in {}", config.data_dir.display());
    }
    let damaged = |error: StoreError| match error {
        StoreError::Corrupt(detail) => Ok(vec![Finding { check: "file", subject: String::new(), detail }]),
        error => Err(error),
    };
    let found = match pending_migrations(&database) {
        Ok(None) => sqlite::findings(&database).or_else(damaged)?,
        Ok(Some((found, known))) => {
            bail!("the database has schema {found}, this program checks schema {known}: run `migrate` first")
        }
        Err(error) => damaged(error)?,
    };
    let found = if found.is_empty() { data_dir::upload_findings(&config.data_dir)? } else { found };
    for finding in &found {
        print(&serde_json::to_value(finding)?)?;
    }
    tracing::info!(findings = found.len(), "checked");
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
