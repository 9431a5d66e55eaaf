//! The two faces of a connection: [`Db`] reads, [`Tx`] also writes, numbers changes and collects what to publish.

use std::{
    cell::RefCell,
    ops::{ControlFlow, Deref},
    str::FromStr,
};

use parley_domain::{Money, Timestamp, UserId};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row, RowIndex, types::Type};
use uuid::Uuid;

use super::effort::{Effort, Meter};
use crate::{Committed, StoreError};

/// Reads inside one transaction: everything it sees is of one moment.
pub(super) struct Db<'c> {
    conn: &'c Connection,
    meter: Meter,
}

impl<'c> Db<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self { conn, meter: Meter::default() }
    }

    /// What it was used for so far.
    pub(super) fn effort(&self) -> Effort {
        self.meter.read()
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql).map_err(error_of)?;
        let row = statement.query_row(params, map).optional();
        self.meter.count(&statement);
        row.map_err(error_of)
    }

    /// Row after row, until `see` has seen enough.
    pub(super) fn walk(
        &self,
        sql: &str,
        params: impl Params,
        mut see: impl FnMut(&Row<'_>) -> rusqlite::Result<ControlFlow<()>>,
    ) -> Result<(), StoreError> {
        let mut statement = self.conn.prepare_cached(sql).map_err(error_of)?;
        let mut rows = statement.query(params).map_err(error_of)?;
        while let Some(row) = rows.next().map_err(error_of)? {
            if see(row).map_err(error_of)?.is_break() {
                break;
            }
        }
        drop(rows);
        self.meter.count(&statement);
        Ok(())
    }

    /// Every row.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql).map_err(error_of)?;
        let rows = statement.query_map(params, map).and_then(Iterator::collect);
        self.meter.count(&statement);
        rows.map_err(error_of)
    }
}

/// Which number the next change gets. Read from the database at the first change of a group of writes, written back
/// before its commit; numbers given to writes that were undone stay unused.
#[derive(Default)]
pub(super) struct ChangeCounter {
    last: Option<i64>,
}

impl ChangeCounter {
    /// Writes the counter back if a change was numbered.
    pub(super) fn save(self, conn: &Connection) -> Result<(), StoreError> {
        let Some(last) = self.last else { return Ok(()) };
        conn.prepare_cached("UPDATE counters SET value = ?1 WHERE name = 'last_change'")
            .and_then(|mut statement| statement.execute([last]))
            .map(drop)
            .map_err(error_of)
    }
}

/// One write among those of its group.
pub(super) struct Tx<'c> {
    db: Db<'c>,
    counter: &'c mut ChangeCounter,
    committed: &'c mut Vec<Committed>,
    last_error: RefCell<Option<StoreError>>,
}

impl<'c> Deref for Tx<'c> {
    type Target = Db<'c>;
    fn deref(&self) -> &Db<'c> {
        &self.db
    }
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c Connection, counter: &'c mut ChangeCounter, committed: &'c mut Vec<Committed>) -> Self {
        Self { db: Db::new(conn), counter, committed, last_error: RefCell::new(None) }
    }

    /// What the last failing statement said.
    pub(super) fn into_last_error(self) -> Option<StoreError> {
        self.last_error.into_inner()
    }

    /// Executes a statement; answers how many rows it changed.
    pub(super) fn run(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        let outcome = self.db.conn.prepare_cached(sql).and_then(|mut statement| {
            let changed = statement.execute(params);
            self.db.meter.count(&statement);
            changed
        });
        outcome.map_err(|error| {
            let error = error_of(error);
            *self.last_error.borrow_mut() = Some(error.clone());
            error
        })
    }

    /// Executes a statement that must change exactly one row, whose state was checked before in this transaction.
    pub(super) fn run_one(&self, sql: &str, params: impl Params) -> Result<(), StoreError> {
        match self.run(sql, params)? {
            1 => Ok(()),
            changed => Err(StoreError::Internal(format!("{changed} rows changed instead of one"))),
        }
    }

    /// To be published after the commit, in this order.
    pub(super) fn publish(&mut self, committed: Committed) {
        self.committed.push(committed);
    }

    /// Writes a change into the log of everybody whom it concerns; answers its last number.
    pub(super) fn log(&mut self, change: ChangeRow, to: &[UserId], now: Timestamp) -> Result<i64, StoreError> {
        let mut last = 0;
        for user in to {
            let number = self.number(now)?;
            self.run(
                "INSERT INTO changes (user_id, number, kind, subject, actor) VALUES (?1, ?2, ?3, ?4, ?5)",
                (user.0, number, change.kind, change.subject, change.actor.map(|actor| actor.0)),
            )?;
            last = number;
        }
        Ok(last)
    }

    /// The number of one more change.
    pub(super) fn number(&mut self, now: Timestamp) -> Result<i64, StoreError> {
        let last = match self.counter.last {
            Some(last) => last,
            None => self.last_change(now)?,
        };
        self.counter.last = Some(last + 1);
        Ok(last + 1)
    }

    /// The last number of all before this group. Notes the first change of a new day on the way.
    fn last_change(&self, now: Timestamp) -> Result<i64, StoreError> {
        let last = self
            .one("SELECT value FROM counters WHERE name = 'last_change'", (), |row| row.get(0))?
            .ok_or_else(|| StoreError::Corrupt("the change counter is missing".into()))?;
        self.run("INSERT OR IGNORE INTO change_days (day, first_number) VALUES (?1, ?2)", (day_of(now), last + 1))?;
        Ok(last)
    }
}

/// A line of the change log.
#[derive(Clone, Copy)]
pub(super) struct ChangeRow {
    pub(super) kind: &'static str,
    pub(super) subject: Uuid,
    pub(super) actor: Option<UserId>,
}

impl ChangeRow {
    pub(super) fn of(kind: &'static str, subject: Uuid) -> Self {
        Self { kind, subject, actor: None }
    }
}

/// Days since 1970.
pub(super) fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(24 * 60 * 60 * 1_000)
}

/// A new id: version 7, so that indexes grow at their end. Nothing is ever ordered by it.
pub(super) fn new_id<T: From<Uuid>>(now: Timestamp) -> T {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let nanos = u32::try_from(millis % 1_000 * 1_000_000).unwrap_or(0);
    T::from(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1_000, nanos)))
}

/// Ids as a JSON array of hex, for `IN (SELECT unhex(value) FROM json_each(?))`: one statement for many rows.
pub(super) fn json_ids(ids: impl Iterator<Item = Uuid>) -> String {
    let ids: Vec<_> = ids.map(|id| id.simple().to_string()).collect();
    serde_json::Value::from(ids).to_string()
}

/// Reading the domain's types out of a row, by a column's name or, where it is read often, by its number.
pub(super) trait RowExt {
    fn id<T: From<Uuid>>(&self, column: impl RowIndex) -> rusqlite::Result<T>;
    fn opt_id<T: From<Uuid>>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>>;
    fn word<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        &self,
        column: impl RowIndex,
    ) -> rusqlite::Result<T>;
    fn at(&self, column: impl RowIndex) -> rusqlite::Result<Timestamp>;
    fn opt_at(&self, column: impl RowIndex) -> rusqlite::Result<Option<Timestamp>>;
    fn money(&self, amount: &str, currency: &str) -> rusqlite::Result<Money>;
}

impl RowExt for Row<'_> {
    fn id<T: From<Uuid>>(&self, column: impl RowIndex) -> rusqlite::Result<T> {
        self.get::<_, Uuid>(column).map(T::from)
    }

    fn opt_id<T: From<Uuid>>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>> {
        Ok(self.get::<_, Option<Uuid>>(column)?.map(T::from))
    }

    fn word<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        &self,
        column: impl RowIndex,
    ) -> rusqlite::Result<T> {
        let index = column.idx(self.as_ref())?;
        let word = self.get_ref(index)?.as_str()?;
        word.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
    }

    fn at(&self, column: impl RowIndex) -> rusqlite::Result<Timestamp> {
        self.get(column).map(Timestamp::from_millis)
    }

    fn opt_at(&self, column: impl RowIndex) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
    }

    fn money(&self, amount: &str, currency: &str) -> rusqlite::Result<Money> {
        Ok(Money { amount_minor: self.get(amount)?, currency: self.word(currency)? })
    }
}

/// Executes a statement that stays prepared.
pub(super) fn execute(conn: &Connection, sql: &str) -> Result<(), StoreError> {
    conn.prepare_cached(sql).and_then(|mut statement| statement.execute(())).map(drop).map_err(error_of)
}

/// What SQLite said, in the words of the store.
pub(super) fn error_of(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match &error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
            ErrorCode::DiskFull => StoreError::Full,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly,
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => StoreError::Io(text),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(text),
            _ => StoreError::Internal(text),
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => StoreError::Corrupt(text),
        _ => StoreError::Internal(text),
    }
}
