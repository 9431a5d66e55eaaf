//! The one thread that writes. Writes that wait together are committed together: one transaction, a savepoint for
//! each, one fsync. Nobody is answered before the commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Instant,
};

use rusqlite::Connection;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::{
    AtClose,
    db::{ChangeCounter, Tx, error_of, execute},
    effort::{Effort, Total},
};
use crate::{Activity, Committed, StoreError};

/// How many writes may wait; more callers wait for their turn to queue.
const QUEUE: usize = 1_024;
/// At most so many in one transaction, so that the first of a burst isn't kept waiting for the last.
const GROUP: usize = 256;

pub(super) struct Writer {
    queue: mpsc::Sender<Command>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    commits: AtomicU64,
    writes: AtomicU64,
    waited_micros: AtomicU64,
    total: Arc<Total>,
}

impl Counts {
    /// Counts a write whose turn it is.
    fn begun(&self, queued: Instant) {
        let waited = u64::try_from(queued.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.waited_micros.fetch_add(waited, Ordering::Relaxed);
    }
}

enum Command {
    Write { write: Box<dyn Write>, queued: Instant },
    Close,
}

impl Writer {
    /// Starts the thread, which owns the connection from here on and counts in `total` what writes cost.
    pub(super) fn start(
        conn: Connection,
        feed: broadcast::Sender<Arc<Committed>>,
        at_close: AtClose,
        total: Arc<Total>,
    ) -> Result<Self, StoreError> {
        let (queue, commands) = mpsc::channel(QUEUE);
        let counts = Arc::new(Counts { total, ..Counts::default() });
        let writer = WriterThread { conn, feed, commands, counts: Arc::clone(&counts), at_close };
        let thread = std::thread::Builder::new()
            .name("parley-store-writer".into())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Io(error.to_string()))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)), counts })
    }

    /// What was done so far, by readers too.
    pub(super) fn activity(&self) -> Activity {
        let Effort { statements, steps } = self.counts.total.read();
        Activity {
            commits: self.counts.commits.load(Ordering::Relaxed),
            writes: self.counts.writes.load(Ordering::Relaxed),
            waited_micros: self.counts.waited_micros.load(Ordering::Relaxed),
            statements,
            steps,
        }
    }

    /// Runs `work` in the next group. An error undoes just this one. Once it is queued it happens, even if nobody
    /// waits for its answer any more.
    pub(super) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call = Call { work: Some(work), outcome: None, reply };
        self.queue
            .send(Command::Write { write: Box::new(call), queued: Instant::now() })
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Lets what is queued be committed, then ends the thread and waits for it. Blocks.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        // A queue that is full is being emptied; one that is closed has no thread behind it.
        let _ = self.queue.blocking_send(Command::Close);
        let thread = self.thread.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        match thread.map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(StoreError::Internal("the writer ended by a panic".into())),
        }
    }
}

/// A write on its way through the thread.
trait Write: Send {
    /// Does the work; answers whether it is to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Tells the caller; `failed` when the group was not committed.
    fn answer(self: Box<Self>, failed: Option<&StoreError>);
}

struct Call<F, T, E> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Write for Call<F, T, E>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(tx)))
            .unwrap_or_else(|_| Err(StoreError::Internal("a write ended by a panic".into()).into()));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, failed: Option<&StoreError>) {
        let outcome = match (failed, self.outcome) {
            (Some(error), _) => Err(error.clone().into()),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(StoreError::Internal("a write was not run".into()).into()),
        };
        // Whoever stopped waiting hears of it from the feed.
        let _ = self.reply.send(outcome);
    }
}

struct WriterThread {
    conn: Connection,
    feed: broadcast::Sender<Arc<Committed>>,
    commands: mpsc::Receiver<Command>,
    counts: Arc<Counts>,
    at_close: AtClose,
}

impl WriterThread {
    fn run(mut self) -> Result<(), StoreError> {
        while let Some(Command::Write { write, queued }) = self.commands.blocking_recv() {
            if !self.commit_group(write, queued) {
                break;
            }
        }
        // Senders that come too late learn that the store is closed; what got in before is still done.
        self.commands.close();
        while let Some(command) = self.commands.blocking_recv() {
            if let Command::Write { write, queued } = command {
                self.commit_group(write, queued);
            }
        }
        // A WAL left behind would be read again at the next start; a reader of another process may keep it.
        let checkpoint = match self.at_close {
            AtClose::Checkpoint => self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())),
            AtClose::LeaveLog => Ok(()),
        };
        self.conn.close().map_err(|(_, error)| error_of(error))?;
        checkpoint.map_err(error_of)
    }

    /// Commits everything that waits, beginning with `first`. Answers whether to go on.
    fn commit_group(&mut self, first: Box<dyn Write>, queued: Instant) -> bool {
        self.counts.begun(queued);
        if let Err(error) = execute(&self.conn, "BEGIN IMMEDIATE") {
            first.answer(Some(&error));
            return true;
        }
        let mut group = Group::default();
        let mut go_on = true;
        group.run(&self.conn, first);
        while group.failure.is_none() && group.writes.len() < GROUP {
            match self.commands.try_recv() {
                Ok(Command::Write { write, queued }) => {
                    self.counts.begun(queued);
                    group.run(&self.conn, write);
                }
                Ok(Command::Close) => {
                    go_on = false;
                    break;
                }
                Err(_) => break,
            }
        }
        self.counts.total.add(group.effort);
        if group.finish(&self.conn, &self.feed) {
            self.counts.commits.fetch_add(1, Ordering::Relaxed);
        }
        go_on
    }
}

/// The writes of one transaction.
#[derive(Default)]
struct Group {
    writes: Vec<Box<dyn Write>>,
    counter: ChangeCounter,
    committed: Vec<Committed>,
    effort: Effort,
    /// Why none of them is kept.
    failure: Option<StoreError>,
}

impl Group {
    fn run(&mut self, conn: &Connection, mut write: Box<dyn Write>) {
        let published = self.committed.len();
        let outcome = execute(conn, "SAVEPOINT one").and_then(|()| {
            let mut tx = Tx::new(conn, &mut self.counter, &mut self.committed);
            let keep = write.run(&mut tx);
            self.effort += tx.effort();
            let last_error = tx.into_last_error();
            // Some failures (a full disk above all) make SQLite undo the whole transaction by itself.
            if conn.is_autocommit() {
                return Err(last_error.unwrap_or_else(|| StoreError::Io("the transaction was undone".into())));
            }
            if !keep {
                self.committed.truncate(published);
                execute(conn, "ROLLBACK TO one")?;
            }
            execute(conn, "RELEASE one")
        });
        self.failure = outcome.err();
        self.writes.push(write);
    }

    /// Commits, publishes, answers. Answers itself whether it was committed.
    fn finish(mut self, conn: &Connection, feed: &broadcast::Sender<Arc<Committed>>) -> bool {
        let counter = std::mem::take(&mut self.counter);
        let failure = match self.failure.take() {
            Some(error) => Some(error),
            None => counter.save(conn).and_then(|()| execute(conn, "COMMIT")).err(),
        };
        if failure.is_some() {
            if !conn.is_autocommit()
                && let Err(error) = execute(conn, "ROLLBACK")
            {
                tracing::error!(%error, "a failed transaction could not be undone");
            }
        } else {
            for committed in self.committed {
                // Nobody listens: nobody is to be told.
                let _ = feed.send(Arc::new(committed));
            }
        }
        for write in self.writes {
            write.answer(failure.as_ref());
        }
        failure.is_none()
    }
}
