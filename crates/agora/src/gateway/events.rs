//! What the library tells about a connection, on its way from its threads to ours.

use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::codes::{ChangedReason, ErrorCode, OfflineReason};

/// Events that may wait. A call has a handful a minute, so this many means a flood.
const WAITING: usize = 512;

/// Which of somebody's tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// What happened to a connection. Numbers of people are those of the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// We are in the channel.
    Connected,
    /// We are out of it, for good.
    Disconnected(ChangedReason),
    /// It can't be had, or was given up, for good.
    Failed(ChangedReason),
    /// The library is connecting again by itself.
    Reconnecting(ChangedReason),
    /// It has succeeded.
    Reconnected,
    /// It has not succeeded for a while and goes on trying.
    Lost,
    /// The token ends within half a minute.
    TokenExpiring,
    /// The token has ended.
    TokenExpired,
    /// The licence of the App ID was refused.
    LicenseRefused(i32),
    /// Somebody came.
    UserJoined(u32),
    /// Somebody went.
    UserLeft(u32, OfflineReason),
    /// Our track is being received by the server.
    Published(Track),
    /// The server does not take our track.
    PublishFailed(Track, ErrorCode),
    /// The first picture or sound of somebody since it last stopped.
    Flowing(u32, Track),
    /// Somebody stopped sending it.
    Stopped(u32, Track),
    /// A data message.
    Message {
        /// Who sent it.
        from: u32,
        /// On which of its streams.
        stream: i32,
        /// Foreign bytes.
        data: Vec<u8>,
    },
    /// Data messages were lost.
    MessagesLost {
        /// Who sent them.
        from: u32,
        /// On which of its streams.
        stream: i32,
        /// How many.
        count: i32,
    },
    /// Anything else that went wrong.
    Error(ErrorCode),
}

/// Events in order, bounded: what doesn't fit is counted and left out. The library's threads never wait for ours.
#[derive(Default)]
pub struct Events {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    woken: bool,
}

impl Events {
    /// No events yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an event, if there is room.
    pub(crate) fn push(&self, event: Event) {
        let mut waiting = self.lock();
        if waiting.events.len() >= WAITING {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.events.push_back(event);
        self.changed.notify_all();
    }

    /// Waits until `deadline` for the next event; `None` then, or when [`Self::wake`] was called.
    pub fn next(&self, deadline: Instant) -> Option<Event> {
        let mut waiting = self.lock();
        loop {
            if let Some(event) = waiting.events.pop_front() {
                return Some(event);
            }
            if std::mem::take(&mut waiting.woken) {
                return None;
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            waiting = self.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the present or the next wait in [`Self::next`].
    pub fn wake(&self) {
        self.lock().woken = true;
        self.changed.notify_all();
    }

    /// Forgets the events that wait.
    pub fn clear(&self) {
        self.lock().events.clear();
    }

    /// How many events found no room.
    pub fn dropped_count(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(1)
    }

    #[test]
    fn a_flood_is_bounded_and_counted() {
        let events = Events::new();
        (0..WAITING + 7).for_each(|_| events.push(Event::Lost));
        assert_eq!(events.dropped_count(), 7);
        assert_eq!(events.next(soon()), Some(Event::Lost));
        events.clear();
        assert_eq!(events.next(soon()), None);
    }

    #[test]
    fn a_wait_ends_by_an_event_or_by_being_woken() {
        let events = Events::new();
        events.wake();
        assert_eq!(events.next(Instant::now() + Duration::from_secs(60)), None);
        events.push(Event::Connected);
        assert_eq!(events.next(Instant::now() + Duration::from_secs(60)), Some(Event::Connected));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| events.next(Instant::now() + Duration::from_secs(60)));
            events.wake();
            assert_eq!(waiting.join().expect("no panic"), None);
        });
    }
}
