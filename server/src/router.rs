//! Every address that this server answers.

use std::{
    any::Any,
    sync::{Arc, LazyLock},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use parley_protocol::Code;
use serde_json::{Value, json};
use socketioxide::SocketIo;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};
use utoipa::openapi::OpenApi;
use utoipa_axum::routes;

use crate::{
    auth::{self, caller::Caller},
    connection::{Cuts, Engine},
    conversations, docs, envelope, meetings, messages,
    openapi::{self, Routes},
    problem::{Outcome, Refusal},
    projects, proposals, realtime, requests,
    state::{App, AppState},
    sync,
};

#[cfg(test)]
mod matrix;
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
    let router = mounted()
        .0
        .route("/metrics", get(not_served))
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

fn mounted() -> (Router<AppState>, OpenApi) {
    let root = Routes::of([routes!(live), routes!(ready)]).and(docs::routes());
    let api = [
        auth::http::routes(),
        requests::http::routes(),
        proposals::http::routes(),
        projects::http::routes(),
        conversations::http::routes(),
        messages::http::routes(),
        meetings::http::routes(),
        sync::http::routes(),
    ];
    let own = Routes::of([routes!(description)]).and_undescribed(later());
    openapi::mount(root, api.into_iter().fold(own, Routes::and))
}

/// The OpenAPI 3.1 description of all that this server answers, as JSON.
pub fn openapi() -> &'static str {
    static DESCRIPTION: LazyLock<String> =
        LazyLock::new(|| mounted().1.to_pretty_json().expect("a description has text keys only, so that it is JSON"));
    &DESCRIPTION
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getDescription", tag = "server",
    security(()),
    responses((status = 200, body = Object))
)]
async fn description() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi())
}

/// Described in the contract, not served yet. They ask who calls first, as they will.
fn later() -> Router<AppState> {
    Router::new()
        .route("/messages/{id}", patch(not_served_yet).delete(not_served_yet))
        .route("/messages/search", get(not_served_yet))
        .route("/attachments", post(not_served_yet))
        .route("/attachments/{id}", get(not_served_yet))
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

/// Whether the process answers.
#[utoipa::path(
    get, path = "/health/live", operation_id = "live", tag = "server",
    security(()),
    responses((status = 200, body = Object))
)]
async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// Whether the server can work: it is not stopping and its database answers.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "ready", tag = "server",
    security(()),
    responses((status = 200, body = Object))
)]
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
