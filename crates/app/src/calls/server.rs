//! A call's server side, answered by the client: REST for the meeting's moves, the socket for what two devices say.

use std::sync::Arc;

use parley_call::{Credentials, Grant, IceServer, MediaState, ScreenPass, Signalling, SignallingError, Token};
use parley_client::{Client, ClientError, Clock};
use parley_domain::MeetingId;
use parley_protocol::{Code, rest::MeetingToken, socket::CallState};

/// The server as one call sees it.
pub(crate) struct CallServer {
    pub(crate) client: Arc<Client>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Signalling for CallServer {
    async fn accept(&self, meeting: MeetingId) -> Result<(), SignallingError> {
        self.client.accept_call(meeting).await.map(drop).map_err(refused)
    }

    async fn decline(&self, meeting: MeetingId) -> Result<(), SignallingError> {
        self.client.decline_call(meeting).await.map(drop).map_err(refused)
    }

    async fn cancel(&self, meeting: MeetingId) -> Result<(), SignallingError> {
        self.client.cancel_call(meeting).await.map_err(refused)
    }

    async fn end(&self, meeting: MeetingId) -> Result<Option<i64>, SignallingError> {
        self.client.end_call(meeting).await.map(|ended| ended.duration).map_err(refused)
    }

    async fn fetch_token(&self, meeting: MeetingId) -> Result<Grant, SignallingError> {
        let answer = self.client.rest().meeting_token(meeting).await.map_err(refused)?;
        let now = self.clock.now();
        Ok(grant(answer, now))
    }

    async fn call_join(&self, meeting: MeetingId, token: Token) -> Result<(), SignallingError> {
        self.client.join_call(meeting, token.0).await.map_err(refused_join)
    }

    async fn call_leave(&self, meeting: MeetingId) -> Result<(), SignallingError> {
        self.client.leave_call(meeting).await.map_err(refused)
    }

    async fn call_state(&self, meeting_id: MeetingId, state: MediaState) -> Result<(), SignallingError> {
        let MediaState { camera, microphone, screen } = state;
        self.client.call_state(&CallState { meeting_id, camera, microphone, screen }).await.map_err(refused)
    }

    async fn call_signal(&self, meeting: MeetingId, data: String) -> Result<(), SignallingError> {
        self.client.signal(meeting, serde_json::Value::String(data)).map_err(refused)
    }
}

fn grant(answer: MeetingToken, now: parley_domain::Timestamp) -> Grant {
    let ice_servers = answer.ice_servers.unwrap_or_default().into_iter().map(|server| IceServer {
        urls: server.urls,
        username: server.username,
        credential: server.credential.map(Token),
    });
    Grant {
        engine: answer.engine,
        life: answer.expires_at.saturating_since(now),
        credentials: Credentials {
            app_id: answer.app_id,
            channel: answer.channel_name,
            uid: answer.uid,
            peer: answer.peer.uid,
            token: Token(answer.token),
            screen: Some(ScreenPass { uid: answer.screen.uid, token: Token(answer.screen.token) }),
            peer_screen: Some(answer.peer.screen_uid),
            ice_servers: ice_servers.collect(),
        },
    }
}

fn refused(error: ClientError) -> SignallingError {
    match error.code() {
        _ if error.is_transient() => SignallingError::Unreachable,
        Code::ServerUnreachable => SignallingError::Unreachable,
        Code::MeetingState | Code::MeetingNotOpen | Code::NotFound => SignallingError::WrongState,
        _ => SignallingError::Refused(error.to_string()),
    }
}

/// `call:join` carries a meeting's token: there these codes speak of that token, not of the session.
fn refused_join(error: ClientError) -> SignallingError {
    match error.code() {
        Code::Unauthenticated | Code::TokenExpired | Code::Forbidden => SignallingError::TokenRefused,
        _ => refused(error),
    }
}
