//! The routes of requests.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use parley_domain::{Request, RequestId};
use parley_protocol::rest::{Page, UpdateRequest};

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Body, Id, Query, RawBody, parse},
    pages::{idempotency, page},
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/requests", get(list).post(create)).route("/requests/{id}", get(one).patch(update))
}

async fn create(
    State(app): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    RawBody(bytes): RawBody,
) -> Outcome<(StatusCode, Json<Request>)> {
    let key = idempotency(&headers, "/requests", &bytes)?;
    let created = service::create(&app, &caller, parse(&bytes)?, key).await?;
    Ok((StatusCode::CREATED, Json(created.into_inner())))
}

async fn list(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<Request>>> {
    service::list(&app, &caller, query.page()?).await.map(page).map(Json)
}

async fn one(State(app): State<AppState>, caller: Caller, Id(id): Id<RequestId>) -> Outcome<Json<Request>> {
    service::get(&app, &caller, id).await.map(Json)
}

async fn update(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<RequestId>,
    Body(body): Body<UpdateRequest>,
) -> Outcome<Json<Request>> {
    service::update(&app, &caller, id, body.status).await.map(Json)
}
