//! A place for the newest of something: the writer never waits, the reader never sees the old.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// Holds at most one value. [`put`](Self::put) replaces what was not taken and counts it as dropped.
pub struct LatestSlot<T> {
    value: Mutex<Option<T>>,
    arrived: Condvar,
    arrived_async: Notify,
    put: AtomicU64,
    dropped: AtomicU64,
}

impl<T> Default for LatestSlot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> LatestSlot<T> {
    /// An empty slot.
    pub fn new() -> Self {
        Self {
            value: Mutex::new(None),
            arrived: Condvar::new(),
            arrived_async: Notify::new(),
            put: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Puts the newest value in, without waiting for a reader.
    pub fn put(&self, value: T) {
        let replaced = self.lock().replace(value);
        self.put.fetch_add(1, Ordering::Relaxed);
        if replaced.is_some() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.arrived.notify_one();
        self.arrived_async.notify_one();
    }

    /// Takes the value, if one is there.
    pub fn try_take(&self) -> Option<T> {
        self.lock().take()
    }

    /// Waits up to `timeout` for a value, blocking this thread. For engine and capture threads.
    pub fn take_blocking(&self, timeout: Duration) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let mut value = self.lock();
        loop {
            if let Some(value) = value.take() {
                return Some(value);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            value = self.arrived.wait_timeout(value, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for a value. One reader at a time; cancel-safe.
    pub async fn take(&self) -> T {
        loop {
            let arrived = self.arrived_async.notified();
            if let Some(value) = self.try_take() {
                return value;
            }
            arrived.await;
        }
    }

    /// How many values were put in so far.
    pub fn put_count(&self) -> u64 {
        self.put.load(Ordering::Relaxed)
    }

    /// How many values were replaced before anyone took them.
    pub fn dropped_count(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
