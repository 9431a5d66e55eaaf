//! What was committed, for whoever tells people.

use std::sync::Arc;

use parley_domain::{Message, MessageId, Project, Proposal, SessionId, UserId};
use tokio::sync::broadcast;

use crate::{DueReminder, MeetingChange, Posted, ReadState};

/// One committed change, with those whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// A message was written.
    Message {
        /// The message.
        message: Arc<Posted>,
        /// Everybody in the conversation, the sender included.
        to: Vec<UserId>,
    },
    /// A message was edited or deleted.
    MessageUpdated {
        /// As it is now.
        message: Message,
        /// Everybody in the conversation, the author included.
        to: Vec<UserId>,
    },
    /// A read mark moved.
    Read {
        /// The mark as it is now; its message is always set.
        state: ReadState,
        /// The message that the reader named; `None` when it read to the end.
        up_to: Option<MessageId>,
        /// Everybody in the conversation, the reader included.
        to: Vec<UserId>,
    },
    /// A meeting was made or moved; `news` is always set.
    Meeting(MeetingChange),
    /// A project came to be or was closed.
    Project {
        /// The project as it is now.
        project: Project,
        /// Its people.
        to: Vec<UserId>,
    },
    /// A proposal was made or moved.
    Proposal {
        /// The proposal as it is now.
        proposal: Proposal,
        /// The request's client and the provider.
        to: Vec<UserId>,
    },
    /// A reminder was claimed and is to be sent.
    Reminder(DueReminder),
    /// Sessions ended: log-out, a changed password, a reused refresh token. Their sockets are to be closed.
    SessionsEnded {
        /// Whose.
        user: UserId,
        /// Which.
        sessions: Vec<SessionId>,
    },
}

/// Everything that this process commits, in commit order.
pub type CommitFeed = broadcast::Receiver<Arc<Committed>>;

/// What a store has done so far in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Transactions committed.
    pub commits: u64,
    /// Writes in them: far more than commits when many of them wait.
    pub writes: u64,
    /// How long the writes waited for their turn, altogether, in microseconds.
    pub waited_micros: u64,
    /// Statements run, of reads and writes, but those that begin and end transactions.
    pub statements: u64,
    /// What these statements cost, in steps of the database's own machine: the same however fast the computer is.
    pub steps: u64,
}
