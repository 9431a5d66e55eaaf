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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn nothing_comes_out_of_an_empty_slot() {
        let slot = LatestSlot::<u32>::new();
        assert_eq!(slot.try_take(), None);
        assert_eq!(slot.take_blocking(Duration::from_millis(1)), None);
    }

    #[test]
    fn the_newest_replaces_what_was_not_taken_and_is_counted() {
        let slot = LatestSlot::new();
        (1..=3).for_each(|value| slot.put(value));
        assert_eq!((slot.try_take(), slot.try_take()), (Some(3), None));
        assert_eq!((slot.put_count(), slot.dropped_count()), (3, 2));
    }

    #[test]
    fn a_thread_that_waits_is_woken() {
        let slot = Arc::new(LatestSlot::new());
        let waiting = Arc::clone(&slot);
        let reader = std::thread::spawn(move || waiting.take_blocking(Duration::from_secs(60)));
        slot.put(7);
        assert_eq!(reader.join().ok().flatten(), Some(7));
    }

    #[tokio::test]
    async fn a_cancelled_take_loses_nothing() {
        let slot = Arc::new(LatestSlot::new());
        for value in 0..100 {
            // Polled once, so that it waits, then dropped.
            tokio::select! {
                biased;
                _ = slot.take() => panic!("it is empty"),
                () = std::future::ready(()) => {}
            }
            slot.put(value);
            assert_eq!(slot.take().await, value);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_reader_always_ends_with_the_newest() {
        let slot = Arc::new(LatestSlot::new());
        let writing = Arc::clone(&slot);
        let writer = std::thread::spawn(move || (0..10_000_u32).for_each(|value| writing.put(value)));
        let mut last = None;
        while last != Some(9_999) {
            let value = slot.take().await;
            assert!(last.is_none_or(|last| value > last));
            last = Some(value);
        }
        assert!(writer.join().is_ok());
    }
}
