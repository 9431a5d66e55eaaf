//! Conversations as one participant sees them, a page in three statements.

use std::collections::HashMap;

use parley_domain::{Conversation, ConversationId, Message, Participant, ReadBy, Timestamp, UserId};
use rusqlite::{Params, Row};

use super::{
    attachments,
    db::{Db, RowExt, json_ids},
    lists::cut,
    messages::message_of,
};
use crate::{ConversationError, ConversationKey, Cursor, Page, PageRequest, StoreError};

const CONVERSATION: &str = "SELECT c.activity, c.id, c.project_id, p.title, p.status, c.updated_at,
    (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id AND m.seq > mine.last_read_seq
         AND m.sender_id <> ?1 AND m.deleted_at IS NULL) AS unread
    FROM participants mine
    JOIN conversations c ON c.id = mine.conversation_id
    JOIN projects p ON p.id = c.project_id
    WHERE mine.user_id = ?1";

fn conversation_of(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    Ok(Conversation {
        id: row.id("id")?,
        project_id: row.id("project_id")?,
        project_title: row.get("title")?,
        project_status: row.word("status")?,
        participants: Vec::new(),
        last_message: None,
        unread_count: row.get("unread")?,
        updated_at: row.at("updated_at")?,
    })
}

pub(super) fn conversations(db: &Db<'_>, viewer: UserId, page: PageRequest) -> Result<Page<Conversation>, StoreError> {
    let before = page.cursor.map_or(i64::MAX, |cursor| cursor.position);
    let limit = page.limit();
    // Which ones first, then what is in them: the unread count is not taken of rows that fall off the page.
    let sql = format!(
        "{CONVERSATION} AND c.activity < ?2 AND c.id IN (
             SELECT inner_c.id FROM participants inner_p JOIN conversations inner_c
             ON inner_c.id = inner_p.conversation_id
             WHERE inner_p.user_id = ?1 AND inner_c.activity < ?2 ORDER BY inner_c.activity DESC LIMIT ?3)
         ORDER BY c.activity DESC"
    );
    let rows = load(db, &sql, (viewer.0, before, limit as i64 + 1))?;
    Ok(cut(rows, limit, Cursor::before))
}

pub(super) fn conversation(
    db: &Db<'_>,
    viewer: UserId,
    key: ConversationKey,
) -> Result<Conversation, ConversationError> {
    let (condition, id) = match key {
        ConversationKey::Id(id) => ("c.id = ?2", id.0),
        ConversationKey::Project(id) => ("c.project_id = ?2", id.0),
    };
    let found = load(db, &format!("{CONVERSATION} AND {condition}"), (viewer.0, id))?;
    found.into_iter().next().map(|(_, conversation)| conversation).ok_or(ConversationError::NotFound)
}

fn load(db: &Db<'_>, sql: &str, params: impl Params) -> Result<Vec<(i64, Conversation)>, StoreError> {
    let mut rows = db.all(sql, params, |row| Ok((row.get("activity")?, conversation_of(row)?)))?;
    let ids = json_ids(rows.iter().map(|(_, conversation)| conversation.id.0));
    let mut readers = readers_of(db, &ids)?;
    let mut newest = newest_of(db, &ids)?;
    for (_, conversation) in &mut rows {
        let readers = readers.remove(&conversation.id).unwrap_or_default();
        conversation.last_message = newest.remove(&conversation.id).map(|message| read_by(message, &readers));
        conversation.participants = readers.into_iter().map(|reader| reader.participant).collect();
    }
    Ok(rows)
}

struct Reader {
    participant: Participant,
    read_at: Option<Timestamp>,
}

fn readers_of(db: &Db<'_>, ids: &str) -> Result<HashMap<ConversationId, Vec<Reader>>, StoreError> {
    let rows = db.all(
        "SELECT pt.conversation_id, pt.user_id, u.name, u.role, u.time_zone, pt.last_read_seq, pt.read_at
         FROM participants pt JOIN users u ON u.id = pt.user_id
         WHERE pt.conversation_id IN (SELECT unhex(value) FROM json_each(?1)) ORDER BY pt.place",
        [ids],
        |row| {
            let participant = Participant {
                user_id: row.id("user_id")?,
                name: row.get("name")?,
                role: row.word("role")?,
                last_read_seq: row.get("last_read_seq")?,
                time_zone: row.get("time_zone")?,
            };
            Ok((row.id("conversation_id")?, Reader { participant, read_at: row.opt_at("read_at")? }))
        },
    )?;
    let mut readers: HashMap<_, Vec<_>> = HashMap::new();
    for (conversation, reader) in rows {
        readers.entry(conversation).or_default().push(reader);
    }
    Ok(readers)
}

fn newest_of(db: &Db<'_>, ids: &str) -> Result<HashMap<ConversationId, Message>, StoreError> {
    let mut rows = db.all(
        "SELECT m.* FROM conversations c JOIN messages m ON m.conversation_id = c.id AND m.seq = c.last_seq
         WHERE c.id IN (SELECT unhex(value) FROM json_each(?1))",
        [ids],
        message_of,
    )?;
    attachments::fill_in(db, &mut rows)?;
    Ok(rows.into_iter().map(|message| (message.conversation_id, message)).collect())
}

/// Of the newest message a mark's last step is the one that passed it.
fn read_by(mut message: Message, readers: &[Reader]) -> Message {
    let others = readers.iter().filter(|reader| {
        reader.participant.user_id != message.sender_id && reader.participant.last_read_seq >= message.seq
    });
    message.read_by = others
        .filter_map(|reader| Some(ReadBy { user_id: reader.participant.user_id, read_at: reader.read_at? }))
        .collect();
    message
}

pub(super) fn conversation_ids(db: &Db<'_>, user: UserId) -> Result<Vec<ConversationId>, StoreError> {
    db.all("SELECT conversation_id FROM participants WHERE user_id = ?1", [user.0], |row| row.id("conversation_id"))
}

pub(super) fn participants(
    db: &Db<'_>,
    viewer: UserId,
    conversation: ConversationId,
) -> Result<Vec<UserId>, ConversationError> {
    let people = everybody_in(db, conversation)?;
    if people.contains(&viewer) { Ok(people) } else { Err(ConversationError::NotFound) }
}

/// Client first, then the providers; empty for an unknown conversation.
pub(super) fn everybody_in(db: &Db<'_>, conversation: ConversationId) -> Result<Vec<UserId>, StoreError> {
    db.all("SELECT user_id FROM participants WHERE conversation_id = ?1 ORDER BY place", [conversation.0], |row| {
        row.id("user_id")
    })
}
