//! Messages and read marks.

use parley_domain::{Conversation, ConversationId, Message, MessageId, Timestamp, UserId};
use rusqlite::{OptionalExtension, Transaction};

use super::{
    CacheResult, Db,
    db::{bodies, body},
    outbox,
};
use crate::ClientEvent;

/// What a message says about its own age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// As it was first written (`message:new`): never replaces what is here.
    First,
    /// As it is now, or was lately: replaces what is older.
    Later,
}

pub(super) fn put(transaction: &Transaction<'_>, message: &Message, version: Version) -> CacheResult<Vec<ClientEvent>> {
    let conversation = message.conversation_id.to_string();
    let sql = "SELECT body FROM messages WHERE conversation_id = ?1 AND seq = ?2";
    let old: Option<Message> = body(transaction, sql, (&conversation, message.seq))?;
    let mut events = Vec::new();
    if outbox::remove_arrived(transaction, message)? {
        events.push(ClientEvent::OutboxGone {
            conversation_id: message.conversation_id,
            client_id: message.client_id.clone().unwrap_or_default(),
            sent: true,
        });
    }
    let merged = match old {
        None => message.clone(),
        Some(old) if old.id == message.id => match merge(old, message, version) {
            Some(merged) => merged,
            None => return Ok(events),
        },
        // Another message under the same number: the server was set back, and it is right.
        Some(_) => message.clone(),
    };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO messages (conversation_id, seq, id, sender_id, deleted, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            &conversation,
            merged.seq,
            merged.id.to_string(),
            merged.sender_id.to_string(),
            merged.deleted_at.is_some(),
            serde_json::to_string(&merged)?,
        ))?;
    note_newest(transaction, &merged)?;
    // The message first: whoever shows it knows then that its place in the outbox is taken over.
    events.insert(0, ClientEvent::Message(Box::new(merged)));
    Ok(events)
}

fn merge(old: Message, new: &Message, version: Version) -> Option<Message> {
    let stale = version == Version::First
        || (old.deleted_at.is_some() && new.deleted_at.is_none())
        || old.edited_at > new.edited_at;
    if stale {
        return None;
    }
    let mut merged = new.clone();
    for read in &old.read_by {
        if !merged.read_by.iter().any(|known| known.user_id == read.user_id) {
            merged.read_by.push(read.clone());
        }
    }
    (merged != old).then_some(merged)
}

/// A message that is newer than what its conversation shows brings the conversation up.
fn note_newest(transaction: &Transaction<'_>, message: &Message) -> CacheResult<()> {
    let Some(mut conversation) = conversation(transaction, message.conversation_id)? else { return Ok(()) };
    let shown = conversation.last_message.as_ref().map_or(0, |last| last.seq);
    if message.seq < shown {
        return Ok(());
    }
    conversation.last_message = Some(message.clone());
    let is_new = message.seq > shown;
    if is_new {
        conversation.updated_at = conversation.updated_at.max(message.created_at);
    }
    store_conversation(transaction, &conversation, is_new)
}

pub(super) fn conversation(transaction: &Transaction<'_>, id: ConversationId) -> CacheResult<Option<Conversation>> {
    body(transaction, "SELECT body FROM conversations WHERE id = ?1", [id.to_string()])
}

pub(super) fn store_conversation(
    transaction: &Transaction<'_>,
    conversation: &Conversation,
    to_the_top: bool,
) -> CacheResult<()> {
    let top = "(SELECT COALESCE(MAX(activity), 0) + 1 FROM conversations)";
    let activity = if to_the_top { top } else { "activity" };
    transaction
        .prepare_cached(&format!(
            "INSERT INTO conversations (id, project_id, activity, body) VALUES (?1, ?2, {top}, ?3)
             ON CONFLICT (id) DO UPDATE SET project_id = ?2, activity = {activity}, body = ?3"
        ))?
        .execute((
            conversation.id.to_string(),
            conversation.project_id.to_string(),
            serde_json::to_string(conversation)?,
        ))?;
    Ok(())
}

/// Moves a read mark forward and says where it stood; `None` when it stood there or further.
pub(super) fn move_mark(
    transaction: &Transaction<'_>,
    id: ConversationId,
    user: UserId,
    seq: i64,
    at: Timestamp,
) -> CacheResult<Option<i64>> {
    let Some(mut conversation) = conversation(transaction, id)? else { return Ok(None) };
    let Some(participant) = conversation.participants.iter_mut().find(|participant| participant.user_id == user) else {
        return Ok(None);
    };
    if participant.last_read_seq >= seq {
        return Ok(None);
    }
    let from = std::mem::replace(&mut participant.last_read_seq, seq);
    store_conversation(transaction, &conversation, false)?;
    transaction.execute(
        "INSERT OR IGNORE INTO reads (conversation_id, user_id, seq, read_at) VALUES (?1, ?2, ?3, ?4)",
        (id.to_string(), user.to_string(), seq, at.as_millis()),
    )?;
    Ok(Some(from))
}

impl Db {
    /// Takes a message in.
    pub fn put_message(&mut self, message: &Message, version: Version) -> CacheResult<Vec<ClientEvent>> {
        self.write(|transaction, _| put(transaction, message, version))
    }

    /// Takes a stretch of history in, without telling: the asker has it in hand.
    pub fn put_history(&mut self, messages: &[Message]) -> CacheResult<()> {
        self.write(|transaction, _| {
            for message in messages {
                put(transaction, message, Version::Later)?;
            }
            Ok(())
        })
    }

    /// Moves a read mark to that number.
    pub fn put_read(
        &mut self,
        conversation: ConversationId,
        user: UserId,
        seq: i64,
        at: Timestamp,
    ) -> CacheResult<Option<ClientEvent>> {
        self.write(|transaction, _| read_event(transaction, conversation, user, seq, at))
    }

    /// The number of a message that is here.
    pub fn seq_of(&self, id: MessageId) -> CacheResult<Option<i64>> {
        let sql = "SELECT seq FROM messages WHERE id = ?1";
        Ok(self.connection().prepare_cached(sql)?.query_row([id.to_string()], |row| row.get(0)).optional()?)
    }

    /// The highest number of a conversation that is here; 0 when none is.
    pub fn newest_seq(&self, conversation: ConversationId) -> CacheResult<i64> {
        let sql = "SELECT COALESCE(MAX(seq), 0) FROM messages WHERE conversation_id = ?1";
        Ok(self.connection().prepare_cached(sql)?.query_row([conversation.to_string()], |row| row.get(0))?)
    }

    /// The messages of the numbers `from..before` that are here, oldest first.
    pub fn messages_between(&self, id: ConversationId, from: i64, before: i64) -> CacheResult<Vec<Message>> {
        let sql = "SELECT body FROM messages WHERE conversation_id = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq";
        bodies(self.connection(), sql, (id.to_string(), from, before))
    }

    /// The `limit` newest messages before a number that are here, oldest first.
    pub fn messages_before(&self, id: ConversationId, before: i64, limit: u32) -> CacheResult<Vec<Message>> {
        let sql = "SELECT body FROM messages WHERE conversation_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
        let mut found: Vec<Message> = bodies(self.connection(), sql, (id.to_string(), before, limit))?;
        found.reverse();
        Ok(found)
    }

    /// When that person read the message of that number, as far as it was heard here.
    pub fn read_at(&self, id: ConversationId, user: UserId, seq: i64) -> CacheResult<Option<Timestamp>> {
        let sql = "SELECT read_at FROM reads WHERE conversation_id = ?1 AND user_id = ?2 AND seq >= ?3
                   ORDER BY seq LIMIT 1";
        let millis: Option<i64> = self
            .connection()
            .prepare_cached(sql)?
            .query_row((id.to_string(), user.to_string(), seq), |row| row.get(0))
            .optional()?;
        Ok(millis.map(Timestamp::from_millis))
    }
}

pub(super) fn read_event(
    transaction: &Transaction<'_>,
    conversation_id: ConversationId,
    user_id: UserId,
    seq: i64,
    read_at: Timestamp,
) -> CacheResult<Option<ClientEvent>> {
    let from = move_mark(transaction, conversation_id, user_id, seq, read_at)?;
    Ok(from.map(|from| ClientEvent::Read { conversation_id, user_id, from, seq, read_at }))
}
