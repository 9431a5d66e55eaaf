//! What is due for meetings: reminders and expiries are rows, claimed for a while by one node.

use std::collections::HashMap;

use parley_domain::{MailKind, Meeting, MeetingId, MeetingTimes, Reminder, ReminderId, Timestamp};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::{
    db::{ChangeRow, Db, RowExt, Tx, new_id},
    lists::by_id,
    mails, meetings,
};
use crate::{Claim, Committed, DueReminder, MeetingView, StoreError};

/// Rows of the meeting's reminders that are still ahead.
pub(super) fn arm_reminders(
    tx: &Tx<'_>,
    meeting: &Meeting,
    times: &MeetingTimes,
    now: Timestamp,
) -> Result<(), StoreError> {
    for due_at in meeting.reminders_due_at(times, now) {
        let id: ReminderId = new_id(now);
        tx.run_one(
            "INSERT INTO reminders (id, meeting_id, due_at, scheduled_at) VALUES (?1, ?2, ?3, ?4)",
            params![id.0, meeting.id.0, due_at.as_millis(), meeting.scheduled_at.map(Timestamp::as_millis)],
        )?;
    }
    Ok(())
}

/// What was not claimed yet is dropped; what was is already in people's logs and stays there.
pub(super) fn drop_reminders(tx: &Tx<'_>, meeting: MeetingId) -> Result<(), StoreError> {
    tx.run("DELETE FROM reminders WHERE meeting_id = ?1 AND starts_in_seconds IS NULL", [meeting.0])?;
    tx.run("UPDATE reminders SET sent = 1 WHERE meeting_id = ?1", [meeting.0]).map(drop)
}

/// A lease that ends later than one taken now would is left over from a clock that ran ahead: it does not count.
pub(super) fn claim_expired_meetings(tx: &mut Tx<'_>, claim: Claim) -> Result<Vec<MeetingId>, StoreError> {
    tx.all(
        "UPDATE meetings SET claimed_until = ?2 WHERE position IN (
             SELECT position FROM meetings WHERE expiry_due_at IS NOT NULL AND expiry_due_at <= ?1
             AND (claimed_until IS NULL OR claimed_until NOT BETWEEN ?1 + 1 AND ?2) ORDER BY expiry_due_at LIMIT ?3)
         RETURNING id",
        params![claim.now.as_millis(), (claim.now + claim.lease).as_millis(), claim.limit],
        |row| row.id("id"),
    )
}

struct DueRow {
    id: ReminderId,
    meeting: MeetingId,
    scheduled_at: Timestamp,
    starts_in_seconds: Option<i64>,
}

pub(super) fn claim_reminders(tx: &mut Tx<'_>, claim: Claim) -> Result<Vec<DueReminder>, StoreError> {
    let rows = tx.all(
        "UPDATE reminders SET claimed_until = ?2 WHERE id IN (
             SELECT id FROM reminders WHERE sent = 0 AND due_at <= ?1
             AND (claimed_until IS NULL OR claimed_until NOT BETWEEN ?1 + 1 AND ?2) ORDER BY due_at LIMIT ?3)
         RETURNING id, meeting_id, scheduled_at, starts_in_seconds",
        params![claim.now.as_millis(), (claim.now + claim.lease).as_millis(), claim.limit],
        |row| {
            Ok(DueRow {
                id: row.id("id")?,
                meeting: row.id("meeting_id")?,
                scheduled_at: row.at("scheduled_at")?,
                starts_in_seconds: row.get("starts_in_seconds")?,
            })
        },
    )?;
    let ids: Vec<_> = rows.iter().map(|row| row.meeting.0).collect();
    let views = meetings::find_meetings(tx, &ids)?;
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        // A reminder goes with its meeting.
        let Some(view) = views.get(&row.meeting.0) else { continue };
        due.push(take_reminder(tx, &row, view, claim.now)?);
    }
    Ok(due)
}

/// At its first claim a reminder is written into both people's logs; whoever claims it again finds it there.
fn take_reminder(tx: &mut Tx<'_>, row: &DueRow, view: &MeetingView, now: Timestamp) -> Result<DueReminder, StoreError> {
    let left = i64::try_from(row.scheduled_at.saturating_since(now).as_secs()).unwrap_or(i64::MAX);
    let to = [view.meeting.host_id, view.meeting.guest_id];
    if row.starts_in_seconds.is_none() {
        tx.run_one("UPDATE reminders SET starts_in_seconds = ?2 WHERE id = ?1", params![row.id.0, left])?;
        tx.log(ChangeRow::of("reminder", row.id.0), &to, now)?;
        mails::queue(tx, &view.meeting, MailKind::Reminder, now)?;
    }
    let reminder = Reminder {
        reminder_id: row.id,
        meeting_id: row.meeting,
        project_id: view.meeting.project_id,
        scheduled_at: row.scheduled_at,
        starts_in_seconds: left,
    };
    let due = DueReminder { reminder, to };
    tx.publish(Committed::Reminder(due.clone()));
    Ok(due)
}

pub(super) fn finish_reminder(tx: &mut Tx<'_>, reminder: ReminderId) -> Result<(), StoreError> {
    tx.run("UPDATE reminders SET sent = 1 WHERE id = ?1", [reminder.0]).map(drop)
}

/// Those of these reminders that were claimed at least once, as they were first sent.
pub(super) fn find_reminders(db: &Db<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Reminder>, StoreError> {
    let sql = "SELECT r.id, r.meeting_id, r.starts_in_seconds, r.scheduled_at, m.project_id FROM reminders r
         JOIN meetings m ON m.id = r.meeting_id WHERE r.starts_in_seconds IS NOT NULL AND r.id";
    by_id(db, sql, ids, reminder_of)
}

fn reminder_of(row: &Row<'_>) -> rusqlite::Result<Reminder> {
    Ok(Reminder {
        reminder_id: row.id("id")?,
        meeting_id: row.id("meeting_id")?,
        project_id: row.id("project_id")?,
        scheduled_at: row.at("scheduled_at")?,
        starts_in_seconds: row.get("starts_in_seconds")?,
    })
}

/// Whoever claimed something before is gone.
pub(super) fn release_claims(tx: &Tx<'_>) -> Result<(), StoreError> {
    tx.run("UPDATE reminders SET claimed_until = NULL WHERE sent = 0 AND claimed_until IS NOT NULL", ())?;
    let sql = "UPDATE meetings SET claimed_until = NULL WHERE expiry_due_at IS NOT NULL AND claimed_until IS NOT NULL";
    tx.run(sql, ()).map(drop)
}

pub(super) fn next_due_at(db: &Db<'_>) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> = db
        .one(
            "SELECT min(at) FROM (
                 SELECT min(max(expiry_due_at, coalesce(claimed_until, expiry_due_at))) AS at
                 FROM meetings WHERE expiry_due_at IS NOT NULL
                 UNION ALL
                 SELECT min(max(due_at, coalesce(claimed_until, due_at))) FROM reminders WHERE sent = 0)",
            (),
            |row| row.get(0),
        )?
        .flatten();
    Ok(next.map(Timestamp::from_millis))
}
