//! Mails that are to be sent: rows with a due time, claimed for a while by one node. They are written in the transaction
//! that gives the reason for them, and go with the transaction that takes it away.

use std::time::Duration;

use parley_domain::{MailId, MailKind, Meeting, MeetingId, Timestamp, UserId};
use rusqlite::params;

use super::{
    accounts,
    db::{Db, RowExt, Tx, new_id},
    meetings,
};
use crate::{Claim, DueMail, Mailing, StoreError};

/// How long a mail is tried at most; it ends earlier when its meeting begins.
const LIFETIME: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// No mail waits longer than this for its next try: one that seems to was given its time by a clock that ran ahead.
const LONGEST_DELAY: Duration = Duration::from_secs(2 * 60 * 60);

pub(super) fn begin(tx: &Tx<'_>, mailing: Mailing) -> Result<(), StoreError> {
    let is_on = mailing == Mailing::On;
    tx.run("UPDATE counters SET value = ?1 WHERE name = 'mailing' AND value <> ?1", [is_on])?;
    match mailing {
        Mailing::On => tx.run("UPDATE mails SET claimed_until = NULL WHERE claimed_until IS NOT NULL", ()).map(drop),
        Mailing::Off => tx.run("DELETE FROM mails", ()).map(drop),
    }
}

/// One to each side, unless nobody sends mails or the meeting is past its time. A mail of that kind that still waits
/// gives way.
pub(super) fn queue(tx: &Tx<'_>, meeting: &Meeting, kind: MailKind, now: Timestamp) -> Result<(), StoreError> {
    let Some(expires_at) = meeting.scheduled_at.filter(|at| *at > now) else { return Ok(()) };
    let (to_host, to_guest): (MailId, MailId) = (new_id(now), new_id(now));
    tx.run(
        "INSERT OR REPLACE INTO mails (id, meeting_id, user_id, kind, due_at, expires_at)
         SELECT side.column1, ?1, side.column2, ?2, ?3, ?4 FROM (VALUES (?5, ?6), (?7, ?8)) AS side
         WHERE EXISTS (SELECT 1 FROM counters WHERE name = 'mailing' AND value = 1)",
        params![
            meeting.id.0,
            kind.as_str(),
            now.as_millis(),
            expires_at.min(now + LIFETIME).as_millis(),
            to_host.0,
            meeting.host_id.0,
            to_guest.0,
            meeting.guest_id.0
        ],
    )
    .map(drop)
}

/// What waits for a meeting is no longer true.
pub(super) fn drop_waiting(tx: &Tx<'_>, meeting: MeetingId) -> Result<(), StoreError> {
    tx.run("DELETE FROM mails WHERE meeting_id = ?1", [meeting.0]).map(drop)
}

pub(super) fn claim_mail(tx: &mut Tx<'_>, claim: Claim) -> Result<Option<DueMail>, StoreError> {
    let row = tx.one(
        "UPDATE mails SET claimed_until = ?2, attempts = attempts + 1 WHERE position = (
             SELECT position FROM mails WHERE due_at NOT BETWEEN ?1 + 1 AND ?3
             AND (claimed_until IS NULL OR claimed_until NOT BETWEEN ?1 + 1 AND ?2) ORDER BY due_at, position LIMIT 1)
         RETURNING id, meeting_id, user_id, kind, attempts, expires_at",
        params![claim.now.as_millis(), (claim.now + claim.lease).as_millis(), (claim.now + LONGEST_DELAY).as_millis()],
        |row| {
            let mail: MailId = row.id("id")?;
            let about: MeetingId = row.id("meeting_id")?;
            let to: UserId = row.id("user_id")?;
            let kind: MailKind = row.word("kind")?;
            Ok((mail, about, to, kind, row.get("attempts")?, row.at("expires_at")?))
        },
    )?;
    let Some((id, meeting, user, kind, attempts, expires_at)) = row else { return Ok(None) };
    // Both are there: the row would have gone with them.
    let (Some(view), Some(to)) = (meetings::find_meeting(tx, meeting)?, accounts::user(tx, user)?) else {
        return Ok(None);
    };
    Ok(Some(DueMail { id, kind, view, to, attempts, expires_at }))
}

pub(super) fn finish_mail(tx: &mut Tx<'_>, mail: MailId) -> Result<(), StoreError> {
    tx.run("DELETE FROM mails WHERE id = ?1", [mail.0]).map(drop)
}

pub(super) fn delay_mail(tx: &mut Tx<'_>, mail: MailId, due_at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE mails SET due_at = ?2, claimed_until = NULL WHERE id = ?1";
    tx.run(sql, params![mail.0, due_at.as_millis()]).map(drop)
}

pub(super) fn next_mail_due_at(db: &Db<'_>) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(max(due_at, coalesce(claimed_until, due_at))) FROM mails";
    let next: Option<i64> = db.one(sql, (), |row| row.get(0))?.flatten();
    Ok(next.map(Timestamp::from_millis))
}
