//! Meetings: their last word wins, and an end is an end.

use parley_domain::{Meeting, MeetingId, MeetingStatus};
use rusqlite::Transaction;

use super::{CacheResult, Db, db::body};
use crate::ClientEvent;

pub(super) fn put(transaction: &Transaction<'_>, meeting: &Meeting) -> CacheResult<Option<ClientEvent>> {
    let old: Option<Meeting> = body(transaction, "SELECT body FROM meetings WHERE id = ?1", [meeting.id.to_string()])?;
    if let Some(old) = old
        && (old == *meeting || (is_over(&old) && !is_over(meeting)) || old.updated_at > meeting.updated_at)
    {
        return Ok(None);
    }
    transaction
        .prepare_cached(
            "INSERT INTO meetings (id, project_id, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET body = ?3",
        )?
        .execute((meeting.id.to_string(), meeting.project_id.to_string(), serde_json::to_string(meeting)?))?;
    Ok(Some(ClientEvent::Meeting(Box::new(meeting.clone()))))
}

fn is_over(meeting: &Meeting) -> bool {
    matches!(meeting.status, MeetingStatus::Completed | MeetingStatus::Cancelled)
}

impl Db {
    /// Takes a meeting in.
    pub fn put_meeting(&mut self, meeting: &Meeting) -> CacheResult<Option<ClientEvent>> {
        self.write(|transaction, _| put(transaction, meeting))
    }

    /// The meeting of that id, if it is here.
    pub fn meeting(&self, id: MeetingId) -> CacheResult<Option<Meeting>> {
        body(self.connection(), "SELECT body FROM meetings WHERE id = ?1", [id.to_string()])
    }
}
