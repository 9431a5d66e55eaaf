//! Meetings: may they, what changes. Who must hear of it follows from the commit (`realtime::publish`).

use parley_domain::{
    EngineKind, Meeting, MeetingId, MeetingLogEntry, MeetingStep, MeetingType, ProjectId, Timestamp, UserId, guest_of,
};
use parley_protocol::{
    Code,
    rest::{self, MeetingToken},
};
use parley_store::{Created, Idempotency, MeetingFilter, MeetingMove, MeetingView, NewMeeting, Page, PageRequest};

use super::{
    calendar::{self, CalendarFile},
    tokens,
};
use crate::{
    auth::caller::Caller,
    limits::Kind,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// Makes a meeting; an instant one rings at once.
pub(crate) async fn create(
    app: &AppState,
    caller: &Caller,
    body: rest::NewMeeting,
    idempotency: Option<Idempotency>,
) -> Outcome<Created<Meeting>> {
    app.limits.take_for(Kind::Meeting, caller.id())?;
    if body.kind == MeetingType::Instant && body.scheduled_at.is_some() {
        return Err(Refusal::invalid("/scheduledAt", "belongs to scheduled meetings only"));
    }
    let project = app.store.project(caller.id(), body.project_id).await?;
    let engine = match guest_of(&project, caller.id(), body.guest_id) {
        Ok(guest) => choose_engine(app, caller.id(), guest),
        // The store refuses such a guest in its own transaction, with everything else that may be wrong.
        Err(_) => EngineKind::Direct,
    };
    let meeting = NewMeeting {
        host: caller.id(),
        project: body.project_id,
        guest: body.guest_id,
        kind: body.kind,
        scheduled_at: body.scheduled_at,
        engine,
        times: app.config.timing.meeting.clone(),
        idempotency,
    };
    Ok(match app.store.create_meeting(meeting, app.now()).await? {
        Created::New(change) => Created::New(change.view.meeting),
        Created::Same(change) => Created::Same(change.view.meeting),
    })
}

/// Agora's engine if the server has Agora's keys and no connected device of either side said that it lacks it.
fn choose_engine(app: &AppState, host: UserId, guest: UserId) -> EngineKind {
    let can_all = app.secrets.agora().is_some()
        && [host, guest].into_iter().flat_map(|user| app.devices.of(user)).all(|device| device.carries_agora());
    if can_all { EngineKind::Agora } else { EngineKind::Direct }
}

/// One meeting of the caller's, with what its tokens need.
pub(crate) async fn view(app: &AppState, caller: UserId, meeting: MeetingId) -> Outcome<MeetingView> {
    Ok(app.store.meeting(caller, meeting).await?)
}

/// The meetings of a project that are the caller's.
pub(crate) async fn of_project(
    app: &AppState,
    caller: &Caller,
    project: ProjectId,
    page: PageRequest,
) -> Outcome<Page<Meeting>> {
    Ok(app.store.meetings_of_project(caller.id(), project, page).await?)
}

/// The caller's meetings of all projects.
pub(crate) async fn mine(
    app: &AppState,
    caller: &Caller,
    filter: MeetingFilter,
    page: PageRequest,
) -> Outcome<Page<Meeting>> {
    Ok(app.store.meetings(caller.id(), filter, page).await?)
}

/// Takes a person's step; the answer is the meeting as it is now.
pub(crate) async fn step(app: &AppState, caller: UserId, meeting: MeetingId, step: MeetingStep) -> Outcome<Meeting> {
    let step = MeetingMove { meeting, caller, step, times: app.config.timing.meeting.clone() };
    Ok(app.store.move_meeting(step, app.now()).await?.view.meeting)
}

/// Gives a meeting another time. Counted like a new one: both sides are asked and told anew.
pub(crate) async fn reschedule(app: &AppState, caller: &Caller, meeting: MeetingId, at: Timestamp) -> Outcome<Meeting> {
    app.limits.take_for(Kind::Meeting, caller.id())?;
    step(app, caller.id(), meeting, MeetingStep::Reschedule(at)).await
}

/// Who came, left and shared the screen, oldest first.
pub(crate) async fn log(
    app: &AppState,
    caller: &Caller,
    meeting: MeetingId,
    page: PageRequest,
) -> Outcome<Page<MeetingLogEntry>> {
    Ok(app.store.meeting_log(caller.id(), meeting, page).await?)
}

/// The caller's calendar file. A call without a time has none.
pub(crate) async fn calendar(app: &AppState, caller: &Caller, meeting: MeetingId) -> Outcome<CalendarFile> {
    let view = view(app, caller.id(), meeting).await?;
    calendar::file(&view, &caller.user, &app.config.timing.meeting.reminders, app.now())?
        .ok_or_else(|| Refusal::new(Code::NotFound, "An instant call has no time and so no calendar file."))
}

/// The caller's tokens, while the meeting is open to the caller.
pub(crate) async fn token(app: &AppState, caller: &Caller, meeting: MeetingId) -> Outcome<MeetingToken> {
    let view = view(app, caller.id(), meeting).await?;
    require_open(app, &view, caller.id())?;
    tokens::mint(app, &view, caller.id())
}

/// Refuses with `MEETING_NOT_OPEN` unless that person may be in the channel now.
pub(crate) fn require_open(app: &AppState, view: &MeetingView, person: UserId) -> Outcome<()> {
    if view.meeting.is_open_to(person, app.now(), &app.config.timing.meeting) {
        return Ok(());
    }
    let detail = format!("The meeting is {} and not open to you now.", view.meeting.status);
    Err(Refusal::new(Code::MeetingNotOpen, detail))
}
