//! A backup: one file that is the database with one table more, which holds the keys and the uploads. Whatever opens
//! SQLite opens it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use parley_store::{
    StoreError,
    sqlite::{self, Contents},
};

use super::{DATABASE, KEYS, UPLOADS, files_below, sync_folder};

/// No backup was made, or the file is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// There is a file of that name already.
    #[error("{0} exists already; a backup overwrites nothing")]
    Exists(PathBuf),
    /// The data directory holds no database.
    #[error("there is no database in {0}")]
    NothingThere(PathBuf),
    /// A file can't be read or written.
    #[error("{path} can't be used")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database can't be copied, or the copy does not stand the proof.
    #[error("the database of the backup")]
    Store(#[from] StoreError),
}

/// What a backup holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) contents: Contents,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Writes a backup of the data directory to `target`, beside a running server, and proves it. Whatever goes wrong, the
/// file is whole or not there.
pub(crate) fn write(data_dir: &Path, target: &Path) -> Result<Held, BackupError> {
    let failed = |source| BackupError::File { path: target.to_owned(), source };
    let database = data_dir.join(DATABASE);
    if !database.is_file() {
        return Err(BackupError::NothingThere(data_dir.to_owned()));
    }
    if fs::symlink_metadata(target).is_ok() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let mut name = target.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?.to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let draft = Draft(target.with_file_name(name));
    sqlite::copy(&database, &draft.0)?;
    // After the database: a file that a row names was there before the row, so the copy's rows find their files.
    let mut names = files_below(data_dir, KEYS).map_err(failed)?;
    names.extend(files_below(data_dir, UPLOADS).map_err(failed)?);
    sqlite::put_files(&draft.0, data_dir, &names)?;
    let held = verify(&draft.0)?;
    fs::File::open(&draft.0).and_then(|file| file.sync_all()).map_err(failed)?;
    publish(&draft.0, target).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        _ => failed(error),
    })?;
    Ok(held)
}

/// Proves that a file is a whole backup.
pub(crate) fn verify(path: &Path) -> Result<Held, BackupError> {
    let bytes = fs::metadata(path).map_err(|source| BackupError::File { path: path.to_owned(), source })?.len();
    let contents = sqlite::verify(path)?;
    let files = sqlite::verify_files(path)?;
    Ok(Held { contents, files, bytes })
}

/// Gives the draft its name, unless somebody else took that meanwhile.
fn publish(draft: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(draft, target) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // Not every file system has links.
        Err(_) => fs::rename(draft, target)?,
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}

/// A file that is removed unless it was renamed.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in ["", "-journal"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "a partial backup could not be removed");
            }
        }
    }
}
