//! What was written and has not arrived yet.

use parley_domain::{ConversationId, Message, MessageId, Timestamp, UserId};
use parley_protocol::app::AppError;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use uuid::Uuid;

use super::{CacheResult, Db, db::body};
use crate::ClientEvent;

/// A message that was written here and is not on the server's disk yet.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxEntry {
    /// Where it goes.
    pub conversation_id: ConversationId,
    /// Its name for ever: the server makes one message of it, however often it comes.
    pub client_id: String,
    /// As written.
    pub content: String,
    /// When it was written, by this machine's clock.
    pub created_at: Timestamp,
    /// Waits or failed.
    pub state: OutboxState,
}

/// How it stands with a message of the outbox.
#[derive(Clone, Debug, PartialEq)]
pub enum OutboxState {
    /// It will be sent.
    Waiting,
    /// The server refused it; the person decides.
    Failed(AppError),
}

impl OutboxEntry {
    /// A new message, named by chance.
    pub fn new(conversation_id: ConversationId, content: String, created_at: Timestamp) -> Self {
        let client_id = Uuid::now_v7().to_string();
        Self { conversation_id, client_id, content, created_at, state: OutboxState::Waiting }
    }
}

const COLUMNS: &str = "SELECT conversation_id, client_id, content, created_at, error FROM outbox";

fn entry(row: &Row<'_>) -> CacheResult<OutboxEntry> {
    let conversation: String = row.get(0)?;
    let error: Option<String> = row.get(4)?;
    Ok(OutboxEntry {
        conversation_id: id(&conversation)?,
        client_id: row.get(1)?,
        content: row.get(2)?,
        created_at: Timestamp::from_millis(row.get(3)?),
        state: match error {
            Some(error) => OutboxState::Failed(serde_json::from_str(&error)?),
            None => OutboxState::Waiting,
        },
    })
}

fn id<T: From<Uuid>>(text: &str) -> CacheResult<T> {
    let id = Uuid::parse_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into()))?;
    Ok(id.into())
}

fn entries(connection: &Connection, tail: &str, parameters: impl rusqlite::Params) -> CacheResult<Vec<OutboxEntry>> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} {tail}"))?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry(row)?);
    }
    Ok(found)
}

pub(super) fn all(connection: &Connection) -> CacheResult<Vec<OutboxEntry>> {
    entries(connection, "ORDER BY position", [])
}

pub(super) fn insert(connection: &Connection, entry: &OutboxEntry) -> CacheResult<()> {
    let error = match &entry.state {
        OutboxState::Waiting => None,
        OutboxState::Failed(error) => Some(serde_json::to_string(error)?),
    };
    connection.execute(
        "INSERT INTO outbox (conversation_id, client_id, content, created_at, error) VALUES (?1, ?2, ?3, ?4, ?5)",
        (entry.conversation_id.to_string(), &entry.client_id, &entry.content, entry.created_at.as_millis(), error),
    )?;
    Ok(())
}

/// Takes the message that just arrived out of the outbox; true when it was there.
pub(super) fn remove_arrived(connection: &Connection, message: &Message) -> CacheResult<bool> {
    let Some(client_id) = &message.client_id else { return Ok(false) };
    Ok(connection.prepare_cached("DELETE FROM outbox WHERE client_id = ?1")?.execute([client_id])? == 1)
}

/// What the person has read here stays read, also where the server's list does not know of it yet.
pub(super) fn apply_reads_to_send(transaction: &Transaction<'_>, me: UserId) -> CacheResult<()> {
    let mut statement = transaction.prepare("SELECT conversation_id, seq FROM reads_to_send")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let conversation = id(&row.get::<_, String>(0)?)?;
        let Some(known) = super::messages::conversation(transaction, conversation)? else { continue };
        super::messages::move_mark(transaction, conversation, me, row.get(1)?, known.updated_at)?;
    }
    Ok(())
}

/// A read mark that the server does not know yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadToSend {
    /// Up to which number.
    pub seq: i64,
    /// Which message that is.
    pub message_id: MessageId,
}

impl Db {
    /// Puts a message into the outbox; it is durable when this returns.
    pub fn write_to_outbox(&mut self, entry: OutboxEntry) -> CacheResult<OutboxEntry> {
        insert(self.connection(), &entry)?;
        Ok(entry)
    }

    /// Everything in the outbox of a conversation, in the order of writing.
    pub fn outbox_of(&self, conversation: ConversationId) -> CacheResult<Vec<OutboxEntry>> {
        entries(self.connection(), "WHERE conversation_id = ?1 ORDER BY position", [conversation.to_string()])
    }

    /// How many messages wait (failed ones wait for the person, not for the network).
    pub fn outbox_waiting(&self) -> CacheResult<u32> {
        let sql = "SELECT COUNT(*) FROM outbox WHERE error IS NULL";
        Ok(self.connection().prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// The conversations that have something to send.
    pub fn conversations_to_send(&self) -> CacheResult<Vec<ConversationId>> {
        let sql =
            "SELECT conversation_id FROM outbox WHERE error IS NULL UNION SELECT conversation_id FROM reads_to_send";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(id(&row.get::<_, String>(0)?)?);
        }
        Ok(found)
    }

    /// The next message to send in a conversation.
    pub fn outbox_head(&self, conversation: ConversationId) -> CacheResult<Option<OutboxEntry>> {
        let tail = "WHERE conversation_id = ?1 AND error IS NULL ORDER BY position LIMIT 1";
        Ok(entries(self.connection(), tail, [conversation.to_string()])?.pop())
    }

    /// Sets a message aside that the server refused; `None` when it is no longer there.
    pub fn fail_in_outbox(&mut self, client_id: &str, error: &AppError) -> CacheResult<Option<OutboxEntry>> {
        let error = serde_json::to_string(error)?;
        self.connection().execute("UPDATE outbox SET error = ?2 WHERE client_id = ?1", (client_id, error))?;
        self.in_outbox(client_id)
    }

    /// Lets a failed message wait again, at its old place; `None` when it is no longer there.
    pub fn retry_in_outbox(&mut self, client_id: &str) -> CacheResult<Option<OutboxEntry>> {
        self.connection().execute("UPDATE outbox SET error = NULL WHERE client_id = ?1", [client_id])?;
        self.in_outbox(client_id)
    }

    /// Forgets a failed message; true when it was there. One that waits may be on its way and stays.
    pub fn discard_from_outbox(&mut self, client_id: &str) -> CacheResult<bool> {
        let sql = "DELETE FROM outbox WHERE client_id = ?1 AND error IS NOT NULL";
        Ok(self.connection().execute(sql, [client_id])? == 1)
    }

    fn in_outbox(&self, client_id: &str) -> CacheResult<Option<OutboxEntry>> {
        Ok(entries(self.connection(), "WHERE client_id = ?1", [client_id])?.pop())
    }

    /// The read mark of a conversation that is to be sent.
    pub fn read_to_send(&self, conversation: ConversationId) -> CacheResult<Option<ReadToSend>> {
        let sql = "SELECT seq, message_id FROM reads_to_send WHERE conversation_id = ?1";
        let row: Option<(i64, String)> = self
            .connection()
            .prepare_cached(sql)?
            .query_row([conversation.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(seq, message)| Ok(ReadToSend { seq, message_id: id(&message)? })).transpose()
    }

    /// The mark was sent (or refused for good); a later one stays.
    pub fn forget_read_to_send(&mut self, conversation: ConversationId, seq: i64) -> CacheResult<()> {
        let sql = "DELETE FROM reads_to_send WHERE conversation_id = ?1 AND seq <= ?2";
        self.connection().execute(sql, (conversation.to_string(), seq))?;
        Ok(())
    }

    /// Moves the person's own read mark and notes that the server must hear of it; `None` when it stood there already
    /// or no message of that number is here.
    pub fn mark_read(
        &mut self,
        conversation: ConversationId,
        seq: i64,
        at: Timestamp,
    ) -> CacheResult<Option<ClientEvent>> {
        self.write(|transaction, me| {
            let sql = "SELECT body FROM messages WHERE conversation_id = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1";
            let Some(message) = body::<Message>(transaction, sql, (conversation.to_string(), seq))? else {
                return Ok(None);
            };
            let Some(event) = super::messages::read_event(transaction, conversation, me, message.seq, at)? else {
                return Ok(None);
            };
            transaction.execute(
                "INSERT OR REPLACE INTO reads_to_send (conversation_id, seq, message_id) VALUES (?1, ?2, ?3)",
                (conversation.to_string(), message.seq, message.id.to_string()),
            )?;
            Ok(Some(event))
        })
    }
}
