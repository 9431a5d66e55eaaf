//! The routes of projects.

use axum::{Json, extract::State};
use parley_domain::{Project, ProjectId};
use parley_protocol::rest::Page;
use parley_store::ProjectClosing;
use utoipa_axum::routes;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Id, Query},
    openapi::{Paging, Routes},
    pages::page,
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Routes {
    Routes::of([routes!(list), routes!(one), routes!(complete), routes!(cancel)])
}

/// My projects, newest first.
#[utoipa::path(
    get, path = "/projects", operation_id = "listProjects", tag = "projects",
    params(Paging),
    responses((status = 200, body = Page<Project>))
)]
async fn list(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<Project>>> {
    service::list(&app, &caller, query.page()?).await.map(page).map(Json)
}

/// One of my projects.
#[utoipa::path(
    get, path = "/projects/{id}", operation_id = "getProject", tag = "projects",
    params(("id" = ProjectId, Path)),
    responses(
        (status = 200, body = Project),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn one(State(app): State<AppState>, caller: Caller, Id(id): Id<ProjectId>) -> Outcome<Json<Project>> {
    service::get(&app, &caller, id).await.map(Json)
}

/// Close it as done, and its meetings with it.
#[utoipa::path(
    patch, path = "/projects/{id}/complete", operation_id = "completeProject", tag = "projects",
    params(("id" = ProjectId, Path)),
    responses(
        (status = 200, body = Project),
        (status = 403, description = "`FORBIDDEN`: for the project's client."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`PROJECT_NOT_ACTIVE`.")
    )
)]
async fn complete(State(app): State<AppState>, caller: Caller, Id(id): Id<ProjectId>) -> Outcome<Json<Project>> {
    service::close(&app, &caller, id, ProjectClosing::Complete).await.map(Json)
}

/// Give it up, and its meetings with it.
#[utoipa::path(
    patch, path = "/projects/{id}/cancel", operation_id = "cancelProject", tag = "projects",
    params(("id" = ProjectId, Path)),
    responses(
        (status = 200, body = Project),
        (status = 403, description = "`FORBIDDEN`: for the project's client."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`PROJECT_NOT_ACTIVE`.")
    )
)]
async fn cancel(State(app): State<AppState>, caller: Caller, Id(id): Id<ProjectId>) -> Outcome<Json<Project>> {
    service::close(&app, &caller, id, ProjectClosing::Cancel).await.map(Json)
}
