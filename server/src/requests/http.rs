//! The routes of requests.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use parley_domain::{Request, RequestId};
use parley_protocol::rest::{NewRequest, Page, UpdateRequest};
use utoipa_axum::routes;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Body, Id, Query, RawBody, parse},
    openapi::{IdempotencyKey, Paging, Routes},
    pages::{idempotency, page},
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Routes {
    Routes::of([routes!(list, create), routes!(one, update)])
}

/// Ask for work. Clients only.
#[utoipa::path(
    post, path = "/requests", operation_id = "createRequest", tag = "requests",
    params(IdempotencyKey),
    request_body = NewRequest,
    responses(
        (status = 201, body = Request),
        (status = 403, description = "`FORBIDDEN`: for clients."),
        (status = 422, description = "`INVALID` or `IDEMPOTENCY_KEY_REUSED`.")
    )
)]
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

/// A client's own requests, or the open ones for a provider, newest first.
#[utoipa::path(
    get, path = "/requests", operation_id = "listRequests", tag = "requests",
    params(Paging),
    responses((status = 200, body = Page<Request>))
)]
async fn list(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<Request>>> {
    service::list(&app, &caller, query.page()?).await.map(page).map(Json)
}

/// One request.
#[utoipa::path(
    get, path = "/requests/{id}", operation_id = "getRequest", tag = "requests",
    params(("id" = RequestId, Path)),
    responses(
        (status = 200, body = Request),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn one(State(app): State<AppState>, caller: Caller, Id(id): Id<RequestId>) -> Outcome<Json<Request>> {
    service::get(&app, &caller, id).await.map(Json)
}

/// Withdraw an open request.
#[utoipa::path(
    patch, path = "/requests/{id}", operation_id = "cancelRequest", tag = "requests",
    params(("id" = RequestId, Path)),
    request_body = UpdateRequest,
    responses(
        (status = 200, body = Request),
        (status = 403, description = "`FORBIDDEN`: for the request's client."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`REQUEST_NOT_OPEN`.")
    )
)]
async fn update(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<RequestId>,
    Body(body): Body<UpdateRequest>,
) -> Outcome<Json<Request>> {
    service::update(&app, &caller, id, body.status).await.map(Json)
}
