//! The routes of messages.

use axum::{
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use parley_domain::{ConversationId, Message};
use parley_protocol::rest::{NewMessage, Page};
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
    Routes::of([routes!(send), routes!(history)])
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
    Ok((status, JSON, appended.message.json().get().to_owned()).into_response())
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
