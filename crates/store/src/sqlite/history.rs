//! Pages of history, put together from the JSON that each text kept when it was written: nothing of it is read into
//! types and serialized again.

use std::ops::ControlFlow;

use parley_domain::{ConversationId, Message, Timestamp, UserId};
use rusqlite::{params, types::ValueRef};

use super::{
    attachments,
    db::{Db, RowExt},
    messages::{message_of, read_by_whom},
};
use crate::{ConversationError, Cursor, Page, PageRequest, Posted, Recorded, StoreError};

/// How a new message ends: nobody has read it.
const NO_READERS: &str = "[]}";
/// What a text of usual length takes as JSON.
const MESSAGE_BYTES: usize = 512;

/// What the row of a new message keeps of its JSON: all up to the list of its readers.
pub(super) fn kept_json(posted: &Posted) -> Option<&str> {
    posted.json().get().strip_suffix(NO_READERS)
}

pub(super) fn messages(
    db: &Db<'_>,
    viewer: UserId,
    conversation: ConversationId,
    page: PageRequest,
) -> Result<Page<Recorded>, ConversationError> {
    let last = last_seq(db, viewer, conversation)?.ok_or(ConversationError::NotFound)?;
    let window = Window::of(page, last);
    Ok(Page { items: recorded(db, conversation, &window)?, next_cursor: window.next_cursor })
}

/// The number of the conversation's last message; `None` for whoever is not in it.
fn last_seq(db: &Db<'_>, viewer: UserId, conversation: ConversationId) -> Result<Option<i64>, StoreError> {
    db.one(
        "SELECT c.last_seq FROM participants pt JOIN conversations c ON c.id = pt.conversation_id
         WHERE pt.conversation_id = ?1 AND pt.user_id = ?2",
        (conversation.0, viewer.0),
        |row| row.get(0),
    )
}

/// The first and the last number of a page: numbers have no gaps.
struct Window {
    from: i64,
    to: i64,
    next_cursor: Option<Cursor>,
}

impl Window {
    /// Cursors come from outside: whatever they say, the window lies in the conversation or is empty.
    fn of(page: PageRequest, last: i64) -> Self {
        let limit = page.limit() as i64;
        match page.cursor {
            Some(Cursor { position, forward: true }) => {
                let seen = position.clamp(0, last);
                let to = last.min(seen + limit);
                Self { from: seen + 1, to, next_cursor: (to < last).then(|| Cursor::after(to)) }
            }
            cursor => {
                let to = cursor.map_or(last, |cursor| cursor.position.clamp(1, last + 1) - 1);
                let from = 1.max(to - limit + 1);
                Self { from, to, next_cursor: (from > 1).then(|| Cursor::before(from)) }
            }
        }
    }
}

/// A piece of a page before its messages without JSON are read.
enum Piece {
    Json(String),
    InColumns,
}

/// What lies in the window: each text goes straight from its row into the page, and is given its readers there.
fn recorded(db: &Db<'_>, conversation: ConversationId, window: &Window) -> Result<Vec<Recorded>, StoreError> {
    let &Window { from, to, .. } = window;
    if from > to {
        return Ok(Vec::new());
    }
    let marks = Marks::between(db, conversation, from, to)?;
    let mut pieces = Vec::new();
    let mut in_columns = Vec::new();
    let mut json = String::with_capacity(MESSAGE_BYTES * usize::try_from(to - from + 1).unwrap_or_default());
    // Upwards, also for older pages: SQLite steps to the next row of a table more easily than to the one before.
    db.walk(
        "SELECT seq, sender_id, json FROM messages WHERE conversation_id = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
        params![conversation.0, from, to],
        |row| {
            let seq = row.get(0)?;
            match row.get_ref(2)? {
                ValueRef::Null => {
                    if !json.is_empty() {
                        pieces.push(Piece::Json(std::mem::take(&mut json)));
                    }
                    pieces.push(Piece::InColumns);
                    in_columns.push(seq);
                }
                kept => {
                    if !json.is_empty() {
                        json.push(',');
                    }
                    json.push_str(kept.as_str()?);
                    marks.write_readers(seq, row.id(1)?, &mut json);
                }
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    if !json.is_empty() {
        pieces.push(Piece::Json(json));
    }
    let mut messages = from_columns(db, conversation, &in_columns)?.into_iter();
    let recorded = |piece| match piece {
        Piece::Json(json) => Ok(Recorded::Json(json)),
        Piece::InColumns => {
            let message = messages.next();
            let message = message.ok_or_else(|| StoreError::Corrupt("a message went while it was read".into()))?;
            Ok(Recorded::Message(Box::new(message)))
        }
    };
    pieces.into_iter().map(recorded).collect()
}

/// These messages, in order of `seq`, from two or three statements for all of them.
fn from_columns(db: &Db<'_>, conversation: ConversationId, seqs: &[i64]) -> Result<Vec<Message>, StoreError> {
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    let seqs = serde_json::Value::from(seqs).to_string();
    let mut messages = db.all(
        "SELECT * FROM messages WHERE conversation_id = ?1 AND seq IN (SELECT value FROM json_each(?2)) ORDER BY seq",
        params![conversation.0, seqs],
        message_of,
    )?;
    read_by_whom(db, &mut messages)?;
    attachments::fill_in(db, &mut messages)?;
    Ok(messages)
}

/// How far each person had read and since when, as far as it matters for one page.
struct Marks(Vec<Reader>);

struct Reader {
    user: UserId,
    /// Up to which number, and the reader as JSON; rising.
    steps: Vec<(i64, String)>,
}

impl Marks {
    /// The first step of a mark that passed a message says when it was read, so a page needs the steps on it and the
    /// next one.
    fn between(db: &Db<'_>, conversation: ConversationId, first: i64, last: i64) -> Result<Self, StoreError> {
        let mut rows = db.all(
            "SELECT pt.place, r.up_to_seq, r.user_id, r.read_at FROM participants pt
             JOIN read_marks r ON r.conversation_id = pt.conversation_id AND r.user_id = pt.user_id
             WHERE pt.conversation_id = ?1 AND r.up_to_seq >= ?2 AND r.up_to_seq <= coalesce(
                 (SELECT min(n.up_to_seq) FROM read_marks n WHERE n.conversation_id = ?1 AND n.user_id = pt.user_id
                  AND n.up_to_seq >= ?3), ?3)",
            params![conversation.0, first, last],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.id::<UserId>(2)?, row.at(3)?)),
        )?;
        rows.sort_unstable_by_key(|&(place, up_to, ..)| (place, up_to));
        let mut readers: Vec<Reader> = Vec::new();
        for (_, up_to, user, read_at) in rows {
            let step = (up_to, reader_json(user, read_at));
            match readers.last_mut().filter(|reader| reader.user == user) {
                Some(reader) => reader.steps.push(step),
                None => readers.push(Reader { user, steps: vec![step] }),
            }
        }
        Ok(Self(readers))
    }

    /// Ends the JSON of a message with its readers.
    fn write_readers(&self, seq: i64, sender: UserId, json: &mut String) {
        json.push('[');
        let mut separator = "";
        for reader in self.0.iter().filter(|reader| reader.user != sender) {
            let step = reader.steps.partition_point(|(up_to, _)| *up_to < seq);
            if let Some((_, text)) = reader.steps.get(step) {
                json.push_str(separator);
                json.push_str(text);
                separator = ",";
            }
        }
        json.push_str("]}");
    }
}

fn reader_json(user: UserId, read_at: Timestamp) -> String {
    format!(r#"{{"userId":"{user}","readAt":"{read_at}"}}"#)
}
