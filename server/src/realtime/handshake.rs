//! The first look at every HTTP request for Socket.IO, before anything is kept of it.
//!
//! A page of a foreign origin could open a socket, since browsers let WebSockets through; it could not sign in, since
//! the token is no cookie. It is refused all the same: it has no business here, and its visitors' browsers would hold
//! connections open.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use parley_protocol::Code;

use crate::{
    auth::caller::ClientAddress,
    connection::engine_query,
    limits::Kind,
    problem::{Outcome, Refusal},
    state::{App, AppState},
};

/// Lets a request through to Engine.IO, or refuses it with a problem document.
pub(crate) async fn check(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(ClientAddress(from)) = ClientAddress::from_request_parts(&mut parts, &app).await;
    let admitted = require_origin(&app, &parts.headers).and_then(|()| {
        // Without a session's id it opens one. How many can wait unauthenticated follows from this and from how long
        // each may take to sign in.
        if is_opening(&parts.uri) {
            app.limits.take_from(Kind::SocketFrom, from)?;
            app.limits.take_from(Kind::Sockets, None)?;
        }
        Ok(())
    });
    match admitted {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn is_opening(uri: &Uri) -> bool {
    engine_query(uri).1.is_none()
}

/// Programs send no `Origin`. A page's must be an allowed one or the server's own.
fn require_origin(app: &App, headers: &HeaderMap) -> Outcome<()> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = origin.split_once("://").map(|(_, authority)| authority);
    if app.config.allowed_origins.iter().any(|allowed| allowed == origin) || own == Some(host) && !host.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "Pages of this origin may not connect here; see --allowed-origin."))
}
