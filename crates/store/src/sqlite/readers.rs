//! A few connections that only read, each used by one blocking task at a time.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{
    db::{Db, execute},
    effort::Total,
    open::open_reader,
};
use crate::StoreError;

pub(super) struct Readers {
    path: PathBuf,
    busy: Duration,
    size: usize,
    /// One permit a connection; closed with the store.
    permits: Arc<Semaphore>,
    /// Those that nobody uses.
    idle: Arc<Mutex<Vec<Connection>>>,
    /// What all reads have cost.
    total: Arc<Total>,
}

impl Readers {
    /// Counts what reads cost in `total`.
    pub(super) fn new(path: PathBuf, size: usize, busy: Duration, total: Arc<Total>) -> Self {
        Self { path, busy, size, permits: Arc::new(Semaphore::new(size)), idle: Arc::default(), total }
    }

    /// Runs `work` on a blocking thread, on one state of the database.
    pub(super) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Db<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (idle, total, path, busy) = (Arc::clone(&self.idle), Arc::clone(&self.total), self.path.clone(), self.busy);
        let task = tokio::task::spawn_blocking(move || {
            // Given back last, after the connection.
            let _permit = permit;
            let free = lock(&idle).pop();
            let conn = match free {
                Some(conn) => conn,
                None => open_reader(&path, busy)?,
            };
            let mut borrowed = Borrowed { conn: Some(conn), idle };
            borrowed.read(work, &total)
        });
        task.await.map_err(|_| StoreError::Internal("a read ended by a panic".into()))?
    }

    /// Runs `work` where it is called, for what an index bounds to a few pages of the file: going to another thread and
    /// back takes longer than the work. Goes there all the same when no connection is free.
    pub(super) async fn read_here<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Db<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if let Ok(_permit) = self.permits.try_acquire() {
            let free = lock(&self.idle).pop();
            if let Some(conn) = free {
                return Borrowed { conn: Some(conn), idle: Arc::clone(&self.idle) }.read(work, &self.total);
            }
        }
        self.read(work).await
    }

    /// Refuses new reads, waits for the running ones, closes the connections.
    pub(super) async fn close(&self) {
        let all = u32::try_from(self.size).unwrap_or(u32::MAX);
        // An error says that it was closed before.
        let Ok(_all) = self.permits.acquire_many(all).await else { return };
        self.permits.close();
        lock(&self.idle).clear();
    }
}

/// A connection that goes back to the others, also after a panic.
struct Borrowed {
    conn: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Borrowed {
    fn read<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Db<'_>) -> Result<T, E>,
        total: &Total,
    ) -> Result<T, E> {
        let Some(conn) = &mut self.conn else { return Err(StoreError::Closed.into()) };
        let snapshot = Snapshot::begin(conn)?;
        let db = Db::new(snapshot.0);
        let outcome = work(&db);
        total.add(db.effort());
        outcome
    }
}

/// Everything that is read while it lives is of one moment.
struct Snapshot<'c>(&'c Connection);

impl<'c> Snapshot<'c> {
    fn begin(conn: &'c Connection) -> Result<Self, StoreError> {
        execute(conn, "BEGIN")?;
        Ok(Self(conn))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if let Err(error) = execute(self.0, "ROLLBACK") {
            tracing::error!(%error, "a read could not be ended");
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        lock(&self.idle).extend(self.conn.take());
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
