//! Searching messages. The index follows behind: sending must not wait for it. Messages up to the counter
//! `indexed_message` are in it, later ones are looked at one by one, so that a message is found as soon as it is sent.
//!
//! The index is FTS5 over pieces of words (`parley_domain::pieces`) instead of its own trigram tokenizer: that one
//! finds nothing shorter than three characters, and a word of Chinese or Japanese often has two. It keeps row numbers
//! only, so candidates are confirmed by a look at the message itself.

use std::{fmt::Write, ops::ControlFlow};

use parley_domain::{ConversationId, Message, SearchQuery, Snippet, UserId, pieces};
use rusqlite::params;

use super::{
    attachments,
    db::{Db, Tx},
    lists::cut,
    messages::{message_of, read_by_whom},
};
use crate::{ConversationError, Cursor, Found, Page, PageRequest, StoreError};

#[cfg(test)]
mod tests;

/// With more conversations than this, the index isn't asked for each of them: the candidates are looked at instead.
const MAX_NAMED_CONVERSATIONS: usize = 500;

pub(super) fn search(
    db: &Db<'_>,
    viewer: UserId,
    query: &SearchQuery,
    conversation: Option<ConversationId>,
    page: PageRequest,
) -> Result<Page<Found>, ConversationError> {
    let conversations = conversations_of(db, viewer, conversation)?;
    if conversations.is_empty() {
        return match conversation {
            Some(_) => Err(ConversationError::NotFound),
            None => Ok(Page { items: Vec::new(), next_cursor: None }),
        };
    }
    let limit = page.limit();
    let mut hits = Hits { query, wanted: limit + 1, found: Vec::new() };
    let before = page.cursor.map_or(i64::MAX, |cursor| cursor.position);
    let indexed = indexed_up_to(db)?;
    let (viewer, only) = (viewer.0, conversation.map(|id| id.0));
    db.walk(UNINDEXED, params![indexed, before, viewer, only], |row| hits.look_at(row))?;
    if hits.found.len() < hits.wanted {
        let expression = expression(query, &conversations);
        let before = before.min(indexed + 1);
        db.walk(INDEXED, params![expression, before, viewer, only], |row| hits.look_at(row))?;
    }
    let page = cut(hits.found, limit, Cursor::before);
    let (mut messages, snippets): (Vec<_>, Vec<_>) = page.items.into_iter().unzip();
    read_by_whom(db, &mut messages)?;
    attachments::fill_in(db, &mut messages)?;
    let items = messages.into_iter().zip(snippets).map(|(message, snippet)| Found { message, snippet }).collect();
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// By row number, newest first, so that it ends as soon as the page is full.
const UNINDEXED: &str = "SELECT m.* FROM messages m NOT INDEXED
    WHERE m.position > ?1 AND m.position < ?2 AND m.deleted_at IS NULL
    AND EXISTS (SELECT 1 FROM participants pt WHERE pt.conversation_id = m.conversation_id AND pt.user_id = ?3)
    AND (?4 IS NULL OR m.conversation_id = ?4)
    ORDER BY m.position DESC";

/// The index gives row numbers, newest first; whatever it says, only the viewer's own are shown.
const INDEXED: &str = "SELECT m.* FROM message_index i CROSS JOIN messages m ON m.position = i.rowid
    WHERE i.message_index MATCH ?1 AND i.rowid < ?2 AND m.deleted_at IS NULL
    AND EXISTS (SELECT 1 FROM participants pt WHERE pt.conversation_id = m.conversation_id AND pt.user_id = ?3)
    AND (?4 IS NULL OR m.conversation_id = ?4)
    ORDER BY i.rowid DESC";

struct Hits<'q> {
    query: &'q SearchQuery,
    wanted: usize,
    found: Vec<(i64, (Message, Snippet))>,
}

impl Hits<'_> {
    fn look_at(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<ControlFlow<()>> {
        let content = row.get_ref("content")?.as_str()?;
        if let Some(snippet) = self.query.find(content) {
            self.found.push((row.get("position")?, (message_of(row)?, snippet)));
        }
        let is_full = self.found.len() >= self.wanted;
        Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

/// The positions of the conversations that are searched; not all of them if they are too many to be named.
fn conversations_of(db: &Db<'_>, viewer: UserId, only: Option<ConversationId>) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT c.position FROM participants pt JOIN conversations c ON c.id = pt.conversation_id
         WHERE pt.user_id = ?1";
    match only {
        Some(only) => {
            let sql = format!("{sql} AND pt.conversation_id = ?2");
            db.all(&sql, (viewer.0, only.0), |row| row.get(0))
        }
        None => {
            let sql = format!("{sql} LIMIT ?2");
            db.all(&sql, (viewer.0, MAX_NAMED_CONVERSATIONS as i64 + 1), |row| row.get(0))
        }
    }
}

/// What FTS5 is asked: only tokens of our own making in quotes, nothing that a person typed.
fn expression(query: &SearchQuery, conversations: &[i64]) -> String {
    let quoted = |token: String| format!("\"{token}\"");
    let mut all: Vec<_> = query.pieces().iter().map(|piece| quoted(token_of(piece))).collect();
    if conversations.len() <= MAX_NAMED_CONVERSATIONS {
        let any: Vec<_> = conversations.iter().map(|position| quoted(conversation_token(*position))).collect();
        all.push(format!("({})", any.join(" OR ")));
    }
    all.join(" AND ")
}

/// A piece as a token of FTS5's `ascii` tokenizer, for which all but ASCII letters and digits ends a token, unless it
/// is no ASCII at all: the other ASCII characters move into a private range. A message that holds such private
/// characters is one candidate too many, no more.
fn token_of(piece: &[char; 3]) -> String {
    let visible = piece.iter().filter(|c| **c != '\0');
    visible.map(|c| if c.is_ascii() && !c.is_ascii_alphanumeric() { moved(*c) } else { *c }).collect()
}

fn moved(c: char) -> char {
    char::from_u32(0xe000 + u32::from(c)).unwrap_or(c)
}

/// Longer than any piece, so that it is none of them.
fn conversation_token(position: i64) -> String {
    format!("in{position:016x}")
}

/// What the index is given for a message. To take a message out, the very same must be given again: whoever changes
/// this makes the index anew in a migration.
fn tokens(conversation: i64, content: &str) -> String {
    let mut tokens = conversation_token(conversation);
    for piece in pieces(content) {
        // Writing to a String can't fail.
        let _ = write!(tokens, " {}", token_of(&piece));
    }
    tokens
}

fn indexed_up_to(db: &Db<'_>) -> Result<i64, StoreError> {
    db.one("SELECT value FROM counters WHERE name = 'indexed_message'", (), |row| row.get(0))?
        .ok_or_else(|| StoreError::Corrupt("the counter indexed_message is missing".into()))
}

/// How many messages are not in the index yet; a little more where positions are missing.
pub(super) fn unindexed(db: &Db<'_>) -> Result<u64, StoreError> {
    let last: Option<i64> = db.one("SELECT max(position) FROM messages", (), |row| row.get(0))?.flatten();
    Ok(u64::try_from(last.unwrap_or(0) - indexed_up_to(db)?).unwrap_or(0))
}

struct Unindexed {
    position: i64,
    conversation: i64,
    content: String,
}

/// Puts the next messages into the index.
pub(super) fn index_messages(tx: &Tx<'_>, limit: u32) -> Result<(), StoreError> {
    let rows = tx.all(
        "SELECT m.position, c.position AS conversation, m.content FROM messages m NOT INDEXED
         JOIN conversations c ON c.id = m.conversation_id
         WHERE m.position > ?1 ORDER BY m.position LIMIT ?2",
        (indexed_up_to(tx)?, limit),
        |row| {
            Ok(Unindexed {
                position: row.get("position")?,
                conversation: row.get("conversation")?,
                content: row.get("content")?,
            })
        },
    )?;
    let Some(last) = rows.last().map(|row| row.position) else { return Ok(()) };
    for row in rows.iter().filter(|row| !row.content.is_empty()) {
        insert(tx, row.position, &tokens(row.conversation, &row.content))?;
    }
    tx.run_one("UPDATE counters SET value = ?1 WHERE name = 'indexed_message'", [last])
}

fn insert(tx: &Tx<'_>, position: i64, tokens: &str) -> Result<(), StoreError> {
    tx.run("INSERT INTO message_index (rowid, pieces) VALUES (?1, ?2)", (position, tokens)).map(drop)
}

/// Follows a change of a message's content; an empty one is that of a deleted message. One that isn't in the index
/// yet gets there as it will be then.
pub(super) fn reindex(tx: &Tx<'_>, message: &Message, content: &str) -> Result<(), StoreError> {
    let (position, conversation) = tx
        .one(
            "SELECT m.position, c.position FROM messages m JOIN conversations c ON c.id = m.conversation_id
             WHERE m.id = ?1",
            [message.id.0],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )?
        .ok_or_else(|| StoreError::Internal("a message was revised that is not there".into()))?;
    if position > indexed_up_to(tx)? {
        return Ok(());
    }
    tx.run(
        "INSERT INTO message_index (message_index, rowid, pieces) VALUES ('delete', ?1, ?2)",
        (position, tokens(conversation, &message.content)),
    )?;
    if content.is_empty() { Ok(()) } else { insert(tx, position, &tokens(conversation, content)) }
}
