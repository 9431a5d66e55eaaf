//! The life of a meeting (`CONTRACT.md` §5) as pure functions: a row, who acts and the time go in, the row afterwards or
//! a refusal comes out. Whoever stores meetings makes each of these one conditional write.

use std::time::Duration;

use crate::{
    EndReason, EngineKind, Meeting, MeetingId, MeetingStatus, MeetingType, Project, ProjectStatus, Timestamp, UserId,
};

#[cfg(test)]
mod tests;

/// The spans that meetings live by. [`MeetingTimes::default`] is the contract's; tests shorten them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingTimes {
    /// How long an unanswered call rings.
    pub ring: Duration,
    /// How long before its time a scheduled meeting opens to its host.
    pub early_start: Duration,
    /// How long after its time a scheduled meeting that nobody started is kept.
    pub expiry: Duration,
    /// How long both may be away from an active meeting.
    pub absence: Duration,
    /// How long before a scheduled meeting its reminders go out.
    pub reminders: Vec<Duration>,
}

impl Default for MeetingTimes {
    fn default() -> Self {
        Self {
            ring: Duration::from_secs(45),
            early_start: Duration::from_secs(10 * 60),
            expiry: Duration::from_secs(60 * 60),
            absence: Duration::from_secs(2 * 60),
            reminders: vec![Duration::from_secs(15 * 60), Duration::from_secs(60)],
        }
    }
}

/// What one of the two people asks of a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeetingStep {
    /// The host opens it.
    Start,
    /// The guest says yes.
    Accept,
    /// The guest says no.
    Decline,
    /// Either hangs up.
    End,
    /// The host takes it back.
    Cancel,
    /// The host gives it another time.
    Reschedule(Timestamp),
}

impl MeetingStep {
    /// The state that the step leads to.
    fn target(self) -> MeetingStatus {
        match self {
            Self::Start | Self::Accept => MeetingStatus::Active,
            Self::End => MeetingStatus::Completed,
            Self::Decline | Self::Cancel => MeetingStatus::Cancelled,
            Self::Reschedule(_) => MeetingStatus::Pending,
        }
    }
}

/// Why the server itself closes a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeetingClosing {
    /// Nobody answered within the ring time.
    RingTimedOut,
    /// Nobody started it within [`MeetingTimes::expiry`] of its time.
    Expired,
    /// Both were away for [`MeetingTimes::absence`].
    Abandoned {
        /// When the last of them left.
        last_left: Timestamp,
    },
    /// Its project was completed or cancelled.
    ProjectClosed,
}

/// What a transition means to the people in the meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeetingNews {
    /// It rings at the guest's: `meeting:invite` to the guest.
    Ringing,
    /// It has a time, a new time or an early yes: `meeting:scheduled` to both.
    Scheduled,
    /// It became active: `meeting:started` to both, and `meeting:invite` to the guest when `invites`.
    Started {
        /// Whether the guest must be rung for it now: a scheduled one that was not accepted before.
        invites: bool,
    },
    /// An active one was answered: `meeting:started` to both.
    Answered,
    /// It is over: `meeting:ended` to both.
    Ended,
}

/// A step that may be taken: the row afterwards, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingTransition {
    /// The row as it is to be written; equal to the row before when `news` is `None`.
    pub meeting: Meeting,
    /// `None` for a repeated step that changes nothing.
    pub news: Option<MeetingNews>,
}

/// Why a meeting can't be made or moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeetingRefusal {
    /// The caller is in the meeting, but this step belongs to the other side.
    #[error("only the {0} can do that")]
    NotYours(Side),
    /// No such move from there.
    #[error("the meeting is {from} and can't become {to}")]
    State {
        /// Where it stands.
        from: MeetingStatus,
        /// Where the step leads.
        to: MeetingStatus,
    },
    /// A scheduled one that is not open yet.
    #[error("the meeting is {from} and can't become {to} before {opens_at}")]
    TooEarly {
        /// Where it stands.
        from: MeetingStatus,
        /// Where the step leads.
        to: MeetingStatus,
        /// From when on it can.
        opens_at: Timestamp,
    },
    /// A call of this project rings or runs.
    #[error("a call is in progress in this project")]
    InProgress(MeetingId),
    /// The project is completed or cancelled.
    #[error("the project is {0}, not ACTIVE")]
    ProjectNotActive(ProjectStatus),
    /// `scheduledAt` is missing, or not in the future.
    #[error("a scheduled meeting needs a time in the future")]
    TimeNotInFuture,
    /// `guestId` is not such another participant, or missing where there are several.
    #[error("{0}")]
    Guest(GuestProblem),
}

/// What is wrong with a wished guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuestProblem {
    /// There are several others; one must be named.
    #[error("say who of the providers is to be called")]
    Ambiguous,
    /// Not another participant of the project.
    #[error("the guest must be another participant of the project")]
    NotAParticipant,
    /// Two providers: a meeting is always between the client and a provider.
    #[error("a meeting is between the client and a provider")]
    NotClientAndProvider,
}

/// One of the two people in a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who called.
    Host,
    /// Who is called.
    Guest,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Guest => "guest",
        })
    }
}

/// All that makes a new meeting besides its project.
#[derive(Clone, Debug)]
pub struct MeetingPlan {
    /// The id it gets.
    pub id: MeetingId,
    /// Who calls; must be in the project (whoever is not may not know of it).
    pub host: UserId,
    /// Whom; may be `None` where there is one other side only.
    pub guest: Option<UserId>,
    /// Instant or scheduled.
    pub kind: MeetingType,
    /// The time; scheduled ones only, ignored for instant ones.
    pub scheduled_at: Option<Timestamp>,
    /// See [`crate::channel_name`].
    pub channel_name: String,
    /// What carries the media.
    pub engine: EngineKind,
}

/// Whom `host` calls in `project`: the wished guest if that is the other side, the only other side if none is wished.
///
/// # Errors
/// A [`GuestProblem`] as above.
pub fn guest_of(project: &Project, host: UserId, wished: Option<UserId>) -> Result<UserId, GuestProblem> {
    let is_participant = |user: UserId| user == project.client_id || project.provider_ids.contains(&user);
    match wished {
        Some(guest) if guest == host || !is_participant(guest) => Err(GuestProblem::NotAParticipant),
        Some(guest) if guest != project.client_id && host != project.client_id => {
            Err(GuestProblem::NotClientAndProvider)
        }
        Some(guest) => Ok(guest),
        None if host != project.client_id => Ok(project.client_id),
        None => match project.provider_ids.as_slice() {
            [only] => Ok(*only),
            [] => Err(GuestProblem::NotAParticipant),
            _ => Err(GuestProblem::Ambiguous),
        },
    }
}

/// Makes a meeting. `in_progress` is the project's one call that rings or runs, if any: it stops instant ones only.
///
/// # Errors
/// `ProjectNotActive`, `Guest`, `TimeNotInFuture`, `InProgress`, checked in this order.
pub fn create_meeting(
    plan: MeetingPlan,
    project: &Project,
    in_progress: Option<MeetingId>,
    now: Timestamp,
) -> Result<MeetingTransition, MeetingRefusal> {
    if project.status != ProjectStatus::Active {
        return Err(MeetingRefusal::ProjectNotActive(project.status));
    }
    let guest_id = guest_of(project, plan.host, plan.guest).map_err(MeetingRefusal::Guest)?;
    let (scheduled_at, news) = match plan.kind {
        MeetingType::Scheduled => {
            let at = plan.scheduled_at.filter(|at| *at > now).ok_or(MeetingRefusal::TimeNotInFuture)?;
            (Some(at), MeetingNews::Scheduled)
        }
        MeetingType::Instant => {
            if let Some(meeting) = in_progress {
                return Err(MeetingRefusal::InProgress(meeting));
            }
            (None, MeetingNews::Ringing)
        }
    };
    let meeting = Meeting {
        id: plan.id,
        project_id: project.id,
        host_id: plan.host,
        guest_id,
        channel_name: plan.channel_name,
        kind: plan.kind,
        status: MeetingStatus::Pending,
        engine: plan.engine,
        scheduled_at,
        accepted_at: None,
        started_at: None,
        ended_at: None,
        duration: None,
        end_reason: None,
        created_at: now,
        updated_at: now,
    };
    Ok(MeetingTransition { meeting, news: Some(news) })
}

/// What else a step depends on.
#[derive(Clone, Copy, Debug)]
pub struct MeetingContext {
    /// Whether its project is active.
    pub project: ProjectStatus,
    /// The project's *other* call that rings or runs, if any.
    pub other_in_progress: Option<MeetingId>,
    /// Now.
    pub now: Timestamp,
}

/// Takes one person's step. `caller` must be host or guest (nobody else may know of the meeting); anyone else is
/// answered as the guest would be for the host's steps, and as the host for the guest's.
///
/// # Errors
/// `NotYours` first, then `State` or `TooEarly`, then what the rest of the project says.
pub fn take_step(
    meeting: &Meeting,
    caller: UserId,
    step: MeetingStep,
    context: MeetingContext,
    times: &MeetingTimes,
) -> Result<MeetingTransition, MeetingRefusal> {
    check_side(meeting, caller, step)?;
    let now = context.now;
    let refused = || MeetingRefusal::State { from: meeting.status, to: step.target() };
    let mut next = meeting.clone();
    next.updated_at = now;
    let news = match (step, meeting.status) {
        (MeetingStep::Start, MeetingStatus::Pending) => {
            check_opening(meeting, now, times)?;
            check_rest_of_project(context)?;
            activate(&mut next, now);
            MeetingNews::Started { invites: meeting.kind == MeetingType::Scheduled && meeting.accepted_at.is_none() }
        }
        (MeetingStep::Accept, MeetingStatus::Pending | MeetingStatus::Active) if meeting.accepted_at.is_some() => {
            return Ok(MeetingTransition { meeting: meeting.clone(), news: None });
        }
        (MeetingStep::Accept, MeetingStatus::Active) => {
            next.accepted_at = Some(now);
            MeetingNews::Answered
        }
        (MeetingStep::Accept, MeetingStatus::Pending) => {
            next.accepted_at = Some(now);
            match meeting.kind {
                MeetingType::Scheduled => MeetingNews::Scheduled,
                MeetingType::Instant => {
                    check_rest_of_project(context)?;
                    activate(&mut next, now);
                    MeetingNews::Started { invites: false }
                }
            }
        }
        (MeetingStep::Decline, MeetingStatus::Pending) => {
            close(&mut next, EndReason::Declined, now);
            MeetingNews::Ended
        }
        (MeetingStep::Decline, MeetingStatus::Active) if meeting.accepted_at.is_none() => {
            close(&mut next, EndReason::Declined, now);
            MeetingNews::Ended
        }
        (MeetingStep::End, MeetingStatus::Active) => {
            close(&mut next, EndReason::Ended, now);
            MeetingNews::Ended
        }
        (MeetingStep::Cancel, MeetingStatus::Pending) => {
            close(&mut next, EndReason::Cancelled, now);
            MeetingNews::Ended
        }
        (MeetingStep::Reschedule(at), MeetingStatus::Pending) if meeting.kind == MeetingType::Scheduled => {
            if at <= now {
                return Err(MeetingRefusal::TimeNotInFuture);
            }
            if context.project != ProjectStatus::Active {
                return Err(MeetingRefusal::ProjectNotActive(context.project));
            }
            next.scheduled_at = Some(at);
            next.accepted_at = None;
            MeetingNews::Scheduled
        }
        _ => return Err(refused()),
    };
    Ok(MeetingTransition { meeting: next, news: Some(news) })
}

/// Closes a meeting by the server's own hand. `None` when there is nothing to close any more: it was answered, started
/// or ended in between, and the late answer of a timer must change nothing.
pub fn close_meeting(meeting: &Meeting, closing: MeetingClosing, now: Timestamp) -> Option<MeetingTransition> {
    let is_live = matches!(meeting.status, MeetingStatus::Pending | MeetingStatus::Active);
    let mut next = meeting.clone();
    next.updated_at = now;
    match closing {
        MeetingClosing::RingTimedOut if meeting.rings() => close(&mut next, EndReason::Missed, now),
        MeetingClosing::Expired
            if meeting.status == MeetingStatus::Pending && meeting.kind == MeetingType::Scheduled =>
        {
            close(&mut next, EndReason::Expired, now);
        }
        MeetingClosing::Abandoned { last_left } if meeting.status == MeetingStatus::Active => {
            let since = meeting.started_at.unwrap_or(last_left);
            close(&mut next, EndReason::Abandoned, last_left.max(since));
        }
        MeetingClosing::ProjectClosed if is_live => close(&mut next, EndReason::ProjectClosed, now),
        _ => return None,
    }
    Some(MeetingTransition { meeting: next, news: Some(MeetingNews::Ended) })
}

impl Meeting {
    /// Whether the guest is being called: unanswered, and instant or started.
    pub fn rings(&self) -> bool {
        self.accepted_at.is_none() && self.is_in_progress()
    }

    /// Whether it is the one call that a project can have at a time: active, or an instant one that still rings.
    pub fn is_in_progress(&self) -> bool {
        match self.status {
            MeetingStatus::Active => true,
            MeetingStatus::Pending => self.kind == MeetingType::Instant,
            MeetingStatus::Completed | MeetingStatus::Cancelled => false,
        }
    }

    /// Until when it rings: from its creation for an instant one, from its start for a scheduled one.
    pub fn ring_due_at(&self, times: &MeetingTimes) -> Option<Timestamp> {
        let since = match self.kind {
            MeetingType::Instant => Some(self.created_at),
            MeetingType::Scheduled => self.started_at,
        };
        since.filter(|_| self.rings()).map(|since| since + times.ring)
    }

    /// When it is given up if nobody starts it.
    pub fn expiry_due_at(&self, times: &MeetingTimes) -> Option<Timestamp> {
        self.scheduled_at.filter(|_| self.status == MeetingStatus::Pending).map(|at| at + times.expiry)
    }

    /// When its reminders go out, soonest first; only those that are still ahead.
    pub fn reminders_due_at(&self, times: &MeetingTimes, now: Timestamp) -> Vec<Timestamp> {
        let Some(at) = self.scheduled_at.filter(|_| self.status == MeetingStatus::Pending) else { return Vec::new() };
        let mut due: Vec<_> = times.reminders.iter().map(|before| at - *before).filter(|due| *due > now).collect();
        due.sort_unstable();
        due.dedup();
        due
    }

    /// Whether `caller` gets a token now: either in an active or ringing one, the host of a scheduled one also from
    /// [`MeetingTimes::early_start`] before its time.
    pub fn is_open_to(&self, caller: UserId, now: Timestamp, times: &MeetingTimes) -> bool {
        if caller != self.host_id && caller != self.guest_id {
            return false;
        }
        self.is_in_progress()
            || (self.status == MeetingStatus::Pending
                && caller == self.host_id
                && self.scheduled_at.is_some_and(|at| now >= at - times.early_start))
    }

    /// The other person, or `None` for someone who is not in it.
    pub fn peer_of(&self, caller: UserId) -> Option<UserId> {
        match caller {
            caller if caller == self.host_id => Some(self.guest_id),
            caller if caller == self.guest_id => Some(self.host_id),
            _ => None,
        }
    }
}

fn check_side(meeting: &Meeting, caller: UserId, step: MeetingStep) -> Result<(), MeetingRefusal> {
    let side = match step {
        MeetingStep::Start | MeetingStep::Cancel | MeetingStep::Reschedule(_) => Side::Host,
        MeetingStep::Accept | MeetingStep::Decline => Side::Guest,
        MeetingStep::End if caller == meeting.host_id => Side::Host,
        MeetingStep::End => Side::Guest,
    };
    let entitled = match side {
        Side::Host => meeting.host_id,
        Side::Guest => meeting.guest_id,
    };
    if caller == entitled { Ok(()) } else { Err(MeetingRefusal::NotYours(side)) }
}

fn check_opening(meeting: &Meeting, now: Timestamp, times: &MeetingTimes) -> Result<(), MeetingRefusal> {
    match meeting.scheduled_at.map(|at| at - times.early_start) {
        Some(opens_at) if now < opens_at => {
            Err(MeetingRefusal::TooEarly { from: meeting.status, to: MeetingStatus::Active, opens_at })
        }
        _ => Ok(()),
    }
}

fn check_rest_of_project(context: MeetingContext) -> Result<(), MeetingRefusal> {
    if context.project != ProjectStatus::Active {
        return Err(MeetingRefusal::ProjectNotActive(context.project));
    }
    context.other_in_progress.map_or(Ok(()), |meeting| Err(MeetingRefusal::InProgress(meeting)))
}

fn activate(meeting: &mut Meeting, now: Timestamp) {
    meeting.status = MeetingStatus::Active;
    meeting.started_at = Some(now);
}

/// Ends it: an active one is completed, one that never was active is cancelled and has no duration.
fn close(meeting: &mut Meeting, reason: EndReason, ended_at: Timestamp) {
    meeting.status = match meeting.status {
        MeetingStatus::Active => MeetingStatus::Completed,
        _ => MeetingStatus::Cancelled,
    };
    meeting.end_reason = Some(reason);
    meeting.ended_at = Some(ended_at);
    meeting.duration =
        meeting.started_at.map(|since| i64::try_from(ended_at.saturating_since(since).as_secs()).unwrap_or(i64::MAX));
}
