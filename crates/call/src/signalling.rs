//! What a call asks of the server, as a trait: the app (or a headless client) answers it with REST and Socket.IO.

use std::{future::Future, time::Duration};

use parley_domain::{EngineKind, MeetingId};

use crate::engine::{Credentials, Token};

/// Permission to join a meeting, as the server's token answer gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Which engine carries this meeting.
    pub engine: EngineKind,
    /// What the engine needs.
    pub credentials: Credentials,
    /// How long the token lives from now.
    pub life: Duration,
}

/// Which of our media are on, as `call:state` tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MediaState {
    /// Camera (or its stand-in) on.
    pub camera: bool,
    /// Microphone on.
    pub microphone: bool,
    /// Screen shared.
    pub screen: bool,
}

/// Why the server did not do it. The call decides on these, never on text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignallingError {
    /// No answer: the server or the line is gone for now (`SERVER_UNREACHABLE`, `UNAVAILABLE`, a 5xx, a rate limit).
    #[error("the server can't be reached")]
    Unreachable,
    /// The meeting's state does not allow it (`MEETING_STATE`, `MEETING_NOT_OPEN`, `NOT_FOUND`): most often it is over.
    #[error("the meeting's state does not allow this")]
    WrongState,
    /// The meeting's token was refused; a fresh one may help.
    #[error("the meeting's token was refused")]
    TokenRefused,
    /// Anything else; trying again does not help.
    #[error("the server refused: {0}")]
    Refused(String),
}

/// The server, as one call sees it. Each future may be dropped at any point; the session bounds each by a time-out.
///
/// Implementations write plain `async fn`s.
pub trait Signalling: Send + Sync + 'static {
    /// Says yes to the ring (`PATCH /meetings/:id/accept`).
    fn accept(&self, meeting: MeetingId) -> impl Future<Output = Result<(), SignallingError>> + Send;

    /// Says no to the ring (`PATCH /meetings/:id/decline`).
    fn decline(&self, meeting: MeetingId) -> impl Future<Output = Result<(), SignallingError>> + Send;

    /// Takes back a call that still rings (`DELETE /meetings/:id`).
    fn cancel(&self, meeting: MeetingId) -> impl Future<Output = Result<(), SignallingError>> + Send;

    /// Ends the call for both (`PATCH /meetings/:id/end`). Answers its duration in whole seconds, if the server knows.
    fn end(&self, meeting: MeetingId) -> impl Future<Output = Result<Option<i64>, SignallingError>> + Send;

    /// Gets a fresh token (`GET /meetings/:id/token`); never one from a cache.
    fn fetch_token(&self, meeting: MeetingId) -> impl Future<Output = Result<Grant, SignallingError>> + Send;

    /// Binds this device's socket to the call (`call:join`).
    fn call_join(&self, meeting: MeetingId, token: Token) -> impl Future<Output = Result<(), SignallingError>> + Send;

    /// Unbinds it (`call:leave`).
    fn call_leave(&self, meeting: MeetingId) -> impl Future<Output = Result<(), SignallingError>> + Send;

    /// Tells which of our media are on (`call:state`).
    fn call_state(
        &self,
        meeting: MeetingId,
        state: MediaState,
    ) -> impl Future<Output = Result<(), SignallingError>> + Send;

    /// Carries an engine's message to the other side's engine (`call:signal`). Called one after another, in order.
    fn call_signal(&self, meeting: MeetingId, data: String)
    -> impl Future<Output = Result<(), SignallingError>> + Send;
}
