//! Opening the file: the right one, a new one, or what could be saved of a broken one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use parley_domain::UserId;
use rusqlite::{Connection, OptionalExtension};

use super::{CacheResult, Db, OutboxEntry, outbox};

/// Raised when the tables change; another number means building anew, the server has everything but the outbox.
const SCHEMA: i64 = 1;

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE projects (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE requests (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE proposals (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, request_id TEXT NOT NULL,
  status TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE meetings (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE INDEX meetings_of_project ON meetings (project_id, position);
CREATE TABLE conversations (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, activity INTEGER NOT NULL,
  body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX conversation_of_project ON conversations (project_id);
CREATE TABLE messages (conversation_id TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
  sender_id TEXT NOT NULL, deleted INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (conversation_id, seq)) WITHOUT ROWID;
CREATE TABLE reads (conversation_id TEXT NOT NULL, user_id TEXT NOT NULL, seq INTEGER NOT NULL, read_at INTEGER NOT NULL,
  PRIMARY KEY (conversation_id, user_id, seq)) WITHOUT ROWID;
CREATE TABLE reads_to_send (conversation_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, message_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE reminders_shown (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE outbox (position INTEGER PRIMARY KEY AUTOINCREMENT, conversation_id TEXT NOT NULL,
  client_id TEXT NOT NULL UNIQUE, content TEXT NOT NULL, created_at INTEGER NOT NULL, error TEXT);
";

/// Whose copy it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The server's address.
    pub server: String,
    /// The person.
    pub user_id: UserId,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The copy of last time.
    Reused,
    /// There was none.
    New,
    /// It was another account's: deleted.
    OtherAccount,
    /// It could not be used; it was moved aside and is being built anew.
    Rebuilt {
        /// What was wrong.
        reason: String,
        /// Where the old one lies.
        aside: PathBuf,
        /// What waited in the outbox could not be read and is lost, if anything did.
        outbox_lost: bool,
    },
}

pub(super) fn open(dir: &Path, account: &Account) -> CacheResult<(Db, Opened)> {
    fs::create_dir_all(dir)?;
    let path = dir.join("cache.sqlite");
    let existed = path.exists();
    let (opened, saved) = if !existed {
        (Opened::New, Vec::new())
    } else {
        match look(&path, account) {
            Found::Ours => (Opened::Reused, Vec::new()),
            Found::OtherAccount => {
                delete(&path)?;
                (Opened::OtherAccount, Vec::new())
            }
            Found::Unusable(reason) => {
                let saved = save_outbox(&path, account);
                let aside = move_aside(&path)?;
                tracing::warn!(reason, outbox_read = saved.is_some(), "the local copy is built anew");
                let outbox_lost = saved.is_none();
                (Opened::Rebuilt { reason, aside, outbox_lost }, saved.unwrap_or_default())
            }
        }
    };
    let mut connection = connect(&path)?;
    if opened != Opened::Reused {
        let transaction = connection.transaction()?;
        transaction.execute_batch(TABLES)?;
        for (name, value) in [("server", account.server.clone()), ("user", account.user_id.to_string())] {
            transaction.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", (name, value))?;
        }
        for entry in &saved {
            outbox::insert(&transaction, entry)?;
        }
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        transaction.commit()?;
    }
    Ok((Db::new(connection, account.user_id), opened))
}

fn connect(path: &Path) -> CacheResult<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What the person wrote must survive a power cut; everything else comes again from the server.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

enum Found {
    Ours,
    OtherAccount,
    Unusable(String),
}

fn look(path: &Path, account: &Account) -> Found {
    let looked = || -> CacheResult<Found> {
        let connection = Connection::open(path)?;
        let schema: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if schema != SCHEMA {
            return Ok(Found::Unusable(format!("its tables are of version {schema}, this app's of version {SCHEMA}")));
        }
        let verdict: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if verdict != "ok" {
            return Ok(Found::Unusable("it is damaged".to_owned()));
        }
        Ok(if is_of(&connection, account)? { Found::Ours } else { Found::OtherAccount })
    };
    looked().unwrap_or_else(|error| Found::Unusable(format!("it can't be read ({error})")))
}

fn is_of(connection: &Connection, account: &Account) -> CacheResult<bool> {
    let meta = |name: &str| {
        connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get::<_, String>(0)).optional()
    };
    Ok(meta("server")?.as_deref() == Some(&account.server)
        && meta("user")?.as_deref() == Some(&account.user_id.to_string()))
}

/// The outbox of a file that is otherwise of no use; `None` when even that can't be read.
fn save_outbox(path: &Path, account: &Account) -> Option<Vec<OutboxEntry>> {
    let read = || -> CacheResult<Vec<OutboxEntry>> {
        let connection = Connection::open(path)?;
        if is_of(&connection, account)? { outbox::all(&connection) } else { Ok(Vec::new()) }
    };
    read().ok()
}

fn siblings(path: &Path) -> impl Iterator<Item = (PathBuf, &'static str)> {
    let base = path.as_os_str().to_owned();
    ["", "-wal", "-shm"].into_iter().map(move |suffix| {
        let mut name = base.clone();
        name.push(suffix);
        (PathBuf::from(name), suffix)
    })
}

fn move_aside(path: &Path) -> CacheResult<PathBuf> {
    let aside = (1..)
        .map(|number| path.with_file_name(format!("cache.unusable-{number}.sqlite")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.with_extension("unusable"));
    for (file, suffix) in siblings(path) {
        if file.exists() {
            let mut target = aside.as_os_str().to_owned();
            target.push(suffix);
            fs::rename(file, target)?;
        }
    }
    Ok(aside)
}

/// Deletes the file with its journals; nothing there is fine.
pub(crate) fn delete(path: &Path) -> CacheResult<()> {
    for (file, _) in siblings(path) {
        match fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn account() -> Account {
        Account { server: "https://a.example".to_owned(), user_id: UserId(Uuid::from_u128(1)) }
    }

    fn entry(text: &str) -> OutboxEntry {
        OutboxEntry::new(Uuid::from_u128(9).into(), text.to_owned(), parley_domain::Timestamp::from_millis(5))
    }

    #[test]
    fn garbage_in_place_of_the_file_is_moved_aside_and_the_loss_is_said() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cache.sqlite"), vec![7_u8; 9000]).unwrap();
        let (db, opened) = open(dir.path(), &account()).unwrap();
        let Opened::Rebuilt { aside, outbox_lost, .. } = opened else { panic!("{opened:?}") };
        assert!(outbox_lost && aside.exists());
        assert_eq!(outbox::all(db.connection()).unwrap(), []);
        drop(db);
        assert_eq!(open(dir.path(), &account()).unwrap().1, Opened::Reused);
    }

    #[test]
    fn tables_of_a_newer_app_are_built_anew_and_the_outbox_is_carried_over() {
        let dir = tempfile::tempdir().unwrap();
        let (mut db, _) = open(dir.path(), &account()).unwrap();
        let written = db.write_to_outbox(entry("kept")).unwrap();
        db.connection().pragma_update(None, "user_version", SCHEMA + 1).unwrap();
        drop(db);
        let (db, opened) = open(dir.path(), &account()).unwrap();
        assert!(matches!(opened, Opened::Rebuilt { outbox_lost: false, .. }), "{opened:?}");
        assert_eq!(outbox::all(db.connection()).unwrap(), [written]);
    }

    #[test]
    fn another_accounts_copy_is_deleted_with_its_outbox() {
        let dir = tempfile::tempdir().unwrap();
        let (mut db, _) = open(dir.path(), &account()).unwrap();
        db.write_to_outbox(entry("theirs")).unwrap();
        drop(db);
        let other = Account { user_id: UserId(Uuid::from_u128(2)), ..account() };
        let (db, opened) = open(dir.path(), &other).unwrap();
        assert_eq!(opened, Opened::OtherAccount);
        assert_eq!(outbox::all(db.connection()).unwrap(), []);
    }
}
