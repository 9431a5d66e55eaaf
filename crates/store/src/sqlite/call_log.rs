//! Who came into a meeting, left it and shared the screen. A person's last line says how things stand, so that no line
//! is ever written twice, whoever reports it late.

use parley_domain::{MeetingId, MeetingLogEntry, MeetingLogEvent, Timestamp, UserId};
use rusqlite::params;

use super::{
    db::{Db, RowExt, Tx, json_ids},
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
    let insert = |event: MeetingLogEvent| insert(tx, meeting, MeetingLogEntry { event, ..entry });
    let last = last_of(tx, meeting, entry.user_id)?;
    let is_sharing = last == Some(MeetingLogEvent::ScreenOn);
    let is_in = last.is_some_and(|last| last != MeetingLogEvent::Left);
    match entry.event {
        MeetingLogEvent::Joined if !is_in => insert(MeetingLogEvent::Joined),
        MeetingLogEvent::ScreenOn if is_in && !is_sharing => insert(MeetingLogEvent::ScreenOn),
        MeetingLogEvent::ScreenOff if is_sharing => insert(MeetingLogEvent::ScreenOff),
        MeetingLogEvent::Left => last.map_or(Ok(()), |last| leave(tx, meeting, entry, last)),
        _ => Ok(()),
    }
}

/// Takes somebody out, whose last line said `last`.
fn leave(tx: &Tx<'_>, meeting: MeetingId, entry: MeetingLogEntry, last: MeetingLogEvent) -> Result<(), StoreError> {
    match last {
        MeetingLogEvent::Left => return Ok(()),
        MeetingLogEvent::ScreenOn => {
            insert(tx, meeting, MeetingLogEntry { event: MeetingLogEvent::ScreenOff, ..entry })?;
        }
        MeetingLogEvent::Joined | MeetingLogEvent::ScreenOff => {}
    }
    insert(tx, meeting, MeetingLogEntry { event: MeetingLogEvent::Left, ..entry })
}

fn insert(tx: &Tx<'_>, meeting: MeetingId, entry: MeetingLogEntry) -> Result<(), StoreError> {
    tx.run_one(
        "INSERT INTO meeting_log (meeting_id, user_id, event, at) VALUES (?1, ?2, ?3, ?4)",
        params![meeting.0, entry.user_id.0, entry.event.as_str(), entry.at.as_millis()],
    )
}

fn last_of(db: &Db<'_>, meeting: MeetingId, user: UserId) -> Result<Option<MeetingLogEvent>, StoreError> {
    db.one(
        "SELECT event FROM meeting_log WHERE meeting_id = ?1 AND user_id = ?2 ORDER BY position DESC LIMIT 1",
        (meeting.0, user.0),
        |row| row.word("event"),
    )
}

/// Everybody who is in one of these calls is out from now on, hosts first. One statement says who is in, whose rows are
/// those of everybody's last line.
pub(super) fn empty_calls(tx: &Tx<'_>, meetings: &[MeetingId], at: Timestamp) -> Result<(), StoreError> {
    let last_lines = tx.all(
        "SELECT l.meeting_id, l.user_id, l.event, max(l.position) FROM meeting_log l
         JOIN meetings m ON m.id = l.meeting_id
         WHERE l.meeting_id IN (SELECT unhex(value) FROM json_each(?1))
         GROUP BY l.meeting_id, l.user_id ORDER BY m.position, l.user_id <> m.host_id",
        [json_ids(meetings.iter().map(|id| id.0))],
        |row| Ok((row.id("meeting_id")?, row.id("user_id")?, row.word("event")?)),
    )?;
    for (meeting, user_id, last) in last_lines {
        leave(tx, meeting, MeetingLogEntry { user_id, event: MeetingLogEvent::Left, at }, last)?;
    }
    Ok(())
}

/// As [`empty_calls`], of all calls that go on.
pub(super) fn empty_all_calls(tx: &Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    empty_calls(tx, &meetings::logged_and_unfinished(tx)?, now)
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
