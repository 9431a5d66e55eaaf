//! The routes of meetings.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use parley_domain::{Meeting, MeetingId, MeetingLogEntry, MeetingStatus, MeetingStep, ProjectId, Timestamp};
use parley_protocol::rest::{CreatedMeeting, MeetingToken, NewMeeting, Page, Reschedule};
use parley_store::MeetingFilter;
use utoipa_axum::routes;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Body, Id, Query, RawBody, parse},
    openapi::{IdempotencyKey, Paging, Routes},
    pages::{idempotency, page},
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Routes {
    Routes::of([
        routes!(create),
        routes!(mine),
        routes!(of_project),
        routes!(one, reschedule, cancel),
        routes!(token),
        routes!(log),
        routes!(calendar),
        routes!(start),
        routes!(accept),
        routes!(decline),
        routes!(end),
    ])
}

/// Call somebody now, or set a time. The caller is the host.
#[utoipa::path(
    post, path = "/meetings", operation_id = "createMeeting", tag = "meetings",
    params(IdempotencyKey),
    request_body = NewMeeting,
    responses(
        (status = 201, body = CreatedMeeting),
        (status = 403, description = "`FORBIDDEN`."),
        (status = 404, description = "`NOT_FOUND`: no such project of mine."),
        (status = 409, description = "`MEETING_IN_PROGRESS` with its `meetingId`, or `PROJECT_NOT_ACTIVE`."),
        (status = 422, description = "`INVALID` or `IDEMPOTENCY_KEY_REUSED`.")
    )
)]
async fn create(
    State(app): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    RawBody(bytes): RawBody,
) -> Outcome<(StatusCode, Json<CreatedMeeting>)> {
    let key = idempotency(&headers, "/meetings", &bytes)?;
    let meeting = service::create(&app, &caller, parse(&bytes)?, key).await?.into_inner();
    let created = CreatedMeeting { meeting_id: meeting.id, meeting };
    Ok((StatusCode::CREATED, Json(created)))
}

/// My meetings of all projects, newest first.
#[utoipa::path(
    get, path = "/meetings/me", operation_id = "listMyMeetings", tag = "meetings",
    params(Paging, ("status" = Option<MeetingStatus>, Query), ("from" = Option<Timestamp>, Query), ("to" = Option<Timestamp>, Query)),
    responses((status = 200, body = Page<Meeting>))
)]
async fn mine(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<Meeting>>> {
    let instant = "an instant such as 2026-03-01T09:30:00.000Z";
    let filter = MeetingFilter {
        status: query.get::<MeetingStatus>("status", "PENDING, ACTIVE, COMPLETED or CANCELLED")?,
        from: query.get::<Timestamp>("from", instant)?,
        to: query.get::<Timestamp>("to", instant)?,
    };
    service::mine(&app, &caller, filter, query.page()?).await.map(page).map(Json)
}

/// My meetings of a project, newest first.
#[utoipa::path(
    get, path = "/meetings/project/{id}", operation_id = "listMeetingsOfProject", tag = "meetings",
    params(("id" = ProjectId, Path), Paging),
    responses(
        (status = 200, body = Page<Meeting>),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn of_project(
    State(app): State<AppState>,
    caller: Caller,
    Id(project): Id<ProjectId>,
    query: Query,
) -> Outcome<Json<Page<Meeting>>> {
    service::of_project(&app, &caller, project, query.page()?).await.map(page).map(Json)
}

/// One meeting.
#[utoipa::path(
    get, path = "/meetings/{id}", operation_id = "getMeeting", tag = "meetings",
    params(("id" = MeetingId, Path)),
    responses(
        (status = 200, body = Meeting),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn one(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    Ok(Json(service::view(&app, caller.id(), id).await?.meeting))
}

/// My tokens for the channel, while the meeting is open to me.
#[utoipa::path(
    get, path = "/meetings/{id}/token", operation_id = "getMeetingToken", tag = "meetings",
    params(("id" = MeetingId, Path)),
    responses(
        (status = 200, body = MeetingToken),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`MEETING_NOT_OPEN`.")
    )
)]
async fn token(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<MeetingToken>> {
    service::token(&app, &caller, id).await.map(Json)
}

/// Who joined, left and shared the screen, oldest first.
#[utoipa::path(
    get, path = "/meetings/{id}/log", operation_id = "getMeetingLog", tag = "meetings",
    params(("id" = MeetingId, Path), Paging),
    responses(
        (status = 200, body = Page<MeetingLogEntry>),
        (status = 404, description = "`NOT_FOUND`.")
    )
)]
async fn log(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<MeetingId>,
    query: Query,
) -> Outcome<Json<Page<MeetingLogEntry>>> {
    service::log(&app, &caller, id, query.page()?).await.map(page).map(Json)
}

/// A scheduled meeting as a calendar file with UID, SEQUENCE and an alarm.
#[utoipa::path(
    get, path = "/meetings/{id}/calendar.ics", operation_id = "getMeetingCalendar", tag = "meetings",
    params(("id" = MeetingId, Path)),
    responses(
        (status = 200, body = String, content_type = "text/calendar"),
        (status = 404, description = "`NOT_FOUND`, also of an instant meeting.")
    )
)]
async fn calendar(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<MeetingId>,
) -> Outcome<([(HeaderName, String); 2], String)> {
    let file = service::calendar(&app, &caller, id).await?;
    let disposition = "attachment; filename=\"meeting.ics\"".to_owned();
    Ok(([(header::CONTENT_TYPE, file.media_type()), (header::CONTENT_DISPOSITION, disposition)], file.text))
}

/// Set another time; the guest is asked anew.
#[utoipa::path(
    patch, path = "/meetings/{id}", operation_id = "rescheduleMeeting", tag = "meetings",
    params(("id" = MeetingId, Path)),
    request_body = Reschedule,
    responses(
        (status = 200, body = Meeting),
        (status = 403, description = "`FORBIDDEN`: for the host."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`MEETING_STATE` or `PROJECT_NOT_ACTIVE`.")
    )
)]
async fn reschedule(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<MeetingId>,
    Body(body): Body<Reschedule>,
) -> Outcome<Json<Meeting>> {
    service::reschedule(&app, &caller, id, body.scheduled_at).await.map(Json)
}

/// Begin; a scheduled one from ten minutes before its time.
#[utoipa::path(
    patch, path = "/meetings/{id}/start", operation_id = "startMeeting", tag = "meetings",
    params(("id" = MeetingId, Path)),
    responses(
        (status = 200, body = Meeting),
        (status = 403, description = "`FORBIDDEN`: for the host."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`MEETING_STATE`, `MEETING_IN_PROGRESS` or `PROJECT_NOT_ACTIVE`.")
    )
)]
async fn start(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    service::step(&app, caller.id(), id, MeetingStep::Start).await.map(Json)
}

/// Say yes; an instant one becomes active.
#[utoipa::path(
    patch, path = "/meetings/{id}/accept", operation_id = "acceptMeeting", tag = "meetings",
    params(("id" = MeetingId, Path)),
    responses(
        (status = 200, body = Meeting),
        (status = 403, description = "`FORBIDDEN`: for the guest."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`MEETING_STATE`, `MEETING_IN_PROGRESS` or `PROJECT_NOT_ACTIVE`.")
    )
)]
async fn accept(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    service::step(&app, caller.id(), id, MeetingStep::Accept).await.map(Json)
}

/// Say no.
#[utoipa::path(
    patch, path = "/meetings/{id}/decline", operation_id = "declineMeeting", tag = "meetings",
    params(("id" = MeetingId, Path)),
    responses(
        (status = 200, body = Meeting),
        (status = 403, description = "`FORBIDDEN`: for the guest."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`MEETING_STATE`.")
    )
)]
async fn decline(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    service::step(&app, caller.id(), id, MeetingStep::Decline).await.map(Json)
}

/// Hang up.
#[utoipa::path(
    patch, path = "/meetings/{id}/end", operation_id = "endMeeting", tag = "meetings",
    params(("id" = MeetingId, Path)),
    responses(
        (status = 200, body = Meeting),
        (status = 403, description = "`FORBIDDEN`: for host and guest."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`MEETING_STATE`.")
    )
)]
async fn end(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    service::step(&app, caller.id(), id, MeetingStep::End).await.map(Json)
}

/// Take back what is pending, a call that rings too.
#[utoipa::path(
    delete, path = "/meetings/{id}", operation_id = "cancelMeeting", tag = "meetings",
    params(("id" = MeetingId, Path)),
    responses(
        (status = 204),
        (status = 403, description = "`FORBIDDEN`: for the host."),
        (status = 404, description = "`NOT_FOUND`."),
        (status = 409, description = "`MEETING_STATE`.")
    )
)]
async fn cancel(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<StatusCode> {
    service::step(&app, caller.id(), id, MeetingStep::Cancel).await?;
    Ok(StatusCode::NO_CONTENT)
}
