//! The change log as one person reads it, and the upkeep of what is kept for a time only.

use std::collections::HashMap;

use parley_domain::{ConversationId, Message, Project, Proposal, Reminder, Timestamp, UserId};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::{
    db::{Db, RowExt, Tx, day_of},
    due, market, meetings, messages, projects,
};
use crate::{Change, MeetingView, ReadState, Retention, StoreError, SyncCursor, SyncError, SyncPage};

/// At most so many changes in one answer.
const MAX_CHANGES: u32 = 500;

struct Log {
    id: u32,
    last: i64,
    forgotten: i64,
}

fn log_of(db: &Db<'_>) -> Result<Log, StoreError> {
    let counters = db.all("SELECT name, value FROM counters", (), |row| {
        Ok((row.get::<_, String>("name")?, row.get::<_, i64>("value")?))
    })?;
    let value = |wanted: &str| {
        counters
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| *value)
            .ok_or_else(|| StoreError::Corrupt(format!("the counter {wanted} is missing")))
    };
    let id = u32::try_from(value("log")?).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Log { id, last: value("last_change")?, forgotten: value("forgotten_change")? })
}

/// What is written down for each person whom it concerns.
const LOGGED: &str = "SELECT number, kind, subject, actor FROM changes WHERE user_id = ?1 AND number > ?2
    ORDER BY number LIMIT ?3";

/// A message carries its number itself. In each conversation that anything happened in, halving what lies between
/// `seen` and `last` finds the last message that is not new: its numbers rise with `seq`, which has no gaps. CROSS: the
/// tables are gone through in this order.
const NEW_MESSAGES: &str = "WITH RECURSIVE span (conversation, seen, last) AS (
        SELECT c.id, 0, c.last_seq FROM participants pt CROSS JOIN conversations c ON c.id = pt.conversation_id
        WHERE pt.user_id = ?1 AND c.activity > ?2
        UNION ALL
        SELECT s.conversation, iif(m.change_number > ?2, s.seen, m.seq), iif(m.change_number > ?2, m.seq - 1, s.last)
        FROM span s CROSS JOIN messages m ON m.conversation_id = s.conversation AND m.seq = (s.seen + s.last + 1) / 2
        WHERE s.seen < s.last)
    SELECT m.change_number, 'message', m.id, NULL FROM span s
    CROSS JOIN messages m ON m.conversation_id = s.conversation AND m.seq BETWEEN s.seen + 1 AND s.seen + ?3
    WHERE s.seen = s.last ORDER BY m.change_number LIMIT ?3";

struct ChangeLine {
    number: i64,
    kind: String,
    subject: Uuid,
    actor: Option<UserId>,
}

pub(super) fn sync(db: &Db<'_>, viewer: UserId, since: Option<SyncCursor>, limit: u32) -> Result<SyncPage, SyncError> {
    let log = log_of(db)?;
    let Some(since) = since else {
        let next_cursor = SyncCursor { log: log.id, seen: log.last };
        return Ok(SyncPage { changes: Vec::new(), next_cursor, more: false });
    };
    if since.log != log.id || since.seen < log.forgotten || since.seen > log.last {
        return Err(SyncError::TooOld);
    }
    let limit = limit.clamp(1, MAX_CHANGES) as usize;
    let mut lines = Vec::new();
    for sql in [LOGGED, NEW_MESSAGES] {
        let line = |row: &Row<'_>| {
            Ok(ChangeLine { number: row.get(0)?, kind: row.get(1)?, subject: row.get(2)?, actor: row.opt_id(3)? })
        };
        lines.extend(db.all(sql, params![viewer.0, since.seen, limit as i64 + 1], line)?);
    }
    lines.sort_by_key(|line| line.number);
    let more = lines.len() > limit;
    lines.truncate(limit);
    // At the end of one's own changes the cursor moves on to the end of the log, so that it ages as late as possible.
    let seen = lines.last().filter(|_| more).map_or(log.last, |line| line.number);
    let subjects = Subjects::of(db, &lines)?;
    let mut changes = Vec::with_capacity(lines.len());
    for line in &lines {
        changes.extend(subjects.change(line)?);
    }
    Ok(SyncPage { changes, next_cursor: SyncCursor { log: log.id, seen }, more })
}

/// What the lines of a page speak of, as it is now: one statement for each kind that is among them, and two more for the
/// readers and files of messages. What has been deleted since is not there.
struct Subjects {
    messages: HashMap<Uuid, Message>,
    reads: HashMap<(ConversationId, UserId), ReadState>,
    meetings: HashMap<Uuid, MeetingView>,
    projects: HashMap<Uuid, Project>,
    proposals: HashMap<Uuid, Proposal>,
    reminders: HashMap<Uuid, Reminder>,
}

impl Subjects {
    fn of(db: &Db<'_>, lines: &[ChangeLine]) -> Result<Self, StoreError> {
        let all = |kind: &str| -> Vec<Uuid> {
            lines.iter().filter(|line| line.kind == kind).map(|line| line.subject).collect()
        };
        Ok(Self {
            messages: messages::find_messages(db, &all("message"))?,
            reads: messages::read_states(db, &all("read"))?,
            meetings: meetings::find_meetings(db, &all("meeting"))?,
            projects: projects::find_projects(db, &all("project"))?,
            proposals: market::find_proposals(db, &all("proposal"))?,
            reminders: due::find_reminders(db, &all("reminder"))?,
        })
    }

    fn change(&self, line: &ChangeLine) -> Result<Option<Change>, StoreError> {
        let subject = &line.subject;
        Ok(match (line.kind.as_str(), line.actor) {
            ("message", _) => self.messages.get(subject).cloned().map(Change::Message),
            ("read", Some(reader)) => self.reads.get(&((*subject).into(), reader)).cloned().map(Change::Read),
            ("meeting", _) => self.meetings.get(subject).map(|view| Change::Meeting(view.meeting.clone())),
            ("project", _) => self.projects.get(subject).cloned().map(Change::Project),
            ("proposal", _) => self.proposals.get(subject).cloned().map(Change::Proposal),
            ("reminder", _) => self.reminders.get(subject).cloned().map(Change::Reminder),
            (kind, _) => return Err(StoreError::Corrupt(format!("a change of kind {kind:?}"))),
        })
    }
}

pub(super) fn sweep(tx: &mut Tx<'_>, retention: Retention, now: Timestamp) -> Result<(), StoreError> {
    forget_changes(tx, now - retention.changes)?;
    let keys_until = (now - retention.idempotency_keys).as_millis();
    tx.run("DELETE FROM idempotency_keys WHERE created_at <= ?1", [keys_until])?;
    tx.run("DELETE FROM refresh_tokens WHERE expires_at <= ?1", [now.as_millis()])?;
    let sql = "DELETE FROM sessions WHERE id NOT IN (SELECT session_id FROM refresh_tokens)";
    tx.run(sql, ()).map(drop)
}

/// Drops the changes of whole days before `before`.
fn forget_changes(tx: &Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    let first_kept: Option<i64> = tx
        .one("SELECT min(first_number) FROM change_days WHERE day >= ?1", [day_of(before)], |row| row.get(0))?
        .flatten();
    // No change since then: all of them are old.
    let forgotten = match first_kept {
        Some(first) => first - 1,
        None => log_of(tx)?.last,
    };
    // User by user, so that the primary key finds them.
    let sql = "DELETE FROM changes WHERE user_id IN (SELECT id FROM users) AND number <= ?1";
    tx.run(sql, [forgotten])?;
    tx.run("DELETE FROM change_days WHERE day < ?1", [day_of(before)])?;
    tx.run("UPDATE counters SET value = ?1 WHERE name = 'forgotten_change' AND value < ?1", [forgotten]).map(drop)
}
