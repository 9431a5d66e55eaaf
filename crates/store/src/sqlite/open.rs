//! Opening a database: pragmas, migrations, and a kind refusal of what this program must not touch.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use refinery::embed_migrations;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{copy, db::error_of};
use crate::StoreError;

embed_migrations!("migrations/sqlite");

/// "PRLY", set by the first migration.
pub(super) const APPLICATION_ID: i32 = 1_347_570_777;
/// A WAL that grew in a burst shrinks to this at the next checkpoint.
const JOURNAL_LIMIT_BYTES: i64 = 16 * 1024 * 1024;
/// How long the WAL grows before it is copied back, in pages of 4 KiB: 16 MiB. Busy pages are copied once for many
/// commits, and each copying costs two fsyncs.
const CHECKPOINT_PAGES: i64 = 4_096;
/// Before a file is opened once more that another program is opening.
const PAUSE: Duration = Duration::from_millis(10);
/// The store has about a hundred statements; all stay prepared.
const STATEMENTS: usize = 160;

/// Opens the database for writing, creates it where there is none, and brings its schema up to date: if it holds
/// something, after a copy of it was made and proven.
///
/// Programs may do so at once. Where one can't wait for the other inside of SQLite (changing the journal's mode, writing
/// after having read), the whole is tried again for as long as `busy` says.
pub(super) fn open_writer(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let begun = Instant::now();
    loop {
        match try_open_writer(path, busy) {
            Err(StoreError::Busy) if begun.elapsed() < busy => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

fn try_open_writer(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(error_of)?;
    conn.busy_timeout(busy).map_err(error_of)?;
    keep_plans(&conn)?;
    refuse_foreign_file(&conn)?;
    refuse_newer_schema(&conn)?;
    set_up(&conn)?;
    let (found, known) = (schema_of(&conn)?, known_schema());
    if found > 0 && found < known {
        let snapshot = copy::snapshot(&conn, path, found)?;
        tracing::info!(from = found, to = known, snapshot = %snapshot.display(), "the database is migrated");
    }
    // A migration that makes a table anew drops the old one, and what refers to it must not go along.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).map_err(error_of)?;
    migrate(&mut conn)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true).map_err(error_of)?;
    Ok(conn)
}

/// The version of the schema that this program writes.
pub(super) fn known_schema() -> i32 {
    migrations::runner().get_migrations().iter().map(|migration| migration.version()).max().unwrap_or(0)
}

/// The version of the schema that the file has; 0 for none.
pub(super) fn schema_of(conn: &Connection) -> Result<i32, StoreError> {
    if !has_history(conn)? {
        return Ok(0);
    }
    conn.query_row("SELECT coalesce(max(version), 0) FROM refinery_schema_history", (), |row| row.get(0))
        .map_err(error_of)
}

/// How far a file is behind this program, without changing it.
///
/// # Errors
/// `NewerSchema`, `Corrupt` for what is no database of Parley's, and what reading says.
pub fn pending_migrations(path: &Path) -> Result<Option<(i32, i32)>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let conn = open_reader(path, Duration::from_secs(5))?;
    refuse_foreign_file(&conn)?;
    refuse_newer_schema(&conn)?;
    let (found, known) = (schema_of(&conn)?, known_schema());
    Ok((found < known).then_some((found, known)))
}

/// Opens the database, which must exist, for reading only.
pub(super) fn open_reader(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(error_of)?;
    conn.busy_timeout(busy).map_err(error_of)?;
    keep_plans(&conn)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

/// A statement's plan does not depend on what is bound to it. Otherwise SQLite, built with STAT4 as the bundled one is,
/// compiles a cached statement anew at each use, which costs more than running it.
fn keep_plans(conn: &Connection) -> Result<(), StoreError> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop).map_err(error_of)
}

fn set_up(conn: &Connection) -> Result<(), StoreError> {
    let set = |name: &str, value: &dyn rusqlite::ToSql| {
        conn.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok(()),
            error => Err(error_of(error)),
        })
    };
    set("journal_mode", &"WAL")?;
    set("synchronous", &"FULL")?;
    set("journal_size_limit", &JOURNAL_LIMIT_BYTES)?;
    set("wal_autocheckpoint", &CHECKPOINT_PAGES)?;
    // What a savepoint may have to undo would otherwise go through a file once it is larger than a few pages.
    set("temp_store", &"MEMORY")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Whoever names another program's file must not find Parley's tables in it afterwards.
fn refuse_foreign_file(conn: &Connection) -> Result<(), StoreError> {
    // The history alone is what a kill before the first migration leaves behind.
    let foreign = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name <> 'refinery_schema_history'";
    let tables: i64 = conn.query_row(foreign, (), |row| row.get(0)).map_err(error_of)?;
    let id: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(error_of)?;
    if tables == 0 || id == APPLICATION_ID {
        return Ok(());
    }
    Err(StoreError::Corrupt("this is another program's database".into()))
}

fn refuse_newer_schema(conn: &Connection) -> Result<(), StoreError> {
    let (found, known) = (schema_of(conn)?, known_schema());
    if found > known { Err(StoreError::NewerSchema { found, known }) } else { Ok(()) }
}

fn has_history(conn: &Connection) -> Result<bool, StoreError> {
    conn.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'refinery_schema_history'", (), |row| {
        row.get::<_, i64>(0)
    })
    .map(|count| count > 0)
    .map_err(error_of)
}

fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    // Grouped: the tables and the note that they are there are one transaction, so that a kill leaves both or none.
    let mut run = || migrations::runner().set_grouped(true).run(conn).map(|_| ());
    // Programs that open a new file at once all see work to do. Each try of the later ones may meet another step of
    // the first one's: it makes the history, then the tables.
    run().or_else(|_| run()).or_else(|_| run()).map_err(|error| error_of_migration(&error))
}

/// A database as the program of that version made it.
#[cfg(test)]
pub(super) fn create_at(path: &Path, version: i32) {
    let mut conn = Connection::open(path).unwrap();
    migrations::runner().set_target(refinery::Target::Version(version)).run(&mut conn).unwrap();
}

fn error_of_migration(error: &refinery::Error) -> StoreError {
    let sqlite = std::error::Error::source(error).and_then(|source| source.downcast_ref::<rusqlite::Error>());
    match sqlite {
        Some(rusqlite::Error::SqliteFailure(failure, text)) => {
            error_of(rusqlite::Error::SqliteFailure(*failure, text.clone()))
        }
        _ => StoreError::Corrupt(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{StatementStatus, params};

    use super::*;

    #[test]
    fn a_cached_statement_is_compiled_once_whatever_is_bound_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parley.db");
        let writer = open_writer(&path, Duration::from_secs(1)).unwrap();
        let reader = open_reader(&path, Duration::from_secs(1)).unwrap();
        let sql = "SELECT * FROM messages WHERE conversation_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
        for conn in [writer, reader] {
            for limit in [0, 1, 50] {
                let mut statement = conn.prepare_cached(sql).unwrap();
                assert!(!statement.exists(params![vec![7_u8; 16], i64::MAX, limit]).unwrap());
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
            }
        }
    }
}
