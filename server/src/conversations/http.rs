//! The routes of conversations and read marks.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, patch},
};
use parley_domain::{Conversation, ConversationId, ProjectId};
use parley_protocol::rest::{MarkRead, Page, ReadMark};
use parley_store::ConversationKey;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Id, MaybeBody, Query},
    pages::page,
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/conversations", get(list))
        .route("/conversations/{id}", get(one))
        .route("/conversations/project/{id}", get(of_project))
        .route("/messages/conversation/{id}/read", patch(mark_read))
}

async fn list(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<Conversation>>> {
    service::list(&app, &caller, query.page()?).await.map(page).map(Json)
}

async fn one(State(app): State<AppState>, caller: Caller, Id(id): Id<ConversationId>) -> Outcome<Json<Conversation>> {
    service::get(&app, &caller, ConversationKey::Id(id)).await.map(Json)
}

async fn of_project(State(app): State<AppState>, caller: Caller, Id(id): Id<ProjectId>) -> Outcome<Json<Conversation>> {
    service::get(&app, &caller, ConversationKey::Project(id)).await.map(Json)
}

async fn mark_read(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<ConversationId>,
    MaybeBody(body): MaybeBody<MarkRead>,
) -> Outcome<Json<ReadMark>> {
    service::mark_read(&app, caller.id(), id, body.up_to_message_id).await.map(Json)
}
