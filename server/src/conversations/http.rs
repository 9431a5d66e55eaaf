//! The routes of conversations and read marks.

use axum::{Json, extract::State};
use parley_domain::{Conversation, ConversationId, ProjectId};
use parley_protocol::rest::{MarkRead, Page, ReadMark};
use parley_store::ConversationKey;
use utoipa_axum::routes;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Id, MaybeBody, Query},
    openapi::{Paging, Routes},
    pages::page,
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Routes {
    Routes::of([routes!(list), routes!(one), routes!(of_project), routes!(mark_read)])
}

/// My conversations, newest activity first.
#[utoipa::path(
    get, path = "/conversations", operation_id = "listConversations", tag = "conversations",
    params(Paging),
    responses((status = 200, body = Page<Conversation>))
)]
async fn list(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<Conversation>>> {
    service::list(&app, &caller, query.page()?).await.map(page).map(Json)
}

/// One conversation.
#[utoipa::path(
    get, path = "/conversations/{id}", operation_id = "getConversation", tag = "conversations",
    params(("id" = ConversationId, Path)),
    responses(
        (status = 200, body = Conversation),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn one(State(app): State<AppState>, caller: Caller, Id(id): Id<ConversationId>) -> Outcome<Json<Conversation>> {
    service::get(&app, &caller, ConversationKey::Id(id)).await.map(Json)
}

/// A project's conversation.
#[utoipa::path(
    get, path = "/conversations/project/{id}", operation_id = "getConversationOfProject", tag = "conversations",
    params(("id" = ProjectId, Path)),
    responses(
        (status = 200, body = Conversation),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn of_project(State(app): State<AppState>, caller: Caller, Id(id): Id<ProjectId>) -> Outcome<Json<Conversation>> {
    service::get(&app, &caller, ConversationKey::Project(id)).await.map(Json)
}

/// Move my read mark up to a message, or up to the newest. It never goes back.
#[utoipa::path(
    patch, path = "/messages/conversation/{id}/read", operation_id = "markRead", tag = "conversations",
    params(("id" = ConversationId, Path)),
    request_body = Option<MarkRead>,
    responses(
        (status = 200, body = ReadMark),
        (status = 404, description = "`NOT_FOUND`: no such conversation, or no such message in it.")
    )
)]
async fn mark_read(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<ConversationId>,
    MaybeBody(body): MaybeBody<MarkRead>,
) -> Outcome<Json<ReadMark>> {
    service::mark_read(&app, caller.id(), id, body.up_to_message_id).await.map(Json)
}
