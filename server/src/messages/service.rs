//! Writing and reading messages.

use parley_domain::{ConversationId, FieldCheck, MessageType, normalize_content};
use parley_protocol::rest;
use parley_store::{Appended, NewMessage, Page, PageRequest, Recorded};

use crate::{
    auth::caller::Caller,
    limits::Kind,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// Writes a message. When this answers it is on disk; the sockets hear of it from the commit.
pub(crate) async fn send(app: &AppState, caller: &Caller, body: rest::NewMessage) -> Outcome<Appended> {
    app.limits.take_for(Kind::Message, caller.id())?;
    let mut check = FieldCheck::new();
    if let Some(client_id) = &body.client_id {
        check.client_id("/clientId", client_id);
    }
    if !body.attachment_ids.is_empty() {
        check.add("/attachmentIds", "names no uploads of yours");
    } else if body.kind == MessageType::File {
        check.add("/attachmentIds", "a file message needs at least one upload");
    }
    check.finish()?;
    let content = normalize_content(&body.content, body.kind)
        .map_err(|problem| Refusal::invalid("/content", problem.to_string()))?;
    let message = NewMessage {
        sender: caller.id(),
        conversation: body.conversation_id,
        kind: body.kind,
        content,
        client_id: body.client_id,
        reply_to: body.reply_to_id,
        attachments: body.attachment_ids,
    };
    Ok(app.store.append_message(message, app.now()).await?)
}

/// A page of history.
pub(crate) async fn history(
    app: &AppState,
    caller: &Caller,
    conversation: ConversationId,
    page: PageRequest,
) -> Outcome<Page<Recorded>> {
    Ok(app.store.messages(caller.id(), conversation, page).await?)
}
