//! Who came into a meeting, left it and shared the screen. A person's last line says how things stand, so that no line
//! is ever written twice, whoever reports it late.

use parley_domain::{Meeting, MeetingId, MeetingLogEntry, MeetingLogEvent, Timestamp, UserId};
use rusqlite::params;

use super::{
    db::{Db, RowExt, Tx},
    lists::cut,
    meetings,
};
use crate::{Cursor, MeetingError, Page, PageRequest, StoreError};

pub(super) fn log_meeting(tx: &mut Tx<'_>, meeting: MeetingId, entry: MeetingLogEntry) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM meetings WHERE id = ?1 AND status IN ('PENDING', 'ACTIVE')";
    if tx.one(sql, [meeting.0], |_| Ok(()))?.is_none() {
        return Ok(());
    }
    write(tx, meeting, entry)
}

fn write(tx: &Tx<'_>, meeting: MeetingId, entry: MeetingLogEntry) -> Result<(), StoreError> {
    let insert = |event: MeetingLogEvent| {
        tx.run_one(
            "INSERT INTO meeting_log (meeting_id, user_id, event, at) VALUES (?1, ?2, ?3, ?4)",
            params![meeting.0, entry.user_id.0, event.as_str(), entry.at.as_millis()],
        )
    };
    let last = last_of(tx, meeting, entry.user_id)?;
    let is_sharing = last == Some(MeetingLogEvent::ScreenOn);
    let is_in = last.is_some_and(|last| last != MeetingLogEvent::Left);
    match entry.event {
        MeetingLogEvent::Joined if !is_in => insert(MeetingLogEvent::Joined),
        MeetingLogEvent::ScreenOn if is_in && !is_sharing => insert(MeetingLogEvent::ScreenOn),
        MeetingLogEvent::ScreenOff if is_sharing => insert(MeetingLogEvent::ScreenOff),
        MeetingLogEvent::Left if is_in => {
            if is_sharing {
                insert(MeetingLogEvent::ScreenOff)?;
            }
            insert(MeetingLogEvent::Left)
        }
        _ => Ok(()),
    }
}

fn last_of(db: &Db<'_>, meeting: MeetingId, user: UserId) -> Result<Option<MeetingLogEvent>, StoreError> {
    db.one(
        "SELECT event FROM meeting_log WHERE meeting_id = ?1 AND user_id = ?2 ORDER BY position DESC LIMIT 1",
        (meeting.0, user.0),
        |row| row.word("event"),
    )
}

/// Both are out from now on.
pub(super) fn empty_call(tx: &Tx<'_>, meeting: &Meeting, at: Timestamp) -> Result<(), StoreError> {
    for user_id in [meeting.host_id, meeting.guest_id] {
        write(tx, meeting.id, MeetingLogEntry { user_id, event: MeetingLogEvent::Left, at })?;
    }
    Ok(())
}

pub(super) fn empty_calls(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    for meeting in meetings::logged_and_unfinished(tx)? {
        empty_call(tx, &meeting, now)?;
    }
    Ok(())
}

pub(super) fn meeting_log(
    db: &Db<'_>,
    viewer: UserId,
    meeting: MeetingId,
    page: PageRequest,
) -> Result<Page<MeetingLogEntry>, MeetingError> {
    meetings::meeting(db, viewer, meeting)?;
    let after = page.cursor.map_or(0, |cursor| cursor.position);
    let rows = db.all(
        "SELECT position, user_id, event, at FROM meeting_log WHERE meeting_id = ?1 AND position > ?2
         ORDER BY position LIMIT ?3",
        params![meeting.0, after, page.limit() as i64 + 1],
        |row| {
            let entry = MeetingLogEntry { user_id: row.id("user_id")?, event: row.word("event")?, at: row.at("at")? };
            Ok((row.get("position")?, entry))
        },
    )?;
    Ok(cut(rows, page.limit(), Cursor::after))
}
