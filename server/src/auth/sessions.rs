//! The sessions that were asked for a moment ago, so that a person's next call does not wait for the database.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use parley_domain::SessionId;
use parley_store::{Session, StoreError};
use tokio::time::Instant;

use crate::state::App;

/// What this process changes is forgotten at once; this bounds how long a change of another one, such as
/// `admin reset-password` beside the server, takes to be seen.
const FRESH: Duration = Duration::from_secs(2);
/// Stale ones are thrown away when there are so many.
const SWEEP_AT: usize = 10_000;

#[derive(Default)]
pub(crate) struct Sessions(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    by_id: HashMap<SessionId, (Session, Instant)>,
    /// Goes up whenever something is forgotten, so that what was read before is not kept after.
    generation: u64,
}

impl Sessions {
    /// The session, unless it has ended.
    pub(crate) async fn get(&self, app: &App, id: SessionId) -> Result<Option<Session>, StoreError> {
        let generation = {
            let cached = self.lock();
            if let Some((session, read_at)) = cached.by_id.get(&id)
                && read_at.elapsed() < FRESH
            {
                return Ok(Some(session.clone()));
            }
            cached.generation
        };
        let read_at = Instant::now();
        let session = app.store.session(id).await?;
        if let Some(session) = &session {
            let mut cached = self.lock();
            if cached.generation == generation {
                if cached.by_id.len() >= SWEEP_AT {
                    cached.by_id.retain(|_, (_, read_at)| read_at.elapsed() < FRESH);
                }
                cached.by_id.insert(id, (session.clone(), read_at));
            }
        }
        Ok(session)
    }

    /// To be called after every change of a session or an account, before it is answered.
    pub(crate) fn forget(&self) {
        let mut cached = self.lock();
        cached.generation += 1;
        cached.by_id.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.0.lock().expect("no thread panics while it holds the sessions")
    }
}
