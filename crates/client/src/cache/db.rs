//! The database itself; what the jobs of [`Cache`](super::Cache) see.

use parley_domain::{Reminder, UserId};
use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::de::DeserializeOwned;

use super::CacheResult;

/// The database of one account. Every method that writes is one transaction.
pub struct Db {
    connection: Connection,
    me: UserId,
}

impl Db {
    pub(super) fn new(connection: Connection, me: UserId) -> Self {
        Self { connection, me }
    }

    /// Whose copy it is.
    pub fn me(&self) -> UserId {
        self.me
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn write<T>(&mut self, job: impl FnOnce(&Transaction<'_>, UserId) -> CacheResult<T>) -> CacheResult<T> {
        let transaction = self.connection.transaction()?;
        let answer = job(&transaction, self.me)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// Where `/sync` goes on; `None` before the first load.
    ///
    /// # Errors
    /// When the database fails, as of every method here.
    pub fn cursor(&self) -> CacheResult<Option<String>> {
        Ok(self
            .connection
            .prepare_cached("SELECT value FROM meta WHERE name = 'cursor'")?
            .query_row([], |row| row.get(0))
            .optional()?)
    }

    /// Deletes every row, as after signing out.
    pub fn wipe(&mut self) -> CacheResult<()> {
        self.connection.execute_batch(
            "BEGIN; DELETE FROM projects; DELETE FROM requests; DELETE FROM proposals; DELETE FROM meetings;
             DELETE FROM conversations; DELETE FROM messages; DELETE FROM reads; DELETE FROM reads_to_send;
             DELETE FROM reminders_shown; DELETE FROM outbox; DELETE FROM meta WHERE name = 'cursor'; COMMIT; VACUUM;",
        )?;
        Ok(())
    }

    /// Notes that a reminder was shown; false when it was before.
    pub fn note_reminder(&mut self, reminder: &Reminder) -> CacheResult<bool> {
        let rows = self
            .connection
            .execute("INSERT OR IGNORE INTO reminders_shown (id) VALUES (?1)", [reminder.reminder_id.to_string()])?;
        Ok(rows == 1)
    }
}

pub(super) fn set_cursor(transaction: &Transaction<'_>, cursor: &str) -> CacheResult<()> {
    transaction.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('cursor', ?1)", [cursor])?;
    Ok(())
}

/// The `body` of the first row, read.
pub(super) fn body<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> CacheResult<Option<T>> {
    let text: Option<String> = connection.prepare_cached(sql)?.query_row(parameters, |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// The `body` of every row, read.
pub(super) fn bodies<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> CacheResult<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(found)
}
