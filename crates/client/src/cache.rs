//! The local copy: what the person sees without a network, where `/sync` goes on, and what waits to be sent.
//!
//! SQLite on a thread of its own; a job is a closure over [`Db`]. The file belongs to one account on one server. What
//! can't be read is moved aside and built anew from the server; what waited in the outbox is carried over where it can
//! still be read.

mod db;
mod meetings;
pub mod messages;
mod open;
mod outbox;
pub mod projects;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, thread};

use tokio::sync::{mpsc, oneshot};

use crate::ClientError;
pub use db::Db;
pub use open::{Account, Opened};
pub use outbox::{OutboxEntry, OutboxState, ReadToSend};
pub use projects::ProjectRow;

/// Jobs that may wait; each waits for its answer, so this bounds callers, not memory.
const JOBS: usize = 64;

/// The database of a client failed.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// SQLite said no.
    #[error("{0}")]
    Sql(#[from] rusqlite::Error),
    /// A row holds something else than it should.
    #[error("{0}")]
    Row(#[from] serde_json::Error),
    /// The file could not be handled.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<CacheError> for ClientError {
    fn from(error: CacheError) -> Self {
        Self::Storage(error.to_string())
    }
}

/// A job's answer.
pub type CacheResult<T> = Result<T, CacheError>;

type Job = Box<dyn FnOnce(&mut Db) + Send>;

/// A handle on the database's thread; the thread ends with the last handle.
#[derive(Clone)]
pub struct Cache(mpsc::Sender<Job>);

impl Cache {
    /// Opens the file `cache.sqlite` in `dir` for that account, building it anew where it must be.
    ///
    /// # Errors
    /// [`ClientError::Storage`] when not even a new file can be made.
    pub async fn open(dir: PathBuf, account: Account) -> Result<(Self, Opened), ClientError> {
        let (jobs, mut to_do) = mpsc::channel::<Job>(JOBS);
        let (ready, opened) = oneshot::channel();
        thread::Builder::new()
            .name("parley-cache".to_owned())
            .spawn(move || match open::open(&dir, &account) {
                Ok((mut db, outcome)) => {
                    if ready.send(Ok(outcome)).is_ok() {
                        while let Some(job) = to_do.blocking_recv() {
                            job(&mut db);
                        }
                    }
                }
                Err(error) => drop(ready.send(Err(ClientError::from(error)))),
            })
            .map_err(|error| ClientError::Storage(error.to_string()))?;
        let outcome = opened.await.map_err(|_| ClientError::Closed)??;
        Ok((Self(jobs), outcome))
    }

    /// Runs a job on the database's thread. Jobs run one after the other, in the order of their calls.
    ///
    /// # Errors
    /// [`ClientError::Storage`]; [`ClientError::Closed`] when the thread is gone.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Db) -> CacheResult<T> + Send + 'static,
    ) -> Result<T, ClientError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db| drop(answer.send(job(db))));
        self.0.send(job).await.map_err(|_| ClientError::Closed)?;
        Ok(answered.await.map_err(|_| ClientError::Closed)??)
    }
}
