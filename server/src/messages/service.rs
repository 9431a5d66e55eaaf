//! Writing, changing, reading and finding messages.

use std::collections::HashSet;

use parley_domain::{
    ConversationId, FieldCheck, MAX_ATTACHMENTS, Message, MessageId, MessageType, SearchQuery, normalize_content,
};
use parley_protocol::rest::{self, SearchHit};
use parley_store::{Appended, NewMessage, Page, PageRequest, Posted, Recorded, Revision};

use crate::{
    attachments::links,
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
    check_attachments(&mut check, &body);
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

/// A message as its sender sees it: what was serialized once, unless its files need links of the reader's own.
pub(crate) fn json_for(app: &AppState, caller: &Caller, posted: &Posted) -> Outcome<String> {
    if posted.attachments.is_empty() {
        return Ok(posted.json().get().to_owned());
    }
    let mut message = Message::clone(posted);
    links::sign_messages(app, caller.id(), [&mut message]);
    serde_json::to_string(&message).map_err(Refusal::internal)
}

/// Whose they are and whether they were sent before is the store's to say.
fn check_attachments(check: &mut FieldCheck, body: &rest::NewMessage) {
    let ids = &body.attachment_ids;
    match body.kind {
        MessageType::File if ids.is_empty() => check.add("/attachmentIds", "a file message needs at least one upload"),
        MessageType::Text if !ids.is_empty() => check.add("/attachmentIds", "only a message of type file has uploads"),
        MessageType::File if ids.len() > MAX_ATTACHMENTS => {
            check.add("/attachmentIds", format!("has at most {MAX_ATTACHMENTS} uploads"));
        }
        MessageType::File if ids.iter().collect::<HashSet<_>>().len() < ids.len() => {
            check.add("/attachmentIds", "names an upload twice");
        }
        _ => {}
    }
}

/// A page of history.
pub(crate) async fn history(
    app: &AppState,
    caller: &Caller,
    conversation: ConversationId,
    page: PageRequest,
) -> Outcome<Page<Recorded>> {
    let mut page = app.store.messages(caller.id(), conversation, page).await?;
    for recorded in &mut page.items {
        if let Recorded::Message(message) = recorded {
            links::sign_messages(app, caller.id(), [&mut **message]);
        }
    }
    Ok(page)
}

/// Gives a message of the caller's another content.
pub(crate) async fn edit(app: &AppState, caller: &Caller, id: MessageId, content: String) -> Outcome<Message> {
    app.limits.take_for(Kind::Message, caller.id())?;
    let mut revised = app.store.revise_message(caller.id(), id, Revision::Edit(content), app.now()).await?;
    links::sign_messages(app, caller.id(), [&mut revised.message]);
    Ok(revised.message)
}

/// Deletes a message of the caller's, and then the bytes of its files. Bytes that stay because this was cut short are
/// swept out later.
pub(crate) async fn delete(app: &AppState, caller: &Caller, id: MessageId) -> Outcome<()> {
    app.limits.take_for(Kind::Message, caller.id())?;
    let revised = app.store.revise_message(caller.id(), id, Revision::Delete, app.now()).await?;
    for file in revised.removed {
        app.files.remove(file).await;
    }
    Ok(())
}

/// Finds messages of the caller's conversations.
pub(crate) async fn search(
    app: &AppState,
    caller: &Caller,
    query: SearchQuery,
    conversation: Option<ConversationId>,
    page: PageRequest,
) -> Outcome<Page<SearchHit>> {
    app.limits.take_for(Kind::Search, caller.id())?;
    let found = app.store.search_messages(caller.id(), query, conversation, page).await?;
    let hit = |found: parley_store::Found| {
        let mut message = found.message;
        links::sign_messages(app, caller.id(), [&mut message]);
        SearchHit { message, snippet: found.snippet.text, matches: found.snippet.matches }
    };
    Ok(Page { items: found.items.into_iter().map(hit).collect(), next_cursor: found.next_cursor })
}
