//! What the parts of one client share.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use parley_domain::{EngineKind, UserId};
use parley_protocol::{app::ConnectionState, socket::Presence};
use tokio::sync::{Notify, broadcast, watch};

use crate::{
    ClientError, ClientEvent, Clock, Rest, cache::Cache, client::Timing, event::BACKLOG, session::Session,
    socket::Socket,
};

pub(crate) struct Core {
    pub(crate) rest: Rest,
    pub(crate) cache: Cache,
    pub(crate) clock: Arc<dyn Clock>,
    /// What this device can carry calls with; each connection announces it.
    pub(crate) engines: watch::Sender<Vec<EngineKind>>,
    pub(crate) timing: Timing,
    pub(crate) connection: watch::Sender<ConnectionState>,
    /// One catch-up at a time.
    pub(crate) syncing: tokio::sync::Mutex<()>,
    /// Something waits to be sent.
    pub(crate) outbox_poke: Notify,
    /// Something may have happened that no event told.
    pub(crate) sync_poke: Notify,
    /// Try to connect now.
    pub(crate) line_poke: Notify,
    events: broadcast::Sender<ClientEvent>,
    socket: Mutex<Option<Socket>>,
    presence: Mutex<HashMap<UserId, Presence>>,
}

impl Core {
    pub(crate) fn new(
        session: Arc<Session>,
        cache: Cache,
        clock: Arc<dyn Clock>,
        engines: Vec<EngineKind>,
        timing: Timing,
    ) -> Self {
        Self {
            rest: Rest(session),
            cache,
            clock,
            engines: watch::Sender::new(engines),
            timing,
            connection: watch::Sender::new(ConnectionState::Reconnecting),
            syncing: tokio::sync::Mutex::new(()),
            outbox_poke: Notify::new(),
            sync_poke: Notify::new(),
            line_poke: Notify::new(),
            events: broadcast::Sender::new(BACKLOG),
            socket: Mutex::new(None),
            presence: Mutex::new(HashMap::new()),
        }
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.rest.0
    }

    pub(crate) fn tell(&self, event: ClientEvent) {
        // Without a reader there is nobody to tell.
        let _ = self.events.send(event);
    }

    pub(crate) fn tell_all(&self, events: impl IntoIterator<Item = ClientEvent>) {
        events.into_iter().for_each(|event| self.tell(event));
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ClientEvent> {
        self.events.subscribe()
    }

    pub(crate) fn set_connection(&self, state: ConnectionState) {
        let changed = self.connection.send_if_modified(|present| std::mem::replace(present, state) != state);
        if changed {
            self.tell(ClientEvent::Connection(state));
        }
    }

    pub(crate) fn set_socket(&self, socket: Option<Socket>) {
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = socket;
    }

    /// The socket of now.
    pub(crate) fn socket(&self) -> Result<Socket, ClientError> {
        self.socket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(|| ClientError::Unreachable("there is no connection".to_owned()))
    }

    pub(crate) fn note_presence(&self, presence: Presence) {
        self.lock_presence().insert(presence.user_id, presence);
    }

    /// Nobody's presence is known without a line.
    pub(crate) fn forget_presence(&self) {
        self.lock_presence().clear();
    }

    pub(crate) fn presence(&self, user: UserId) -> Option<Presence> {
        self.lock_presence().get(&user).cloned()
    }

    fn lock_presence(&self) -> std::sync::MutexGuard<'_, HashMap<UserId, Presence>> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
