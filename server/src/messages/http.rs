//! The routes of messages.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use parley_domain::{ConversationId, Message};
use parley_protocol::rest::{NewMessage, Page};
use parley_store::{Cursor, Novelty, PageRequest};

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Body, Id, Query},
    pages::page,
    problem::{Outcome, Refusal},
    state::AppState,
};

pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/messages", post(send)).route("/messages/conversation/{id}", get(history))
}

async fn send(
    State(app): State<AppState>,
    caller: Caller,
    Body(body): Body<NewMessage>,
) -> Outcome<(StatusCode, Json<Message>)> {
    let appended = service::send(&app, &caller, body).await?;
    let status = match appended.novelty {
        Novelty::New => StatusCode::CREATED,
        Novelty::Same => StatusCode::OK,
    };
    Ok((status, Json(appended.message)))
}

async fn history(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<ConversationId>,
    query: Query,
) -> Outcome<Json<Page<Message>>> {
    let request = match query.get::<i64>("after", "the seq of a message")? {
        Some(seq) if seq < 0 => return Err(Refusal::invalid("/after", "is the seq of a message, or 0")),
        Some(_) if query.text("cursor").is_some() => {
            return Err(Refusal::invalid("/after", "can't be combined with a cursor"));
        }
        Some(seq) => PageRequest { limit: query.limit()?, cursor: Some(Cursor::after(seq)) },
        None => query.page()?,
    };
    service::history(&app, &caller, id, request).await.map(page).map(Json)
}
