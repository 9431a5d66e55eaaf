//! Whole copies of the database, taken while others use it, and the proof that a copy is good.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, backup::Backup};

use super::{
    db::error_of,
    open::{APPLICATION_ID, known_schema, open_reader, schema_of},
};
use crate::StoreError;

/// How long a copy waits for another process that holds the file.
const BUSY: Duration = Duration::from_secs(5);
/// So many snapshots stay beside the database.
const SNAPSHOTS: usize = 3;
/// What a snapshot's name begins with.
const SNAPSHOT_PREFIX: &str = "before-migration-";

/// What a database that was looked through holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The version of its schema.
    pub schema: i32,
    /// Accounts.
    pub users: i64,
    /// Projects.
    pub projects: i64,
    /// Messages.
    pub messages: i64,
    /// Meetings.
    pub meetings: i64,
}

/// Copies the database as it is at one moment into a new file, beside whoever uses it. The copy is on the disk when this
/// returns, is readable by its owner only, and has no write-ahead log beside it.
///
/// # Errors
/// `Io` when the target exists or can't be written, `Full`, and what reading the source says. What was begun is removed.
pub fn copy(source: &Path, target: &Path) -> Result<(), StoreError> {
    create_private(target).map_err(|error| io_error(target, &error))?;
    let copied = copy_into(source, target);
    if copied.is_err() {
        remove(target);
    }
    copied
}

fn copy_into(source: &Path, target: &Path) -> Result<(), StoreError> {
    let from = open_reader(source, BUSY)?;
    let mut to = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(error_of)?;
    {
        let backup = Backup::new(&from, &mut to).map_err(error_of)?;
        // All pages in one step: one read transaction, so that a busy server can't make it begin again.
        match backup.step(-1).map_err(error_of)? {
            rusqlite::backup::StepResult::Done => {}
            _ => return Err(StoreError::Busy),
        }
    }
    // The copy stands alone; whoever opens it as a server turns the log on again.
    to.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(error_of)?;
    to.close().map_err(|(_, error)| error_of(error))?;
    sync(target).map_err(|error| io_error(target, &error))
}

/// Looks a database through that nobody writes: SQLite's own checks, foreign keys, that it is Parley's and not of a newer
/// program.
///
/// # Errors
/// `Corrupt` with the first things found, `NewerSchema`, and what reading says.
pub fn verify(path: &Path) -> Result<Contents, StoreError> {
    let conn = open_still(path)?;
    let id: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(error_of)?;
    if id != APPLICATION_ID {
        return Err(StoreError::Corrupt("this is no database of Parley's".into()));
    }
    let (schema, known) = (schema_of(&conn)?, known_schema());
    if schema > known {
        return Err(StoreError::NewerSchema { found: schema, known });
    }
    let wrong = integrity(&conn)?;
    if !wrong.is_empty() {
        return Err(StoreError::Corrupt(wrong.join("; ")));
    }
    let count =
        |table: &str| conn.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).map_err(error_of);
    Ok(Contents {
        schema,
        users: count("users")?,
        projects: count("projects")?,
        messages: count("messages")?,
        meetings: count("meetings")?,
    })
}

/// What SQLite itself finds wrong: at most a few sentences.
pub(super) fn integrity(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare("PRAGMA integrity_check(10)").map_err(error_of)?;
    let mut found: Vec<String> =
        statement.query_map((), |row| row.get(0)).and_then(Iterator::collect).map_err(error_of)?;
    found.retain(|line| line != "ok");
    let mut statement = conn.prepare("PRAGMA foreign_key_check").map_err(error_of)?;
    let mut rows = statement.query(()).map_err(error_of)?;
    while let Some(row) = rows.next().map_err(error_of)? {
        let table: String = row.get(0).map_err(error_of)?;
        let parent: String = row.get(2).map_err(error_of)?;
        found.push(format!("a row of {table} points to a row of {parent} that is not there"));
        if found.len() >= 10 {
            break;
        }
    }
    Ok(found)
}

/// Copies the database beside itself before its schema changes, proves the copy, and keeps the last few of them.
///
/// # Errors
/// As [`copy`] and [`verify`]; a copy that does not stand the proof is removed.
pub(super) fn snapshot(conn: &Connection, path: &Path, schema: i32) -> Result<PathBuf, StoreError> {
    // The store has no clock of its own; SQLite's stamp is for people to read and orders nothing but snapshots.
    let stamp: String =
        conn.query_row("SELECT strftime('%Y%m%dT%H%M%fZ', 'now')", (), |row| row.get(0)).map_err(error_of)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = format!("{SNAPSHOT_PREFIX}v{schema}-{}.sqlite3", stamp.replace('.', ""));
    let target = folder.join(name);
    let draft = target.with_extension("partial");
    remove(&draft);
    copy(path, &draft)?;
    let proven = verify(&draft).and_then(|_| {
        fs::rename(&draft, &target).and_then(|()| sync_folder(folder)).map_err(|error| io_error(&target, &error))
    });
    if let Err(error) = proven {
        remove(&draft);
        return Err(error);
    }
    keep_the_last(folder);
    Ok(target)
}

fn keep_the_last(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut snapshots: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(SNAPSHOT_PREFIX) && name.ends_with(".sqlite3")
        })
        .filter_map(|entry| Some((entry.metadata().and_then(|meta| meta.modified()).ok()?, entry.path())))
        .collect();
    snapshots.sort();
    let surplus = snapshots.len().saturating_sub(SNAPSHOTS);
    for (_, path) in &snapshots[..surplus] {
        remove(path);
    }
}

/// Opens a file that nobody writes, without leaving anything beside it.
pub(super) fn open_still(path: &Path) -> Result<Connection, StoreError> {
    let path = path.to_str().ok_or_else(|| StoreError::Io("the path is not Unicode".into()))?;
    let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags).map_err(error_of)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).open(path).map(drop)
}

fn sync(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    sync(path)
}

/// Elsewhere a folder can't be opened as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "a file could not be removed");
    }
}

pub(super) fn io_error(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
        _ => StoreError::Io(format!("{}: {error}", path.display())),
    }
}
