//! Every address that this server answers.

use std::{any::Any, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get, patch, post},
};
use parley_protocol::Code;
use serde_json::{Value, json};
use socketioxide::SocketIo;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};

use crate::{
    auth::{self, caller::Caller},
    connection::{Cuts, Engine},
    conversations, envelope, meetings, messages,
    problem::{Outcome, Refusal},
    projects, proposals, realtime, requests,
    state::{App, AppState},
    sync,
};

#[cfg(test)]
mod tests;

/// The largest body that is read: the longest description four times over.
const MAX_BODY_BYTES: usize = 512 * 1024;

/// The whole server as a service, sockets included. Timers and publishing are not part of it: [`crate::serve()`] starts
/// them.
pub fn router(app: &AppState) -> Router {
    with_sockets(app).0
}

pub(crate) fn with_sockets(app: &AppState) -> (Router, SocketIo) {
    let cuts = Arc::new(Cuts::default());
    let (engine, io) = realtime::gate::engine(app, &cuts);
    let api = api();
    let router = Router::new()
        .nest("/api/v1", api.clone())
        .nest("/api", api)
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(not_served))
        .route("/docs", get(not_served))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(app), envelope::limit_time))
        .with_state(Arc::clone(app))
        .merge(sockets(app, engine, cuts))
        .layer(cors(app))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(envelope::wrap));
    (router, io)
}

/// Socket.IO, outside of the layers that end what takes long.
fn sockets(app: &AppState, engine: Engine, cuts: Arc<Cuts>) -> Router {
    ["/socket.io", "/socket.io/", "/socket.io/{*rest}"]
        .into_iter()
        .fold(Router::new(), |router, path| router.route_service(path, engine.clone()))
        .layer(from_fn(move |request, next| Arc::clone(&cuts).remember(request, next)))
        .layer(from_fn_with_state(Arc::clone(app), realtime::handshake::check))
}

fn api() -> Router<AppState> {
    Router::new()
        .merge(auth::http::routes())
        .merge(requests::http::routes())
        .merge(proposals::http::routes())
        .merge(projects::http::routes())
        .merge(conversations::http::routes())
        .merge(messages::http::routes())
        .merge(meetings::http::routes())
        .merge(sync::http::routes())
        .merge(later())
        .fallback(nothing_here)
}

/// Described in the contract, not served yet. They ask who calls first, as they will.
fn later() -> Router<AppState> {
    Router::new()
        .route("/messages/{id}", patch(not_served_yet).delete(not_served_yet))
        .route("/messages/search", get(not_served_yet))
        .route("/attachments", post(not_served_yet))
        .route("/attachments/{id}", get(not_served_yet))
        .route("/openapi.json", any(not_served))
}

async fn not_served_yet(_: Caller) -> Refusal {
    not_served().await
}

async fn not_served() -> Refusal {
    Refusal::new(Code::NotImplemented, "The contract describes this; this version does not serve it yet.")
}

async fn nothing_here() -> Refusal {
    Refusal::new(Code::NotFound, "This server serves nothing at that address.")
}

async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

async fn ready(State(app): State<AppState>) -> Outcome<Json<Value>> {
    if app.is_draining() {
        return Err(Refusal::new(Code::Unavailable, "The server is stopping."));
    }
    app.store.check_ready().await?;
    Ok(Json(json!({ "status": "ready" })))
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Refusal::internal("a handler panicked").into_response()
}

/// Only the named origins, and nothing for the rest: the app is no browser and needs none.
fn cors(app: &App) -> CorsLayer {
    let origins: Vec<HeaderValue> =
        app.config.allowed_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            envelope::REQUEST_ID,
        ])
        .expose_headers([envelope::REQUEST_ID, header::RETRY_AFTER])
}
