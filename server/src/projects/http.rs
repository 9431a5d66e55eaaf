//! The routes of projects.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, patch},
};
use parley_domain::{Project, ProjectId};
use parley_protocol::rest::Page;
use parley_store::ProjectClosing;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Id, Query},
    pages::page,
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/projects", get(list))
        .route("/projects/{id}", get(one))
        .route("/projects/{id}/complete", patch(complete))
        .route("/projects/{id}/cancel", patch(cancel))
}

async fn list(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<Project>>> {
    service::list(&app, &caller, query.page()?).await.map(page).map(Json)
}

async fn one(State(app): State<AppState>, caller: Caller, Id(id): Id<ProjectId>) -> Outcome<Json<Project>> {
    service::get(&app, &caller, id).await.map(Json)
}

async fn complete(State(app): State<AppState>, caller: Caller, Id(id): Id<ProjectId>) -> Outcome<Json<Project>> {
    service::close(&app, &caller, id, ProjectClosing::Complete).await.map(Json)
}

async fn cancel(State(app): State<AppState>, caller: Caller, Id(id): Id<ProjectId>) -> Outcome<Json<Project>> {
    service::close(&app, &caller, id, ProjectClosing::Cancel).await.map(Json)
}
