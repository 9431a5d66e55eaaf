//! Who is calling: the extractor that every protected route takes.

use std::net::IpAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use parley_domain::{Role, SessionId, User, UserId};
use parley_protocol::Code;

use super::{service, tokens::Claims};
use crate::{
    connection::Peer,
    limits::Kind,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// A signed-in person.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) session: SessionId,
}

impl Caller {
    pub(crate) fn id(&self) -> UserId {
        self.user.id
    }

    /// Refuses everybody of another role.
    pub(crate) fn require(&self, role: Role) -> Outcome<()> {
        if self.user.role == role {
            Ok(())
        } else {
            Err(Refusal::new(Code::Forbidden, format!("This is for the role {role}; yours is {}.", self.user.role)))
        }
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Outcome<Self> {
        let token = bearer_of(&parts.headers)
            .ok_or_else(|| Refusal::new(Code::Unauthenticated, "Send Authorization: Bearer."))?;
        let (caller, _) = identify(app, token).await?;
        app.limits.take_for(Kind::Call, caller.id())?;
        Ok(caller)
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whose token it is. `UNAUTHENTICATED` for what this server did not sign or has ended since, `TOKEN_EXPIRED` for what
/// is past its time.
pub(crate) async fn identify(app: &AppState, token: &str) -> Outcome<(Caller, Claims)> {
    let unknown = || Refusal::new(Code::Unauthenticated, "This token is not known here; sign in again.");
    let claims = Claims::verify(token, &app.secrets).ok_or_else(unknown)?;
    let session = service::live_session(app, claims.session).await?.ok_or_else(unknown)?;
    if session.user.id != claims.user {
        return Err(unknown());
    }
    if claims.expires_at <= app.now() {
        return Err(Refusal::new(Code::TokenExpired, "Refresh the sign-in."));
    }
    Ok((Caller { user: session.user, session: session.id }, claims))
}

/// The network address that a call comes from, where there is a network; behind trusted proxies the client's own.
pub(crate) struct ClientAddress(pub(crate) Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<ConnectInfo<Peer>>().map(|info| info.0.client)))
    }
}
