//! Every address that this server answers.

use std::{
    any::Any,
    sync::{Arc, LazyLock},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::header,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use parley_protocol::Code;
use serde_json::{Value, json};
use socketioxide::SocketIo;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::routes;

use crate::{
    attachments, auth,
    connection::{Cuts, Engine},
    conversations, cors, docs, envelope, meetings, messages, metrics,
    openapi::{self, Routes},
    problem::{Outcome, Refusal},
    projects, proposals, realtime, requests,
    state::AppState,
    sync,
};

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod statements;
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
        .route("/metrics", get(metrics::with_token))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(app), envelope::limit_time))
        .with_state(Arc::clone(app))
        .merge(sockets(app, engine, cuts))
        .layer(from_fn_with_state(Arc::clone(app), cors::apply))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(envelope::wrap));
    if app.metrics.is_on() {
        return (router.layer(from_fn_with_state(Arc::clone(app), metrics::observe)), io);
    }
    (router, io)
}

/// Socket.IO, outside of the layers that end what takes long.
fn sockets(app: &AppState, engine: Engine, cuts: Arc<Cuts>) -> Router {
    ["/socket.io", "/socket.io/", "/socket.io/{*rest}"]
        .into_iter()
        .fold(Router::new(), |router, path| router.route_service(path, engine.clone()))
        .layer(from_fn(realtime::gate::detach))
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
        attachments::http::routes(),
        meetings::http::routes(),
        sync::http::routes(),
    ];
    let own = Routes::of([routes!(description)]);
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
