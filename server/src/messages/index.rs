//! Keeps the search index near the newest message, in the pauses of other work. A search finds what is not in it too,
//! so nothing is lost when this lags; it is only slower then.

use std::time::Duration;

use parley_store::{CommitFeed, Committed, StoreError};
use tokio::{sync::broadcast::error::RecvError, time::Instant};

use crate::state::AppState;

/// Many messages together cost less than each by itself.
const PAUSE: Duration = Duration::from_secs(2);
/// What waits for the disk behind one batch waits about a millisecond.
const BATCH: u32 = 8;
/// After each batch it rests so many times as long as the batch took, if others wrote meanwhile: nine parts in ten are
/// for them.
const REST: u32 = 9;
/// The same when nobody else writes: half of a core is for those who read.
const SHORT_REST: u32 = 1;
/// A disk that is full or busy is asked again later.
const RETRY: Duration = Duration::from_secs(30);

/// Works until it is dropped.
pub(crate) async fn run(app: AppState, mut feed: CommitFeed) {
    loop {
        match index(&app).await {
            Ok(()) => {}
            Err(StoreError::Closed) => std::future::pending().await,
            Err(error) => {
                tracing::warn!(%error, "the search index could not be brought up to date");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        }
        while !is_news(feed.recv().await) {}
        tokio::time::sleep(PAUSE).await;
        feed = feed.resubscribe();
    }
}

/// Whether there may be a message to index. A closed feed brings none: the store is gone, and so is this soon.
fn is_news(received: Result<std::sync::Arc<Committed>, RecvError>) -> bool {
    match received {
        Ok(committed) => matches!(*committed, Committed::Message { .. }),
        Err(RecvError::Lagged(_) | RecvError::Closed) => true,
    }
}

async fn index(app: &AppState) -> Result<(), StoreError> {
    let mut written = app.store.activity().writes;
    loop {
        let began = Instant::now();
        if app.store.index_messages(BATCH).await? == 0 {
            return Ok(());
        }
        let before = std::mem::replace(&mut written, app.store.activity().writes);
        let rest = if written - before > 1 { REST } else { SHORT_REST };
        tokio::time::sleep(began.elapsed() * rest).await;
    }
}
