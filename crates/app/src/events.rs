//! The stream of changes to one window.

use std::{collections::VecDeque, sync::Arc};

use parley_protocol::app::{AppEvent, ConnectionState, ConnectionView, Snapshot};
use tokio::sync::broadcast;

/// Changes kept for a reader that is busy.
pub(crate) const BACKLOG: usize = 1024;

/// Changes of one [`App`](crate::App), in order.
pub struct AppEvents {
    receiver: broadcast::Receiver<AppEvent>,
    present: Arc<dyn Fn() -> Snapshot + Send + Sync>,
    replay: VecDeque<AppEvent>,
}

impl AppEvents {
    pub(crate) fn new(
        receiver: broadcast::Receiver<AppEvent>,
        present: Arc<dyn Fn() -> Snapshot + Send + Sync>,
    ) -> Self {
        Self { receiver, present, replay: VecDeque::new() }
    }

    /// The next change, or `None` once the app is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<AppEvent> {
        loop {
            if let Some(event) = self.replay.pop_front() {
                return Some(event);
            }
            match self.receiver.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Closed) => return None,
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "a window fell behind; it gets the present state");
                    let now = (self.present)();
                    // A line that comes back makes the window read its open conversation anew.
                    let lost = ConnectionView { state: ConnectionState::Reconnecting, ..now.connection.clone() };
                    self.replay.extend([
                        AppEvent::Connection(lost),
                        AppEvent::Session(now.session),
                        AppEvent::Connection(now.connection),
                        AppEvent::Projects(now.projects),
                        AppEvent::Ring(now.ring),
                        AppEvent::Call(now.call),
                    ]);
                }
            }
        }
    }
}
