//! The data directory as a whole: who has it, what a backup of it holds, how one is put back.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use parley_domain::AttachmentId;
use parley_store::{
    StoreError,
    sqlite::{self, Finding},
};

pub(crate) mod backup;
pub(crate) mod restore;

/// The secrets that the server made for itself.
pub(crate) const KEYS: &str = "keys";
/// What people uploaded.
pub(crate) const UPLOADS: &str = "uploads";
/// The database and what SQLite keeps beside it.
pub(crate) const DATABASE: &str = "parley.sqlite3";
const DATABASE_SIDE_FILES: [&str; 2] = ["parley.sqlite3-wal", "parley.sqlite3-shm"];
/// Locked by whoever has the directory to itself; holds that process's number, for people.
const LOCK: &str = "lock";

/// The directory can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A server or a restore has it.
    #[error("{path} is in use by another server or restore{}: stop it first, or take another --data-dir", of(*.process))]
    Held {
        /// Which directory.
        path: PathBuf,
        /// Whose, if it could be read.
        process: Option<u32>,
    },
    /// The file of the lock can't be used.
    #[error("{path} can't be locked")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn of(process: Option<u32>) -> String {
    process.map(|process| format!(" (process {process})")).unwrap_or_default()
}

/// The right to have a data directory to oneself, until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

/// Takes the directory for this process, unless another one has it.
pub(crate) fn lock(data_dir: &Path) -> Result<DataLock, LockError> {
    let path = data_dir.join(LOCK);
    let failed = |source| LockError::File { path: path.clone(), source };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let process = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            return Err(LockError::Held { path: data_dir.to_owned(), process });
        }
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!("this file system has no locks: nothing keeps two servers off {}", data_dir.display());
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    if let Err(error) = written {
        // The lock holds without its note, on a full disk too.
        tracing::debug!(%error, "the lock has no process number");
    }
    Ok(DataLock { _file: file })
}

/// Makes the file of the lock without taking it.
pub(crate) fn touch_lock(data_dir: &Path) -> io::Result<()> {
    File::options().write(true).create(true).truncate(false).open(data_dir.join(LOCK)).map(drop)
}

/// Whether a server or a restore has the directory.
pub(crate) fn is_locked(data_dir: &Path) -> bool {
    let Ok(file) = File::open(data_dir.join(LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Every regular file below `folder`, by its path relative to `root`, sorted. What is being written is left out: object
/// stores write beside and rename, with a `#` in the name.
fn files_below(root: &Path, folder: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(relative) = ahead.pop() {
        let entries = match fs::read_dir(root.join(&relative)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type()?;
            let path = format!("{relative}/{name}");
            if kind.is_dir() {
                ahead.push(path);
            } else if kind.is_file() && !name.contains('#') {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Uploads that the database names and that are not there, or not whole.
pub(crate) fn upload_findings(data_dir: &Path) -> Result<Vec<Finding>, StoreError> {
    let wrong = |kept: &(AttachmentId, u64)| match fs::metadata(data_dir.join(UPLOADS).join(kept.0.to_string())) {
        Ok(meta) if meta.len() == kept.1 => None,
        Ok(meta) => Some(format!("the file has {} bytes instead of {}", meta.len(), kept.1)),
        Err(error) => Some(format!("the file can't be read: {error}")),
    };
    let database = data_dir.join(DATABASE);
    let suspect: Vec<_> = sqlite::kept_files(&database)?.into_iter().filter(|kept| wrong(kept).is_some()).collect();
    if suspect.is_empty() {
        return Ok(Vec::new());
    }
    // Bytes go after their row: what is missing may have been deleted meanwhile by a server that runs beside.
    let still_kept = sqlite::kept_files(&database)?;
    let found = suspect
        .iter()
        .filter(|kept| still_kept.contains(kept))
        .filter_map(|kept| Some(Finding { check: "upload", subject: kept.0.to_string(), detail: wrong(kept)? }));
    Ok(found.collect())
}

/// Makes the names in a folder last.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A stamp for names that people read: `20260301T093000Z`.
fn stamp(now: parley_domain::Timestamp) -> String {
    let text = now.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

#[cfg(test)]
mod tests;
