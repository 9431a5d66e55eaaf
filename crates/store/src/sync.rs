//! The change log behind `GET /sync`.

use parley_domain::{Meeting, Message, Project, Proposal, Reminder};

use crate::{ReadState, StoreError, SyncCursor};

/// One thing that concerns a person, as it is now. Later changes of the same thing may make an earlier one show its
/// newest state already; applying them in order always ends right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// New, edited or deleted.
    Message(Message),
    /// A read mark moved.
    Read(ReadState),
    /// New or moved.
    Meeting(Meeting),
    /// New or closed.
    Project(Project),
    /// New or moved.
    Proposal(Proposal),
    /// Sent.
    Reminder(Reminder),
}

/// What happened since a cursor, in commit order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPage {
    /// What happened.
    pub changes: Vec<Change>,
    /// Where to go on.
    pub next_cursor: SyncCursor,
    /// Whether there is more at once.
    pub more: bool,
}

/// Why there is no answer to a sync.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// `SYNC_TOO_OLD`: the log no longer reaches back to that cursor, or it belongs to another log.
    #[error("the change log no longer reaches back to this cursor")]
    TooOld,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long things are kept that nobody needs for ever.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Changes older than this leave the log: 30 days is a long absence for a desktop.
    pub changes: std::time::Duration,
    /// Idempotency keys: 24 h by the contract.
    pub idempotency_keys: std::time::Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let day = 24 * 60 * 60;
        Self {
            changes: std::time::Duration::from_secs(30 * day),
            idempotency_keys: std::time::Duration::from_secs(day),
        }
    }
}
