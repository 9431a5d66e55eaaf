//! The routes of proposals.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use parley_domain::{Proposal, ProposalId, RequestId};
use parley_protocol::rest::{Accepted, NewProposal, Page};
use utoipa_axum::routes;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Id, Query, RawBody, parse},
    openapi::{IdempotencyKey, Paging, Routes},
    pages::{idempotency, page},
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Routes {
    Routes::of([routes!(list, create), routes!(accept), routes!(reject), routes!(withdraw)])
}

/// Propose for an open request. Approved providers only.
#[utoipa::path(
    post, path = "/requests/{id}/proposals", operation_id = "createProposal", tag = "proposals",
    params(("id" = RequestId, Path), IdempotencyKey),
    request_body = NewProposal,
    responses(
        (status = 201, body = Proposal),
        (status = 403, description = "`FORBIDDEN`: for providers; or `PROVIDER_NOT_APPROVED`."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`REQUEST_NOT_OPEN`."),
        (status = 422, description = "`INVALID` or `IDEMPOTENCY_KEY_REUSED`.")
    )
)]
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

/// The proposals for a request, newest first: all for its client, a provider's own for a provider.
#[utoipa::path(
    get, path = "/requests/{id}/proposals", operation_id = "listProposals", tag = "proposals",
    params(("id" = RequestId, Path), Paging),
    responses(
        (status = 200, body = Page<Proposal>),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Id(request): Id<RequestId>,
    query: Query,
) -> Outcome<Json<Page<Proposal>>> {
    service::list(&app, &caller, request, query.page()?).await.map(page).map(Json)
}

/// Accept: the project with its locked terms and its conversation come to be, or nothing does.
#[utoipa::path(
    post, path = "/proposals/{id}/accept", operation_id = "acceptProposal", tag = "proposals",
    params(("id" = ProposalId, Path)),
    responses(
        (status = 201, body = Accepted),
        (status = 403, description = "`FORBIDDEN`: for the request's client."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`PROPOSAL_NOT_PENDING`, `PROVIDER_NOT_APPROVED` or `REQUEST_NOT_OPEN`."),
        (status = 410, description = "`PROPOSAL_EXPIRED`.")
    )
)]
async fn accept(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<ProposalId>,
) -> Outcome<(StatusCode, Json<Accepted>)> {
    Ok((StatusCode::CREATED, Json(service::accept(&app, &caller, id).await?)))
}

/// Turn a proposal down.
#[utoipa::path(
    post, path = "/proposals/{id}/reject", operation_id = "rejectProposal", tag = "proposals",
    params(("id" = ProposalId, Path)),
    responses(
        (status = 200, body = Proposal),
        (status = 403, description = "`FORBIDDEN`: for the request's client."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`PROPOSAL_NOT_PENDING`.")
    )
)]
async fn reject(State(app): State<AppState>, caller: Caller, Id(id): Id<ProposalId>) -> Outcome<Json<Proposal>> {
    service::reject(&app, &caller, id).await.map(Json)
}

/// Take a proposal back.
#[utoipa::path(
    post, path = "/proposals/{id}/withdraw", operation_id = "withdrawProposal", tag = "proposals",
    params(("id" = ProposalId, Path)),
    responses(
        (status = 200, body = Proposal),
        (status = 403, description = "`FORBIDDEN`: for the proposal's provider."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`PROPOSAL_NOT_PENDING`.")
    )
)]
async fn withdraw(State(app): State<AppState>, caller: Caller, Id(id): Id<ProposalId>) -> Outcome<Json<Proposal>> {
    service::withdraw(&app, &caller, id).await.map(Json)
}
