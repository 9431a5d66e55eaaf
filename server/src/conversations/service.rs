//! The one conversation of each project, and how far people have read in it.

use parley_domain::{Conversation, ConversationId, MessageId, ProjectStatus, UserId};
use parley_protocol::rest::ReadMark;
use parley_store::{ConversationError, ConversationKey, Page, PageRequest};

use crate::{attachments::links, auth::caller::Caller, problem::Outcome, state::AppState};

/// The caller's conversations, newest activity first.
pub(crate) async fn list(app: &AppState, caller: &Caller, page: PageRequest) -> Outcome<Page<Conversation>> {
    let mut page = app.store.conversations(caller.id(), page).await?;
    let newest = page.items.iter_mut().filter_map(|conversation| conversation.last_message.as_mut());
    links::sign_messages(app, caller.id(), newest);
    Ok(page)
}

/// One conversation of the caller's.
pub(crate) async fn get(app: &AppState, caller: &Caller, key: ConversationKey) -> Outcome<Conversation> {
    let mut conversation = app.store.conversation(caller.id(), key).await?;
    links::sign_messages(app, caller.id(), &mut conversation.last_message);
    Ok(conversation)
}

/// Everybody in a conversation that the person is in.
pub(crate) async fn participants(app: &AppState, person: UserId, conversation: ConversationId) -> Outcome<Vec<UserId>> {
    Ok(app.store.participants(person, conversation).await?)
}

/// Who else hears that the person writes something; only where something can be written.
pub(crate) async fn listeners(app: &AppState, person: UserId, conversation: ConversationId) -> Outcome<Vec<UserId>> {
    let found = app.store.conversation(person, ConversationKey::Id(conversation)).await?;
    if found.project_status != ProjectStatus::Active {
        return Err(ConversationError::ProjectNotActive(found.project_status).into());
    }
    Ok(found.participants.iter().map(|participant| participant.user_id).filter(|user| *user != person).collect())
}

/// Moves the reader's mark up to a message, or up to the newest one; never back. The commit tells of it.
pub(crate) async fn mark_read(
    app: &AppState,
    reader: UserId,
    conversation: ConversationId,
    up_to: Option<MessageId>,
) -> Outcome<ReadMark> {
    let read = app.store.mark_read(reader, conversation, up_to, app.now()).await?;
    Ok(ReadMark {
        conversation_id: conversation,
        last_read_message_id: read.state.last_read_message_id,
        read_at: read.state.read_at,
        updated: read.moved,
    })
}
