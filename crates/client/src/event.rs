//! What the client tells.

use parley_domain::{ConversationId, Meeting, Message, Project, Proposal, Reminder, Timestamp, UserId};
use parley_protocol::{
    app::ConnectionState,
    socket::{CallStateOf, Invite, MeetingEnded, MeetingStarted, Presence, Signal, TypingBy},
};
use tokio::sync::broadcast;

use crate::{ClientError, OutboxEntry};

/// Events kept for a reader that is busy.
pub(crate) const BACKLOG: usize = 4096;

/// Something happened. Rows are in the cache already when they are told.
#[derive(Clone)]
pub enum ClientEvent {
    /// The line to the server. `Connected` is told after the client has caught up.
    Connection(ConnectionState),
    /// The server takes this session no longer; the client stands still.
    SessionEnded(ClientError),
    /// Everything was read anew from the server: read it anew from the cache.
    Loaded,
    /// This reader was too slow and missed events: read everything anew from the cache.
    Missed,
    /// A message is new or changed.
    Message(Box<Message>),
    /// A message of the outbox is new or changed.
    Outbox(OutboxEntry),
    /// A message left the outbox.
    OutboxGone {
        /// Where.
        conversation_id: ConversationId,
        /// The sender's own name for it.
        client_id: String,
        /// It arrived; otherwise it was discarded.
        sent: bool,
    },
    /// A read mark moved.
    Read {
        /// Where.
        conversation_id: ConversationId,
        /// Whose.
        user_id: UserId,
        /// From which number.
        from: i64,
        /// Up to which number.
        seq: i64,
        /// When.
        read_at: Timestamp,
    },
    /// A project is new or changed.
    Project(Box<Project>),
    /// A proposal is new or changed.
    Proposal(Box<Proposal>),
    /// A meeting is new or changed.
    Meeting(Box<Meeting>),
    /// A meeting comes near; told once.
    Reminder(Reminder),
    /// Someone types or stopped.
    Typing(TypingBy),
    /// Someone came or went.
    Presence(Presence),
    /// A call rings for us.
    Invite(Invite),
    /// A call is on.
    MeetingStarted(Box<MeetingStarted>),
    /// A call is over.
    MeetingEnded(MeetingEnded),
    /// The other side's camera, microphone, screen.
    CallState(CallStateOf),
    /// From the other side's engine.
    Signal(Box<Signal>),
}

/// The events of one client, in order, for one reader.
pub struct Events(pub(crate) broadcast::Receiver<ClientEvent>);

impl Events {
    /// The next event, or `None` once the client is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<ClientEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "a reader of the client's events fell behind");
                Some(ClientEvent::Missed)
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
