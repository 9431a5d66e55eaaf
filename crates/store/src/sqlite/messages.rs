//! Messages and read marks.

use std::{collections::HashMap, sync::Arc};

use parley_domain::{ConversationId, Message, MessageId, ProjectStatus, ReadBy, Timestamp, UserId};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::{
    attachments,
    conversations::everybody_in,
    db::{ChangeRow, Db, RowExt, Tx, json_ids, new_id},
    history,
    lists::by_id,
};
use crate::{Appended, Committed, ConversationError, NewMessage, Novelty, Posted, Read, ReadState, StoreError};

/// The row as it is, for `SELECT *` and `SELECT m.*`: the columns are numbered as the table has them, since looking each
/// up by its name takes longer than reading it. Who has read it comes from [`read_by_whom`], its files from
/// [`attachments::fill_in`].
pub(super) fn message_of(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.id(1)?,
        conversation_id: row.id(2)?,
        seq: row.get(3)?,
        sender_id: row.id(4)?,
        kind: row.word(5)?,
        content: row.get(6)?,
        attachments: Vec::new(),
        reply_to_id: row.opt_id(7)?,
        client_id: row.get(8)?,
        created_at: row.at(9)?,
        edited_at: row.opt_at(10)?,
        deleted_at: row.opt_at(11)?,
        read_by: Vec::new(),
    })
}

pub(super) struct Place {
    pub(super) participants: Vec<UserId>,
    last_seq: i64,
    pub(super) project: ProjectStatus,
}

/// The conversation as a writer needs it, in one statement.
pub(super) fn place_of(db: &Db<'_>, conversation: ConversationId, caller: UserId) -> Result<Place, ConversationError> {
    let rows = db.all(
        "SELECT pt.user_id, c.last_seq, p.status FROM conversations c
         JOIN projects p ON p.id = c.project_id
         JOIN participants pt ON pt.conversation_id = c.id
         WHERE c.id = ?1 ORDER BY pt.place",
        [conversation.0],
        |row| Ok((row.id::<UserId>(0)?, row.get::<_, i64>(1)?, row.word(2)?)),
    )?;
    let Some(&(_, last_seq, project)) = rows.iter().find(|(user, ..)| *user == caller) else {
        return Err(ConversationError::NotFound);
    };
    Ok(Place { participants: rows.into_iter().map(|(user, ..)| user).collect(), last_seq, project })
}

pub(super) fn append_message(tx: &mut Tx<'_>, new: NewMessage, now: Timestamp) -> Result<Appended, ConversationError> {
    // Before all else: what was answered once is answered again, also when the project has closed since.
    if let Some(client_id) = &new.client_id
        && let Some(message) = first_of(tx, new.sender, client_id)?
    {
        let participants = everybody_in(tx, message.conversation_id)?;
        let message = Arc::new(Posted::new(message)?);
        return Ok(Appended { message, novelty: Novelty::Same, participants });
    }
    let place = place_of(tx, new.conversation, new.sender)?;
    if place.project != ProjectStatus::Active {
        return Err(ConversationError::ProjectNotActive(place.project));
    }
    if let Some(answered) = new.reply_to {
        seq_of(tx, new.conversation, answered)?.ok_or(ConversationError::UnknownReply)?;
    }
    let mut message = Message {
        id: new_id(now),
        seq: place.last_seq + 1,
        conversation_id: new.conversation,
        sender_id: new.sender,
        kind: new.kind,
        content: new.content,
        attachments: Vec::new(),
        reply_to_id: new.reply_to,
        client_id: new.client_id,
        created_at: now,
        edited_at: None,
        deleted_at: None,
        read_by: Vec::new(),
    };
    let change = tx.number(now)?;
    let posted = if new.attachments.is_empty() {
        let posted = Posted::new(message)?;
        insert(tx, &posted, change, history::kept_json(&posted))?;
        posted
    } else {
        insert(tx, &message, change, None)?;
        attachments::attach(tx, &mut message, &new.attachments)?;
        Posted::new(message)?
    };
    tx.run_one(
        "UPDATE conversations SET last_seq = ?2, activity = ?3, updated_at = ?4 WHERE id = ?1",
        params![posted.conversation_id.0, posted.seq, change, now.as_millis()],
    )?;
    let message = Arc::new(posted);
    tx.publish(Committed::Message { message: Arc::clone(&message), to: place.participants.clone() });
    Ok(Appended { message, novelty: Novelty::New, participants: place.participants })
}

fn insert(tx: &Tx<'_>, message: &Message, change: i64, json: Option<&str>) -> Result<(), StoreError> {
    tx.run_one(
        "INSERT INTO messages
             (id, conversation_id, seq, sender_id, type, content, reply_to_id, client_id, created_at,
              change_number, json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            message.id.0,
            message.conversation_id.0,
            message.seq,
            message.sender_id.0,
            message.kind.as_str(),
            message.content,
            message.reply_to_id.map(|id| id.0),
            message.client_id,
            message.created_at.as_millis(),
            change,
            json
        ],
    )
}

/// The message that this sender wrote under that name: as it was first answered, unless its author has revised it
/// since. What was deleted is not kept, not even for this.
fn first_of(db: &Db<'_>, sender: UserId, client_id: &str) -> Result<Option<Message>, StoreError> {
    let sql = "SELECT * FROM messages WHERE sender_id = ?1 AND client_id = ?2";
    let Some(mut message) = db.one(sql, params![sender.0, client_id], message_of)? else { return Ok(None) };
    attachments::fill_in(db, std::slice::from_mut(&mut message))?;
    Ok(Some(message))
}

fn seq_of(db: &Db<'_>, conversation: ConversationId, message: MessageId) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT seq FROM messages WHERE id = ?1 AND conversation_id = ?2";
    db.one(sql, (message.0, conversation.0), |row| row.get(0))
}

/// One message with its readers, whoever asks.
pub(super) fn find_message(db: &Db<'_>, id: MessageId) -> Result<Option<Message>, StoreError> {
    let Some(mut message) = db.one("SELECT * FROM messages WHERE id = ?1", [id.0], message_of)? else {
        return Ok(None);
    };
    read_by_whom(db, std::slice::from_mut(&mut message))?;
    attachments::fill_in(db, std::slice::from_mut(&mut message))?;
    Ok(Some(message))
}

/// Those of these messages that are there, with their readers, whoever asks.
pub(super) fn find_messages(db: &Db<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Message>, StoreError> {
    let mut messages: Vec<_> = by_id(db, "SELECT * FROM messages WHERE id", ids, message_of)?.into_values().collect();
    if !messages.is_empty() {
        read_by_whom(db, &mut messages)?;
        attachments::fill_in(db, &mut messages)?;
    }
    Ok(messages.into_iter().map(|message| (message.id.0, message)).collect())
}

/// Fills in who has read each of these messages, of whatever conversations, in one statement.
pub(super) fn read_by_whom(db: &Db<'_>, messages: &mut [Message]) -> Result<(), StoreError> {
    let ids = json_ids(messages.iter().map(|message| message.id.0));
    let rows = db.all(
        "SELECT m.id, pt.user_id,
             (SELECT r.read_at FROM read_marks r WHERE r.conversation_id = m.conversation_id
              AND r.user_id = pt.user_id AND r.up_to_seq >= m.seq ORDER BY r.up_to_seq LIMIT 1) AS read_at
         FROM messages m JOIN participants pt ON pt.conversation_id = m.conversation_id
         WHERE m.id IN (SELECT unhex(value) FROM json_each(?1))
         AND pt.user_id <> m.sender_id AND pt.last_read_seq >= m.seq
         ORDER BY pt.place",
        [ids],
        |row| Ok((row.id::<MessageId>("id")?, row.id("user_id")?, row.opt_at("read_at")?)),
    )?;
    let mut readers: HashMap<_, Vec<_>> = HashMap::new();
    for (message, user_id, read_at) in rows {
        readers.entry(message).or_default().extend(read_at.map(|read_at| ReadBy { user_id, read_at }));
    }
    for message in messages {
        message.read_by = readers.remove(&message.id).unwrap_or_default();
    }
    Ok(())
}

pub(super) fn mark_read(
    tx: &mut Tx<'_>,
    reader: UserId,
    conversation: ConversationId,
    up_to: Option<MessageId>,
    now: Timestamp,
) -> Result<Read, ConversationError> {
    let place = place_of(tx, conversation, reader)?;
    let named = up_to;
    let up_to = match named {
        Some(message) => seq_of(tx, conversation, message)?.ok_or(ConversationError::NotFound)?,
        None => place.last_seq,
    };
    let moved = tx.run(
        "UPDATE participants SET last_read_seq = ?3, read_at = ?4,
             last_read_message_id = (SELECT id FROM messages WHERE conversation_id = ?1 AND seq = ?3)
         WHERE conversation_id = ?1 AND user_id = ?2 AND last_read_seq < ?3",
        params![conversation.0, reader.0, up_to, now.as_millis()],
    )? > 0;
    let state = read_state(tx, conversation, reader)?.ok_or(ConversationError::NotFound)?;
    if moved {
        tx.run_one(
            "INSERT INTO read_marks (conversation_id, user_id, up_to_seq, read_at) VALUES (?1, ?2, ?3, ?4)",
            params![conversation.0, reader.0, up_to, now.as_millis()],
        )?;
        let change = ChangeRow { kind: "read", subject: conversation.0, actor: Some(reader) };
        tx.log(change, &place.participants, now)?;
        tx.publish(Committed::Read { state: state.clone(), up_to: named, to: place.participants.clone() });
    }
    Ok(Read { state, moved, participants: place.participants })
}

/// Where a mark stands; `None` for someone who is not in the conversation.
pub(super) fn read_state(
    db: &Db<'_>,
    conversation: ConversationId,
    reader: UserId,
) -> Result<Option<ReadState>, StoreError> {
    let sql = format!("{READ_STATE} WHERE conversation_id = ?1 AND user_id = ?2");
    db.one(&sql, (conversation.0, reader.0), read_state_of)
}

/// Where everybody's marks stand in these conversations.
pub(super) fn read_states(
    db: &Db<'_>,
    conversations: &[Uuid],
) -> Result<HashMap<(ConversationId, UserId), ReadState>, StoreError> {
    if conversations.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("{READ_STATE} WHERE conversation_id IN (SELECT unhex(value) FROM json_each(?1))");
    let states = db.all(&sql, [json_ids(conversations.iter().copied())], read_state_of)?;
    Ok(states.into_iter().map(|state| ((state.conversation_id, state.user_id), state)).collect())
}

const READ_STATE: &str =
    "SELECT conversation_id, user_id, last_read_seq, last_read_message_id, read_at FROM participants";

fn read_state_of(row: &Row<'_>) -> rusqlite::Result<ReadState> {
    Ok(ReadState {
        conversation_id: row.id("conversation_id")?,
        user_id: row.id("user_id")?,
        last_read_seq: row.get("last_read_seq")?,
        last_read_message_id: row.opt_id("last_read_message_id")?,
        read_at: row.opt_at("read_at")?,
    })
}
