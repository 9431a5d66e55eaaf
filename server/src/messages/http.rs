//! The routes of messages.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use parley_domain::{ConversationId, Message, MessageId, SearchQuery};
use parley_protocol::rest::{EditMessage, NewMessage, Page, SearchHit};
use parley_store::{Cursor, Novelty, PageRequest};
use utoipa_axum::routes;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Body, Id, Query},
    openapi::{After, Paging, Routes},
    pages,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// What is JSON already.
const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

pub(crate) fn routes() -> Routes {
    Routes::of([routes!(send), routes!(history), routes!(edit, delete), routes!(search)])
}

/// Write a message. When this answers it is on disk.
#[utoipa::path(
    post, path = "/messages", operation_id = "sendMessage", tag = "messages",
    request_body = NewMessage,
    responses(
        (status = 200, description = "The first answer again: this `clientId` was used before.", body = Message),
        (status = 201, body = Message),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`PROJECT_NOT_ACTIVE`.")
    )
)]
async fn send(State(app): State<AppState>, caller: Caller, Body(body): Body<NewMessage>) -> Outcome<Response> {
    let appended = service::send(&app, &caller, body).await?;
    let status = match appended.novelty {
        Novelty::New => StatusCode::CREATED,
        Novelty::Same => StatusCode::OK,
    };
    Ok((status, JSON, service::json_for(&app, &caller, &appended.message)?).into_response())
}

/// A page of messages, oldest first inside it; the newest page first, or what came after a `seq`.
#[utoipa::path(
    get, path = "/messages/conversation/{id}", operation_id = "listMessages", tag = "messages",
    params(("id" = ConversationId, Path), Paging, After),
    responses(
        (status = 200, body = Page<Message>),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn history(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<ConversationId>,
    query: Query,
) -> Outcome<Response> {
    let request = match query.get::<i64>("after", "the seq of a message")? {
        Some(seq) if seq < 0 => return Err(Refusal::invalid("/after", "is the seq of a message, or 0")),
        Some(_) if query.text("cursor").is_some() => {
            return Err(Refusal::invalid("/after", "can't be combined with a cursor"));
        }
        Some(seq) => PageRequest { limit: query.limit()?, cursor: Some(Cursor::after(seq)) },
        None => query.page()?,
    };
    let page = service::history(&app, &caller, id, request).await?;
    Ok((JSON, pages::history(page)?).into_response())
}

/// Change what a message of mine says, within 15 minutes. Of a file message that is the text beside its files.
#[utoipa::path(
    patch, path = "/messages/{id}", operation_id = "editMessage", tag = "messages",
    params(("id" = MessageId, Path)),
    request_body = EditMessage,
    responses(
        (status = 200, description = "As it is now. The content that it had already changes nothing.", body = Message),
        (status = 403, description = "`FORBIDDEN`: it is another participant's."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`PROJECT_NOT_ACTIVE`, `MESSAGE_DELETED` or `EDIT_WINDOW_OVER`.")
    )
)]
async fn edit(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<MessageId>,
    Body(body): Body<EditMessage>,
) -> Outcome<Json<Message>> {
    service::edit(&app, &caller, id, body.content).await.map(Json)
}

/// Delete a message of mine, within 15 minutes. Its place stays, empty; its files are gone. Repeated, at any time, it
/// is done already.
#[utoipa::path(
    delete, path = "/messages/{id}", operation_id = "deleteMessage", tag = "messages",
    params(("id" = MessageId, Path)),
    responses(
        (status = 204),
        (status = 403, description = "`FORBIDDEN`: it is another participant's."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`PROJECT_NOT_ACTIVE` or `EDIT_WINDOW_OVER`.")
    )
)]
async fn delete(State(app): State<AppState>, caller: Caller, Id(id): Id<MessageId>) -> Outcome<StatusCode> {
    service::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// My messages that hold every word of `q` somewhere, newest first. A word is found inside of longer ones, in any
/// script, without regard to case; nothing in it is syntax.
#[utoipa::path(
    get, path = "/messages/search", operation_id = "searchMessages", tag = "messages",
    params(Search, Paging),
    responses(
        (status = 200, body = Page<SearchHit>),
        (status = 404, description = "`NOT_FOUND`: no such conversation of mine.")
    )
)]
async fn search(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<SearchHit>>> {
    let wanted = SearchQuery::new(query.text("q").unwrap_or_default())
        .map_err(|problem| Refusal::invalid("/q", problem.to_string()))?;
    let conversation = query.get("conversationId", "the id of a conversation")?;
    service::search(&app, &caller, wanted, conversation, query.page()?).await.map(pages::page).map(Json)
}

/// What a search is asked.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes what the handler reads")]
struct Search {
    /// Words, 1 to 200 characters.
    #[param(min_length = 1, max_length = 200)]
    q: String,
    /// Only there.
    #[param(required = false)]
    conversation_id: ConversationId,
}
