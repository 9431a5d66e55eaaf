//! What the UI sees now, and telling every change of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parley_protocol::app::{AppEvent, Snapshot};
use tokio::sync::broadcast;

use crate::events::{AppEvents, BACKLOG};

/// The present state and its readers. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Present(Arc<Inner>);

struct Inner {
    snapshot: Mutex<Snapshot>,
    /// Gone once the app is closed.
    events: Mutex<Option<broadcast::Sender<AppEvent>>>,
}

impl Present {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        let events = Mutex::new(Some(broadcast::Sender::new(BACKLOG)));
        Self(Arc::new(Inner { snapshot: Mutex::new(snapshot), events }))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    /// Tells a change; one that changes nothing is not told.
    pub(crate) fn tell(&self, event: AppEvent) {
        let mut now = self.lock();
        let changes = match &event {
            AppEvent::Session(session) => replace(&mut now.session, session),
            AppEvent::Connection(connection) => replace(&mut now.connection, connection),
            AppEvent::Projects(projects) => replace(&mut now.projects, projects),
            AppEvent::Ring(ring) => replace(&mut now.ring, ring),
            AppEvent::Call(call) => replace(&mut now.call, call),
            AppEvent::Message(_)
            | AppEvent::MessageGone(_)
            | AppEvent::Typing(_)
            | AppEvent::Library(_)
            | AppEvent::Notice(_) => true,
        };
        if changes && let Some(events) = self.lock_events().as_ref() {
            // Sent under the lock, so that a snapshot and the events after it fit; without a reader nobody misses it.
            let _ = events.send(event);
        }
    }

    pub(crate) fn events(&self) -> AppEvents {
        let receiver = match self.lock_events().as_ref() {
            Some(events) => events.subscribe(),
            None => broadcast::channel(1).1,
        };
        let present = self.clone();
        AppEvents::new(receiver, Arc::new(move || present.snapshot()))
    }

    /// Readers are told that nothing will come any more.
    pub(crate) fn close(&self) {
        self.lock_events().take();
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.0.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_events(&self) -> MutexGuard<'_, Option<broadcast::Sender<AppEvent>>> {
        self.0.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn replace<T: PartialEq + Clone>(now: &mut T, new: &T) -> bool {
    let changes = now != new;
    if changes {
        now.clone_from(new);
    }
    changes
}
