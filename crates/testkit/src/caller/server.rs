//! What a call asks of the server, answered by the client.

use std::sync::Arc;

use parley_call::{Credentials, Grant, IceServer, MediaState, ScreenPass, Signalling, SignallingError, Token};
use parley_client::{Client, ClientError, Clock, SystemClock};
use parley_domain::MeetingId;
use parley_protocol::{Code, rest::MeetingToken, socket::CallState};

/// The server, as this person's calls see it.
pub struct CallServer(pub Arc<Client>);

impl Signalling for CallServer {
    async fn accept(&self, meeting: MeetingId) -> Result<(), SignallingError> {
        self.0.accept_call(meeting).await.map(drop).map_err(refused)
    }

    async fn decline(&self, meeting: MeetingId) -> Result<(), SignallingError> {
        self.0.decline_call(meeting).await.map(drop).map_err(refused)
    }

    async fn cancel(&self, meeting: MeetingId) -> Result<(), SignallingError> {
        self.0.cancel_call(meeting).await.map_err(refused)
    }

    async fn end(&self, meeting: MeetingId) -> Result<Option<i64>, SignallingError> {
        self.0.end_call(meeting).await.map(|meeting| meeting.duration).map_err(refused)
    }

    async fn fetch_token(&self, meeting: MeetingId) -> Result<Grant, SignallingError> {
        self.0.rest().meeting_token(meeting).await.map(grant).map_err(refused)
    }

    async fn call_join(&self, meeting: MeetingId, token: Token) -> Result<(), SignallingError> {
        self.0.join_call(meeting, token.0).await.map_err(|error| match error.code() {
            Code::TokenExpired | Code::Forbidden => SignallingError::TokenRefused,
            _ => refused(error),
        })
    }

    async fn call_leave(&self, meeting: MeetingId) -> Result<(), SignallingError> {
        self.0.leave_call(meeting).await.map_err(refused)
    }

    async fn call_state(&self, meeting_id: MeetingId, state: MediaState) -> Result<(), SignallingError> {
        let MediaState { camera, microphone, screen } = state;
        self.0.call_state(&CallState { meeting_id, camera, microphone, screen }).await.map_err(refused)
    }

    async fn call_signal(&self, meeting: MeetingId, data: String) -> Result<(), SignallingError> {
        self.0.signal(meeting, data.into()).map_err(refused)
    }
}

fn grant(answer: MeetingToken) -> Grant {
    let ice_server = |server: parley_protocol::rest::IceServer| IceServer {
        urls: server.urls,
        username: server.username,
        credential: server.credential.map(Token),
    };
    Grant {
        engine: answer.engine,
        life: answer.expires_at.saturating_since(SystemClock.now()),
        credentials: Credentials {
            app_id: answer.app_id,
            channel: answer.channel_name,
            uid: answer.uid,
            peer: answer.peer.uid,
            token: Token(answer.token),
            screen: Some(ScreenPass { uid: answer.screen.uid, token: Token(answer.screen.token) }),
            peer_screen: Some(answer.peer.screen_uid),
            ice_servers: answer.ice_servers.unwrap_or_default().into_iter().map(ice_server).collect(),
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
