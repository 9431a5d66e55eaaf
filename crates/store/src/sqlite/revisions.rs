//! Editing and deleting: what an author may do to a message for a while.

use parley_domain::{EDIT_WINDOW, Message, MessageId, ProjectStatus, Timestamp, UserId, normalize_content};

use super::{
    attachments,
    db::{ChangeRow, Tx},
    messages::{find_message, place_of},
    search,
};
use crate::{Committed, ConversationError, Revised, Revision};

pub(super) fn revise_message(
    tx: &mut Tx<'_>,
    author: UserId,
    id: MessageId,
    revision: Revision,
    now: Timestamp,
) -> Result<Revised, ConversationError> {
    let message = find_message(tx, id)?.ok_or(ConversationError::NotFound)?;
    let place = place_of(tx, message.conversation_id, author)?;
    if message.sender_id != author {
        return Err(ConversationError::NotTheAuthor);
    }
    let unchanged = Revised { message: message.clone(), removed: Vec::new() };
    // Whoever lost the answer of a deletion asks again, however late.
    if message.deleted_at.is_some() && revision == Revision::Delete {
        return Ok(unchanged);
    }
    if place.project != ProjectStatus::Active {
        return Err(ConversationError::ProjectNotActive(place.project));
    }
    if message.deleted_at.is_some() {
        return Err(ConversationError::Deleted);
    }
    if now.saturating_since(message.created_at) > EDIT_WINDOW {
        return Err(ConversationError::EditWindowOver);
    }
    let revised = match revision {
        Revision::Edit(content) => {
            let content = normalize_content(&content, message.kind)?;
            if content == message.content {
                return Ok(unchanged);
            }
            edit(tx, message, content, now)?
        }
        Revision::Delete => delete(tx, message, now)?,
    };
    tx.log(ChangeRow::of("message", id.0), &place.participants, now)?;
    tx.publish(Committed::MessageUpdated { message: revised.message.clone(), to: place.participants });
    Ok(revised)
}

fn edit(tx: &Tx<'_>, mut message: Message, content: String, now: Timestamp) -> Result<Revised, ConversationError> {
    search::reindex(tx, &message, &content)?;
    message.content = content;
    message.edited_at = Some(now);
    tx.run_one(
        "UPDATE messages SET content = ?2, edited_at = ?3 WHERE id = ?1",
        (message.id.0, &message.content, now.as_millis()),
    )?;
    Ok(Revised { message, removed: Vec::new() })
}

fn delete(tx: &Tx<'_>, mut message: Message, now: Timestamp) -> Result<Revised, ConversationError> {
    let removed = attachments::detach(tx, message.id)?;
    search::reindex(tx, &message, "")?;
    message.content = String::new();
    message.attachments = Vec::new();
    message.deleted_at = Some(now);
    tx.run_one("UPDATE messages SET content = '', deleted_at = ?2 WHERE id = ?1", (message.id.0, now.as_millis()))?;
    Ok(Revised { message, removed })
}
