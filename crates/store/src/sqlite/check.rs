//! Looks a database through, beside whoever uses it: what SQLite checks, and what the domain promises.

use std::{path::Path, time::Duration};

use parley_domain::{AttachmentId, terms_hash};
use rusqlite::{Connection, TransactionBehavior};

use super::{
    copy::integrity,
    db::{Db, error_of},
    open::open_reader,
    projects,
};
use crate::StoreError;

/// How long to wait for another process that holds the file.
const BUSY: Duration = Duration::from_secs(5);

/// Something that no version of this program writes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Which promise is broken, in one word.
    pub check: &'static str,
    /// The id of the row, in the wire's form; empty for the file as a whole.
    pub subject: String,
    /// What is wrong.
    pub detail: String,
}

/// A promise as a query for the rows that break it: each gives an id.
struct Invariant {
    check: &'static str,
    detail: &'static str,
    sql: &'static str,
}

const INVARIANTS: &[Invariant] = &[
    Invariant {
        check: "project_conversation",
        detail: "the project has no conversation",
        sql: "SELECT id FROM projects WHERE id NOT IN (SELECT project_id FROM conversations)",
    },
    Invariant {
        check: "project_provider",
        detail: "the project has no provider",
        sql: "SELECT id FROM projects WHERE id NOT IN (SELECT project_id FROM project_providers)",
    },
    Invariant {
        check: "project_participants",
        detail: "the conversation's participants are not the project's client and providers",
        sql: "WITH people AS (
                  SELECT id AS project_id, client_id AS user_id FROM projects
                  UNION SELECT project_id, user_id FROM project_providers),
              present AS (
                  SELECT c.project_id, p.user_id FROM participants p JOIN conversations c ON c.id = p.conversation_id)
              SELECT DISTINCT project_id FROM (
                  SELECT * FROM (SELECT * FROM people EXCEPT SELECT * FROM present)
                  UNION ALL SELECT * FROM (SELECT * FROM present EXCEPT SELECT * FROM people))",
    },
    Invariant {
        check: "project_terms",
        detail: "the project's terms are not those of its accepted proposal",
        sql: "SELECT p.id FROM projects p JOIN proposals o ON o.id = p.proposal_id
              WHERE o.status <> 'ACCEPTED' OR o.request_id <> p.request_id OR o.price_amount <> p.price_amount
                 OR o.price_currency <> p.price_currency OR o.scope <> p.scope OR o.deadline <> p.deadline
                 OR o.provider_id NOT IN (SELECT user_id FROM project_providers WHERE project_id = p.id)",
    },
    Invariant {
        check: "project_request",
        detail: "the project's request is not converted, or not the client's",
        sql: "SELECT p.id FROM projects p JOIN requests r ON r.id = p.request_id
              WHERE r.status <> 'CONVERTED' OR r.client_id <> p.client_id",
    },
    Invariant {
        check: "accepted_proposal",
        detail: "the proposal is accepted, but there is no project",
        sql: "SELECT id FROM proposals WHERE status = 'ACCEPTED' AND id NOT IN (SELECT proposal_id FROM projects)",
    },
    Invariant {
        check: "converted_request",
        detail: "the request is converted, but there is no project",
        sql: "SELECT id FROM requests WHERE status = 'CONVERTED' AND id NOT IN (SELECT request_id FROM projects)",
    },
    Invariant {
        check: "pending_sibling",
        detail: "the proposal is pending although its request is converted",
        sql: "SELECT o.id FROM proposals o JOIN requests r ON r.id = o.request_id
              WHERE o.status = 'PENDING' AND r.status = 'CONVERTED'",
    },
    Invariant {
        check: "message_seq",
        detail: "the conversation's messages are not numbered without a gap up to its last one",
        sql: "SELECT c.id FROM conversations c WHERE c.last_seq <> (
                  SELECT count(DISTINCT m.seq) FROM messages m WHERE m.conversation_id = c.id)
              OR c.last_seq <> (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id)
              OR c.last_seq <> coalesce((SELECT max(seq) FROM messages m WHERE m.conversation_id = c.id), 0)",
    },
    Invariant {
        check: "message_change",
        detail: "the numbers of the conversation's changes do not rise with its messages up to its own",
        sql: "SELECT DISTINCT c.id FROM conversations c JOIN messages m ON m.conversation_id = c.id
              LEFT JOIN messages b ON b.conversation_id = c.id AND b.seq = m.seq - 1
              WHERE m.change_number > c.activity OR (m.change_number > 0 AND m.change_number <= b.change_number)
                 OR m.change_number < b.change_number",
    },
    Invariant {
        check: "message_sender",
        detail: "the message's sender is no participant",
        sql: "SELECT m.id FROM messages m WHERE NOT EXISTS (SELECT 1 FROM participants p
              WHERE p.conversation_id = m.conversation_id AND p.user_id = m.sender_id)",
    },
    Invariant {
        check: "deleted_message",
        detail: "the message is deleted, but its text is still there",
        sql: "SELECT id FROM messages WHERE deleted_at IS NOT NULL AND content <> ''",
    },
    Invariant {
        check: "read_mark",
        detail: "a participant has read further than the conversation's last message, or the mark and its steps differ",
        sql: "SELECT DISTINCT c.id FROM conversations c JOIN participants p ON p.conversation_id = c.id
              WHERE p.last_read_seq > c.last_seq OR p.last_read_seq <> coalesce((SELECT max(up_to_seq) FROM read_marks r
                  WHERE r.conversation_id = p.conversation_id AND r.user_id = p.user_id), 0)",
    },
    Invariant {
        check: "meeting_state",
        detail: "the meeting's status and times can't be together",
        sql: "SELECT id FROM meetings WHERE CASE status
                  WHEN 'PENDING' THEN started_at IS NOT NULL OR ended_at IS NOT NULL OR duration IS NOT NULL
                      OR (type = 'instant' AND accepted_at IS NOT NULL)
                  WHEN 'ACTIVE' THEN started_at IS NULL OR ended_at IS NOT NULL OR duration IS NOT NULL
                  WHEN 'COMPLETED' THEN started_at IS NULL OR ended_at IS NULL OR duration IS NULL
                  ELSE started_at IS NOT NULL OR duration IS NOT NULL END",
    },
    Invariant {
        check: "meeting_due",
        detail: "the meeting is over, but something is still due for it",
        sql: "SELECT id FROM meetings WHERE status IN ('COMPLETED', 'CANCELLED')
              AND (ring_due_at IS NOT NULL OR expiry_due_at IS NOT NULL)",
    },
    Invariant {
        check: "meeting_people",
        detail: "host or guest is not in the meeting's project",
        sql: "SELECT m.id FROM meetings m JOIN conversations c ON c.project_id = m.project_id
              WHERE (SELECT count(*) FROM participants p
                  WHERE p.conversation_id = c.id AND p.user_id IN (m.host_id, m.guest_id)) <> 2",
    },
    Invariant {
        check: "meeting_uids",
        detail: "the four numbers of the meeting's people and screens are not distinct",
        sql: "SELECT id FROM meetings WHERE host_uid IN (guest_uid, host_screen_uid, guest_screen_uid)
              OR guest_uid IN (host_screen_uid, guest_screen_uid) OR host_screen_uid = guest_screen_uid",
    },
    Invariant {
        check: "meeting_of_closed_project",
        detail: "the meeting goes on although its project is closed",
        sql: "SELECT m.id FROM meetings m JOIN projects p ON p.id = m.project_id
              WHERE m.status IN ('PENDING', 'ACTIVE') AND p.status <> 'ACTIVE'",
    },
    Invariant {
        check: "reminder",
        detail: "a reminder waits for a meeting that is not ahead any more",
        sql: "SELECT DISTINCT m.id FROM reminders r JOIN meetings m ON m.id = r.meeting_id
              WHERE r.sent = 0 AND (m.status <> 'PENDING' OR m.type <> 'scheduled')",
    },
    Invariant {
        check: "change_log",
        detail: "the change log counts on from below what it already holds",
        sql: "SELECT user_id FROM (SELECT user_id, number FROM changes UNION ALL
                  SELECT sender_id, change_number FROM messages)
              WHERE number > (SELECT value FROM counters WHERE name = 'last_change') LIMIT 1",
    },
];

/// Everything that is wrong with the database, as it is at one moment.
///
/// # Errors
/// What opening and reading say, for a file that is too damaged to be looked through.
pub fn findings(path: &Path) -> Result<Vec<Finding>, StoreError> {
    let mut conn = open_reader(path, BUSY)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Deferred).map_err(error_of)?;
    let mut found = file_findings(&tx)?;
    let db = Db::new(&tx);
    for invariant in INVARIANTS {
        for id in db.all(invariant.sql, (), |row| row.get::<_, uuid::Uuid>(0))? {
            found.push(Finding {
                check: invariant.check,
                subject: id.to_string(),
                detail: invariant.detail.to_owned(),
            });
        }
    }
    for project in projects::all_projects(&db)? {
        if terms_hash(&project) != project.terms_hash {
            let detail = "the hash of the terms is not that of the terms".to_owned();
            found.push(Finding { check: "terms_hash", subject: project.id.to_string(), detail });
        }
    }
    Ok(found)
}

/// Every file that people sent or are about to send, with its size in bytes.
///
/// # Errors
/// What opening and reading say.
pub fn kept_files(path: &Path) -> Result<Vec<(AttachmentId, u64)>, StoreError> {
    let mut conn = open_reader(path, BUSY)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Deferred).map_err(error_of)?;
    Db::new(&tx).all("SELECT id, size FROM attachments ORDER BY position", (), |row| {
        Ok((row.get::<_, uuid::Uuid>(0)?.into(), row.get::<_, i64>(1)?.unsigned_abs()))
    })
}

fn file_findings(conn: &Connection) -> Result<Vec<Finding>, StoreError> {
    let sentences = integrity(conn)?;
    Ok(sentences.into_iter().map(|detail| Finding { check: "file", subject: String::new(), detail }).collect())
}
