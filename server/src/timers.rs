//! Things that happen after a while unless they are called off, on monotonic time: rings, absences, typing.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{task::AbortHandle, time::Instant};

/// At most one timer a key. Dropping it calls every timer off.
pub(crate) struct Timers<K: Eq + Hash>(Arc<Mutex<Running<K>>>);

struct Running<K> {
    by_key: HashMap<K, Timer>,
    /// Tells a timer that has fired from the one that was armed in its place in the same moment.
    next_attempt: u64,
}

struct Timer {
    due: Instant,
    attempt: u64,
    task: AbortHandle,
}

impl<K: Eq + Hash> Default for Timers<K> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Running { by_key: HashMap::new(), next_attempt: 0 })))
    }
}

impl<K: Eq + Hash + Clone + Send + 'static> Timers<K> {
    /// Does `work` after that time, instead of what was armed for the key before.
    pub(crate) fn arm(&self, key: K, after: Duration, work: impl Future<Output = ()> + Send + 'static) {
        let due = Instant::now() + after;
        let mut running = self.lock();
        let attempt = running.next_attempt;
        running.next_attempt += 1;
        let timers = Arc::downgrade(&self.0);
        let fired = key.clone();
        let task = tokio::spawn(async move {
            tokio::time::sleep_until(due).await;
            let Some(timers) = timers.upgrade() else { return };
            let is_still_armed = {
                let mut running = timers.lock().expect("no thread panics while it holds the timers");
                let is_mine = running.by_key.get(&fired).is_some_and(|timer| timer.attempt == attempt);
                if is_mine {
                    running.by_key.remove(&fired);
                }
                is_mine
            };
            drop(timers);
            if is_still_armed {
                work.await;
            }
        })
        .abort_handle();
        if let Some(before) = running.by_key.insert(key, Timer { due, attempt, task }) {
            before.task.abort();
        }
    }

    /// Calls it off; says whether it was armed.
    pub(crate) fn disarm(&self, key: &K) -> bool {
        let timer = self.lock().by_key.remove(key);
        timer.inspect(|timer| timer.task.abort()).is_some()
    }

    /// Does something with the time that is left while the timer is armed and can be neither called off nor fire.
    /// `tell` must not come back here.
    pub(crate) fn while_armed(&self, key: &K, tell: impl FnOnce(Duration)) {
        let running = self.lock();
        if let Some(timer) = running.by_key.get(key) {
            tell(timer.due.saturating_duration_since(Instant::now()));
        }
    }

    /// How long until it is due, if it is armed.
    pub(crate) fn remaining(&self, key: &K) -> Option<Duration> {
        self.lock().by_key.get(key).map(|timer| timer.due.saturating_duration_since(Instant::now()))
    }
}

impl<K: Eq + Hash> Timers<K> {
    fn lock(&self) -> MutexGuard<'_, Running<K>> {
        self.0.lock().expect("no thread panics while it holds the timers")
    }
}

impl<K: Eq + Hash> Drop for Timers<K> {
    fn drop(&mut self) {
        for (_, timer) in self.lock().by_key.drain() {
            timer.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn counting(count: &Arc<AtomicU32>) -> impl Future<Output = ()> + Send + 'static {
        let count = Arc::clone(count);
        async move {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_called_off_never_happens_and_what_is_armed_again_happens_once() {
        let timers = Timers::default();
        let count = Arc::new(AtomicU32::new(0));
        timers.arm("off", Duration::from_secs(1), counting(&count));
        assert!(timers.disarm(&"off"));
        assert!(!timers.disarm(&"off"));
        timers.arm("twice", Duration::from_secs(1), counting(&count));
        timers.arm("twice", Duration::from_secs(5), counting(&count));
        assert_eq!(timers.remaining(&"twice"), Some(Duration::from_secs(5)));
        let mut told = None;
        timers.while_armed(&"off", |left| told = Some(left));
        assert_eq!(told, None);
        timers.while_armed(&"twice", |left| told = Some(left));
        assert_eq!(told, Some(Duration::from_secs(5)));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(count.load(Ordering::SeqCst), 0);
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(timers.remaining(&"twice"), None);
    }
}
