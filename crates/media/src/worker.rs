//! Threads that end with their owner, and the beat that sources keep.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

/// Tells a thread to end, and wakes it when it waits.
#[derive(Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Ends every wait, now and later.
    pub(crate) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether the thread has to end.
    pub(crate) fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `deadline`; `false` when the thread has to end.
    pub(crate) fn wait_until(&self, deadline: Instant) -> bool {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopped {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return true;
            };
            stopped = self.changed.wait_timeout(stopped, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

/// A named thread that is stopped and awaited when this is dropped.
pub(crate) struct Worker {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Runs `work` on a thread of its own. `work` returns soon after its [`Stop`] is stopped.
    pub(crate) fn spawn(name: &str, work: impl FnOnce(&Stop) + Send + 'static) -> io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let seen = Arc::clone(&stop);
        let thread = Builder::new().name(format!("parley-{name}")).spawn(move || work(&seen))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.stop();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a media thread panicked");
        }
    }
}

/// An even beat on the monotonic clock. A source that falls behind by more than a few beats skips them instead of
/// rushing after.
pub(crate) struct Pace {
    period: Duration,
    next: Instant,
}

/// Beats that may be caught up in a rush after a stall; more are skipped.
const CATCH_UP_BEATS: u32 = 5;

impl Pace {
    /// A beat that begins now.
    pub(crate) fn new(period: Duration) -> Self {
        Self { period, next: Instant::now() }
    }

    /// Waits for the next beat; `false` when the thread has to end.
    pub(crate) fn wait(&mut self, stop: &Stop) -> bool {
        let now = Instant::now();
        if now > self.next + self.period * CATCH_UP_BEATS {
            self.next = now;
        }
        let go_on = stop.wait_until(self.next);
        self.next += self.period;
        go_on
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn dropping_a_worker_ends_its_wait_and_its_thread() {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let worker = Worker::spawn("test", move |stop| {
            assert!(!stop.wait_until(Instant::now() + Duration::from_secs(3_600)));
            seen.store(true, Ordering::SeqCst);
        })
        .unwrap();
        drop(worker);
        assert!(ended.load(Ordering::SeqCst));
    }

    #[test]
    fn a_stall_is_not_caught_up_in_a_rush() {
        let stop = Stop::default();
        let mut pace = Pace::new(Duration::from_millis(10));
        pace.next = Instant::now() - Duration::from_secs(5);
        assert!(pace.wait(&stop));
        assert!(pace.next > Instant::now());
    }
}
