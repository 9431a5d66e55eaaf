//! Meetings and what is due for them: inputs, outcomes and refusals.

use std::time::Duration;

use parley_domain::{
    EngineKind, MailId, MailKind, Meeting, MeetingClosing, MeetingId, MeetingNews, MeetingRefusal, MeetingStatus,
    MeetingStep, MeetingTimes, MeetingUids, ProjectId, Reminder, Timestamp, User, UserId,
};

use crate::{Idempotency, KeyReused, StoreError};

/// A meeting to be made. Channel name and uids are drawn by the store.
#[derive(Clone, Debug)]
pub struct NewMeeting {
    /// Who calls.
    pub host: UserId,
    /// In which project.
    pub project: ProjectId,
    /// Whom; may be `None` where there is one other side only.
    pub guest: Option<UserId>,
    /// Instant or scheduled.
    pub kind: parley_domain::MeetingType,
    /// The time of a scheduled one.
    pub scheduled_at: Option<Timestamp>,
    /// What carries the media; fixed from here on.
    pub engine: EngineKind,
    /// From these the due times of ring, expiry and reminders follow.
    pub times: MeetingTimes,
    /// `Idempotency-Key`.
    pub idempotency: Option<Idempotency>,
}

/// One person's step in a meeting.
#[derive(Clone, Debug)]
pub struct MeetingMove {
    /// Which meeting.
    pub meeting: MeetingId,
    /// Who.
    pub caller: UserId,
    /// What.
    pub step: MeetingStep,
    /// As in [`NewMeeting::times`].
    pub times: MeetingTimes,
}

/// The server's own closing of a meeting.
#[derive(Clone, Copy, Debug)]
pub struct MeetingEnding {
    /// Which meeting.
    pub meeting: MeetingId,
    /// Why.
    pub closing: MeetingClosing,
}

/// A meeting with all that tokens, invites and rings need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingView {
    /// The row.
    pub meeting: Meeting,
    /// Its four numbers; the same for its whole life.
    pub uids: MeetingUids,
    /// The caller's name.
    pub host_name: String,
    /// The guest's name.
    pub guest_name: String,
    /// Its project's title.
    pub project_title: String,
    /// How often its time was changed or it was called off: `SEQUENCE` of its calendar entry.
    pub sequence: u32,
    /// Until when it rings, by the wall clock; `None` when it doesn't. After a restart rings go on from this.
    pub ring_due_at: Option<Timestamp>,
}

/// A meeting after a step, and what that means to its people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingChange {
    /// The meeting as it is now.
    pub view: MeetingView,
    /// `None` when the step was repeated and nothing is to be told.
    pub news: Option<MeetingNews>,
}

/// Which meetings of one person are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeetingFilter {
    /// Only in this state.
    pub status: Option<MeetingStatus>,
    /// Only those whose time (`scheduledAt`, else `createdAt`) is not before this.
    pub from: Option<Timestamp>,
    /// Only those whose time is before this.
    pub to: Option<Timestamp>,
}

/// A claim on rows that are due: whoever claims them has them until the lease ends, so that two nodes never do the
/// same work at the same time, and a node that dies loses nothing.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Rows due up to now.
    pub now: Timestamp,
    /// How long they are this caller's.
    pub lease: Duration,
    /// At most so many.
    pub limit: u32,
}

/// A reminder that is due, already in the change log of both people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueReminder {
    /// What to send.
    pub reminder: Reminder,
    /// To whom.
    pub to: [UserId; 2],
}

/// Whether mails are written: for a meeting that was given a time or called off and for each reminder, one to each
/// side. Where nobody sends them they would only pile up; those that wait are dropped then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailing {
    /// A mail server is set.
    On,
    /// None is.
    Off,
}

/// A mail that is to be sent now, with all that it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueMail {
    /// Which mail; the same at every try.
    pub id: MailId,
    /// What it tells.
    pub kind: MailKind,
    /// The meeting as it is now.
    pub view: MeetingView,
    /// The recipient.
    pub to: User,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// From when on it is of no use any more.
    pub expires_at: Timestamp,
}

/// Why a meeting can't be made, seen or moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeetingError {
    /// Unknown, or not the caller's to know of.
    #[error("not found")]
    NotFound,
    /// The domain says no.
    #[error(transparent)]
    Refused(#[from] MeetingRefusal),
    /// `IDEMPOTENCY_KEY_REUSED`.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
