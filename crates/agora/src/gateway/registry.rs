//! From a handle that a callback brings to what belongs to it.
//!
//! The library's callbacks carry no pointer of ours, only the handle that they were registered on (FACTS A5). So there is
//! one table for the process. A callback copies its entry out, counted, and holds no lock while it works; whoever
//! closes a connection takes the entry out and waits until everyone inside has left. The address of what was destroyed
//! may be the next handle, so an entry is found by handle and turn (see [`Tables`](super::observers::Tables)).

use std::{
    collections::BTreeMap,
    ffi::c_void,
    ops::Deref,
    sync::{
        Arc, Condvar, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{context::Context, error::Handle};

/// Turn and handle.
type Key = (usize, usize);

static ENTRIES: RwLock<BTreeMap<Key, Arc<Entry>>> = RwLock::new(BTreeMap::new());
static LATE: AtomicU64 = AtomicU64::new(0);

struct Entry {
    context: Arc<Context>,
    inside: Mutex<u32>,
    left: Condvar,
}

/// How many callbacks came with a handle that nobody waits for any more, in the life of the process. A few after a
/// connection's end are normal (FACTS A8).
pub fn late_callbacks() -> u64 {
    LATE.load(Ordering::Relaxed)
}

/// A handle's place in the table. Taken out by [`Self::remove`].
pub(crate) struct Registration {
    key: Key,
    entry: Arc<Entry>,
}

/// Callbacks are still at work with the context.
#[derive(Debug)]
pub(crate) struct StillInside;

impl Registration {
    /// From now on callbacks of that turn with this handle find `context`.
    pub(crate) fn new(turn: usize, handle: Handle, context: Arc<Context>) -> Self {
        let key = (turn, handle.raw().addr());
        let entry = Arc::new(Entry { context, inside: Mutex::new(0), left: Condvar::new() });
        let before = ENTRIES.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&entry));
        if before.is_some() {
            tracing::error!("Agora's library gave the same handle twice");
        }
        Self { key, entry }
    }

    /// Lets no further callback in, and waits until those inside have left.
    pub(crate) fn remove(&self, patience: Duration) -> Result<(), StillInside> {
        {
            let mut entries = ENTRIES.write().unwrap_or_else(PoisonError::into_inner);
            if entries.get(&self.key).is_some_and(|entry| Arc::ptr_eq(entry, &self.entry)) {
                entries.remove(&self.key);
            }
        }
        let deadline = Instant::now() + patience;
        let mut inside = self.entry.inside.lock().unwrap_or_else(PoisonError::into_inner);
        while *inside > 0 {
            let left = deadline.checked_duration_since(Instant::now()).ok_or(StillInside)?;
            inside = self.entry.left.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

/// A callback at work with a context.
pub(crate) struct Inside(Arc<Entry>);

/// The context that the handle has for that turn, if somebody still waits for its callbacks.
pub(crate) fn enter(turn: usize, handle: *mut c_void) -> Option<Inside> {
    let entries = ENTRIES.read().unwrap_or_else(PoisonError::into_inner);
    let Some(entry) = entries.get(&(turn, handle.addr())) else {
        LATE.fetch_add(1, Ordering::Relaxed);
        return None;
    };
    // While the table can't change: who takes the entry out afterwards sees us.
    *entry.inside.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    Some(Inside(Arc::clone(entry)))
}

impl Deref for Inside {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.0.context
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut inside = self.0.inside.lock().unwrap_or_else(PoisonError::into_inner);
        *inside -= 1;
        if *inside == 0 {
            self.0.left.notify_all();
        }
    }
}
