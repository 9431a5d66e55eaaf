//! The ring: at most one, gone at once when anything ends it, and by itself when its time is over.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use parley_domain::{MeetingId, Timestamp};
use parley_protocol::app::{AppEvent, RingView};
use tokio_util::task::AbortOnDropHandle;

use super::{Shared, Tell};

#[derive(Default)]
pub(crate) struct Ring(Mutex<Option<Ringing>>);

struct Ringing {
    view: RingView,
    _ends_by_itself: AbortOnDropHandle<()>,
}

impl Ring {
    /// Rings, in place of what rang before.
    pub(super) fn start(&self, view: RingView, ring_for: Duration, shared: Weak<Shared>) {
        let Some(upgraded) = shared.upgrade() else { return };
        let meeting = view.meeting_id;
        let ends_by_itself = AbortOnDropHandle::new(tokio::spawn(async move {
            tokio::time::sleep(ring_for).await;
            if let Some(shared) = shared.upgrade() {
                // On its way out this ends its own task, which has nothing more to do.
                shared.ring.stop(meeting, &shared.tell);
            }
        }));
        // Told under the lock, here and below, so that an older state never comes last.
        let mut ringing = self.lock();
        *ringing = Some(Ringing { view: view.clone(), _ends_by_itself: ends_by_itself });
        (upgraded.tell)(AppEvent::Ring(Some(view)));
    }

    /// That meeting rings no longer.
    pub(super) fn stop(&self, meeting: MeetingId, tell: &Tell) {
        let mut ringing = self.lock();
        if ringing.take_if(|ringing| ringing.view.meeting_id == meeting).is_some() {
            tell(AppEvent::Ring(None));
        }
    }

    /// Nothing rings any longer.
    pub(super) fn clear(&self, tell: &Tell) {
        let mut ringing = self.lock();
        if ringing.take().is_some() {
            tell(AppEvent::Ring(None));
        }
    }

    /// How long that meeting goes on ringing here; the whole ring time when its invite was not seen.
    pub(super) fn time_left(&self, meeting: MeetingId, now: Timestamp) -> Duration {
        match self.lock().as_ref().filter(|ringing| ringing.view.meeting_id == meeting) {
            Some(ringing) => ringing.view.expires_at.saturating_since(now),
            None => parley_call::machine::RING_TIME,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ringing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
