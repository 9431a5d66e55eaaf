//! Putting a backup in the place of what is there. The backup is unpacked and proven beside; then a marker is written,
//! and from there on the exchange is finished by whoever opens the directory next, however often it is interrupted. So
//! a crash leaves the old data or the new, never a mixture.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use parley_domain::Timestamp;
use parley_store::sqlite;

use super::{
    DATABASE, DATABASE_SIDE_FILES, KEYS, UPLOADS,
    backup::{self, BackupError, Held},
    stamp, sync_folder,
};
use crate::secrets::create_private_dir;

/// Its presence says that the new data is whole and goes into place. It holds the stamp of the two folders' names.
const MARKER: &str = "restore-in-progress";

fn staged(data_dir: &Path, stamp: &str) -> PathBuf {
    data_dir.join(format!("restoring-{stamp}"))
}

fn aside(data_dir: &Path, stamp: &str) -> PathBuf {
    data_dir.join(format!("before-restore-{stamp}"))
}

/// What a restore did.
pub(crate) struct Restored {
    pub(crate) held: Held,
    /// Where the data is that was there before.
    pub(crate) aside: PathBuf,
}

/// Proves a backup and puts it in place. The caller has the lock of the directory.
pub(crate) fn restore(data_dir: &Path, from: &Path, now: Timestamp) -> Result<Restored, BackupError> {
    let held = backup::verify(from)?;
    let failed = |source| BackupError::File { path: data_dir.to_owned(), source };
    let stamp = free_stamp(data_dir, now);
    let staged = staged(data_dir, &stamp);
    create_private_dir(&staged).map_err(failed)?;
    if let Err(error) = unpack(from, &staged) {
        fs::remove_dir_all(&staged).map_err(failed)?;
        return Err(error);
    }
    commit(data_dir, &stamp).map_err(failed)?;
    finish(data_dir).map_err(failed)?;
    Ok(Restored { held, aside: aside(data_dir, &stamp) })
}

/// A stamp that no earlier restore of the same second has.
fn free_stamp(data_dir: &Path, now: Timestamp) -> String {
    let plain = stamp(now);
    let mut free = plain.clone();
    for n in 2_u32.. {
        if !staged(data_dir, &free).exists() && !aside(data_dir, &free).exists() {
            break;
        }
        free = format!("{plain}-{n}");
    }
    free
}

fn unpack(from: &Path, staged: &Path) -> Result<(), BackupError> {
    sqlite::extract_files(from, staged)?;
    let failed = |source| BackupError::File { path: staged.to_owned(), source };
    for folder in [KEYS, UPLOADS] {
        create_private_dir(&staged.join(folder)).map_err(failed)?;
    }
    let database = staged.join(DATABASE);
    sqlite::copy(from, &database)?;
    sqlite::drop_files(&database)?;
    sqlite::verify(&database)?;
    fs::File::open(&database).and_then(|file| file.sync_all()).map_err(failed)?;
    sync_folders(staged).map_err(failed)
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// From here on the new data counts.
fn commit(data_dir: &Path, stamp: &str) -> io::Result<()> {
    create_private_dir(&aside(data_dir, stamp))?;
    let draft = data_dir.join(format!("{MARKER}.new"));
    fs::write(&draft, stamp)?;
    fs::File::open(&draft)?.sync_all()?;
    fs::rename(&draft, data_dir.join(MARKER))?;
    sync_folder(data_dir)
}

/// Whether a restore was begun that has to be finished.
pub(crate) fn is_interrupted(data_dir: &Path) -> bool {
    data_dir.join(MARKER).exists()
}

/// Finishes the exchange if one was begun. The caller has the lock of the directory.
pub(crate) fn finish(data_dir: &Path) -> io::Result<()> {
    let marker = data_dir.join(MARKER);
    let stamp = match fs::read_to_string(&marker) {
        Ok(stamp) => stamp,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_plain = stamp.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if stamp.is_empty() || !is_plain {
        return Err(io::Error::other(format!("{} does not name a restore", marker.display())));
    }
    let (staged, aside) = (staged(data_dir, &stamp), aside(data_dir, &stamp));
    create_private_dir(&aside)?;
    for (from, to) in moves(data_dir, &staged, &aside) {
        move_if_there(&from, &to)?;
        sync_folder(data_dir)?;
    }
    sync_folder(&aside)?;
    fs::remove_file(&marker)?;
    sync_folder(data_dir)?;
    match fs::remove_dir_all(&staged) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The moves that are still to be made, in their order. What is still staged is not in its place yet, so what is there
/// is old. The database goes last, its log before it: a new database must never meet an old log.
fn moves(data_dir: &Path, staged: &Path, aside: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut moves = Vec::new();
    for (item, with) in [(KEYS, &[][..]), (UPLOADS, &[]), (DATABASE, &DATABASE_SIDE_FILES)] {
        if staged.join(item).exists() {
            moves.extend(with.iter().chain([&item]).map(|name| (data_dir.join(name), aside.join(name))));
            moves.push((staged.join(item), data_dir.join(item)));
        }
    }
    moves
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// A restore that breaks off after so many moves; answers whether it did.
#[cfg(test)]
pub(crate) fn restore_until(data_dir: &Path, from: &Path, now: Timestamp, stop_after: usize) -> bool {
    let stamp = free_stamp(data_dir, now);
    let (staged, aside) = (staged(data_dir, &stamp), aside(data_dir, &stamp));
    create_private_dir(&staged).unwrap();
    unpack(from, &staged).unwrap();
    commit(data_dir, &stamp).unwrap();
    let all = moves(data_dir, &staged, &aside);
    for (from, to) in all.iter().take(stop_after) {
        move_if_there(from, to).unwrap();
    }
    if stop_after <= all.len() {
        return true;
    }
    finish(data_dir).unwrap();
    false
}
