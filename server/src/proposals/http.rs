//! The routes of proposals.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use parley_domain::{Proposal, ProposalId, RequestId};
use parley_protocol::rest::{Accepted, Page};

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Id, Query, RawBody, parse},
    pages::{idempotency, page},
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/requests/{id}/proposals", get(list).post(create))
        .route("/proposals/{id}/accept", post(accept))
        .route("/proposals/{id}/reject", post(reject))
        .route("/proposals/{id}/withdraw", post(withdraw))
}

async fn create(
    State(app): State<AppState>,
    caller: Caller,
    Id(request): Id<RequestId>,
    headers: HeaderMap,
    RawBody(bytes): RawBody,
) -> Outcome<(StatusCode, Json<Proposal>)> {
    let key = idempotency(&headers, &format!("/requests/{request}/proposals"), &bytes)?;
    let created = service::create(&app, &caller, request, parse(&bytes)?, key).await?;
    Ok((StatusCode::CREATED, Json(created.into_inner())))
}

async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Id(request): Id<RequestId>,
    query: Query,
) -> Outcome<Json<Page<Proposal>>> {
    service::list(&app, &caller, request, query.page()?).await.map(page).map(Json)
}

async fn accept(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<ProposalId>,
) -> Outcome<(StatusCode, Json<Accepted>)> {
    Ok((StatusCode::CREATED, Json(service::accept(&app, &caller, id).await?)))
}

async fn reject(State(app): State<AppState>, caller: Caller, Id(id): Id<ProposalId>) -> Outcome<Json<Proposal>> {
    service::reject(&app, &caller, id).await.map(Json)
}

async fn withdraw(State(app): State<AppState>, caller: Caller, Id(id): Id<ProposalId>) -> Outcome<Json<Proposal>> {
    service::withdraw(&app, &caller, id).await.map(Json)
}
