//! Uploads and the files of messages.

use std::collections::HashMap;

use parley_domain::{Attachment, AttachmentId, Message, MessageId, MessageType, Timestamp, UserId};
use rusqlite::{Row, params};

use super::db::{Db, RowExt, Tx, json_ids};
use crate::{AttachmentError, ConversationError, NewAttachment, StoreError, Unsent};

fn attachment_of(row: &Row<'_>) -> rusqlite::Result<Attachment> {
    Ok(Attachment {
        id: row.id("id")?,
        name: row.get("name")?,
        size: row.get("size")?,
        media_type: row.get("media_type")?,
        sha256: row.get("sha256")?,
        url: String::new(),
    })
}

pub(super) fn create_attachment(
    tx: &mut Tx<'_>,
    new: NewAttachment,
    now: Timestamp,
) -> Result<Attachment, AttachmentError> {
    if !new.quota.has_room(unsent(tx, new.uploader)?, new.size) {
        return Err(AttachmentError::QuotaExceeded);
    }
    tx.run_one(
        "INSERT INTO attachments (id, uploader_id, name, size, media_type, sha256, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![new.id.0, new.uploader.0, new.name, new.size, new.media_type, new.sha256, now.as_millis()],
    )?;
    find(tx, new.uploader, new.id)?.ok_or(AttachmentError::NotFound)
}

pub(super) fn attachment(db: &Db<'_>, viewer: UserId, id: AttachmentId) -> Result<Attachment, AttachmentError> {
    find(db, viewer, id)?.ok_or(AttachmentError::NotFound)
}

fn find(db: &Db<'_>, viewer: UserId, id: AttachmentId) -> Result<Option<Attachment>, StoreError> {
    db.one(
        "SELECT a.id, a.name, a.size, a.media_type, lower(hex(a.sha256)) AS sha256 FROM attachments a
         LEFT JOIN messages m ON m.id = a.message_id
         WHERE a.id = ?1 AND CASE WHEN a.message_id IS NULL THEN a.uploader_id = ?2
             ELSE EXISTS (SELECT 1 FROM participants pt
                          WHERE pt.conversation_id = m.conversation_id AND pt.user_id = ?2) END",
        (id.0, viewer.0),
        attachment_of,
    )
}

pub(super) fn unsent(db: &Db<'_>, uploader: UserId) -> Result<Unsent, StoreError> {
    let sql = "SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM attachments
               WHERE uploader_id = ?1 AND message_id IS NULL";
    let found = db.one(sql, [uploader.0], |row| Ok(Unsent { files: row.get("files")?, bytes: row.get("bytes")? }))?;
    Ok(found.unwrap_or_default())
}

/// Puts uploads into a message that was just written. Each must be its sender's own and must not have been sent.
pub(super) fn attach(tx: &Tx<'_>, message: &mut Message, files: &[AttachmentId]) -> Result<(), ConversationError> {
    for (place, file) in files.iter().enumerate() {
        let attached = tx.run(
            "UPDATE attachments SET message_id = ?1, place = ?2
             WHERE id = ?3 AND uploader_id = ?4 AND message_id IS NULL",
            params![message.id.0, place as i64, file.0, message.sender_id.0],
        )?;
        if attached == 0 {
            return Err(ConversationError::UnknownAttachment(place));
        }
    }
    Ok(fill_in(tx, std::slice::from_mut(message))?)
}

/// Takes the files of a message away; answers which.
pub(super) fn detach(tx: &Tx<'_>, message: MessageId) -> Result<Vec<AttachmentId>, StoreError> {
    let files =
        tx.all("SELECT id FROM attachments WHERE message_id = ?1 ORDER BY place", [message.0], |row| row.id("id"))?;
    if !files.is_empty() {
        tx.run("DELETE FROM attachments WHERE message_id = ?1", [message.0])?;
    }
    Ok(files)
}

/// Gives messages their files: one statement for all of them, none where no message has any.
pub(super) fn fill_in(db: &Db<'_>, messages: &mut [Message]) -> Result<(), StoreError> {
    let has_files = |message: &&Message| message.kind == MessageType::File && message.deleted_at.is_none();
    let ids: Vec<_> = messages.iter().filter(has_files).map(|message| message.id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = db.all(
        "SELECT id, message_id, name, size, media_type, lower(hex(sha256)) AS sha256 FROM attachments
         WHERE message_id IN (SELECT unhex(value) FROM json_each(?1)) ORDER BY message_id, place",
        [json_ids(ids.into_iter())],
        |row| Ok((row.id::<MessageId>("message_id")?, attachment_of(row)?)),
    )?;
    let mut files: HashMap<_, Vec<_>> = HashMap::new();
    for (message, file) in rows {
        files.entry(message).or_default().push(file);
    }
    for message in messages {
        message.attachments = files.remove(&message.id).unwrap_or_default();
    }
    Ok(())
}

pub(super) fn forget_unsent(tx: &Tx<'_>, before: Timestamp, limit: u32) -> Result<Vec<AttachmentId>, StoreError> {
    tx.all(
        "DELETE FROM attachments WHERE position IN (
             SELECT position FROM attachments WHERE message_id IS NULL AND created_at < ?1
             ORDER BY created_at LIMIT ?2)
         RETURNING id",
        (before.as_millis(), limit),
        |row| row.id("id"),
    )
}

pub(super) fn known(db: &Db<'_>, ids: &[AttachmentId]) -> Result<Vec<AttachmentId>, StoreError> {
    let sql = "SELECT id FROM attachments WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
    db.all(sql, [json_ids(ids.iter().map(|id| id.0))], |row| row.id("id"))
}
