//! The routes of meetings.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    routing::{get, patch, post},
};
use parley_domain::{Meeting, MeetingId, MeetingLogEntry, MeetingStatus, MeetingStep, ProjectId, Timestamp};
use parley_protocol::rest::{CreatedMeeting, MeetingToken, Page, Reschedule};
use parley_store::MeetingFilter;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::{Body, Id, Query, RawBody, parse},
    pages::{idempotency, page},
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/meetings", post(create))
        .route("/meetings/me", get(mine))
        .route("/meetings/project/{id}", get(of_project))
        .route("/meetings/{id}", get(one).patch(reschedule).delete(cancel))
        .route("/meetings/{id}/token", get(token))
        .route("/meetings/{id}/log", get(log))
        .route("/meetings/{id}/calendar.ics", get(calendar))
        .route("/meetings/{id}/start", patch(start))
        .route("/meetings/{id}/accept", patch(accept))
        .route("/meetings/{id}/decline", patch(decline))
        .route("/meetings/{id}/end", patch(end))
}

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

async fn mine(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<Page<Meeting>>> {
    let instant = "an instant such as 2026-03-01T09:30:00.000Z";
    let filter = MeetingFilter {
        status: query.get::<MeetingStatus>("status", "PENDING, ACTIVE, COMPLETED or CANCELLED")?,
        from: query.get::<Timestamp>("from", instant)?,
        to: query.get::<Timestamp>("to", instant)?,
    };
    service::mine(&app, &caller, filter, query.page()?).await.map(page).map(Json)
}

async fn of_project(
    State(app): State<AppState>,
    caller: Caller,
    Id(project): Id<ProjectId>,
    query: Query,
) -> Outcome<Json<Page<Meeting>>> {
    service::of_project(&app, &caller, project, query.page()?).await.map(page).map(Json)
}

async fn one(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    Ok(Json(service::view(&app, caller.id(), id).await?.meeting))
}

async fn token(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<MeetingToken>> {
    service::token(&app, &caller, id).await.map(Json)
}

async fn log(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<MeetingId>,
    query: Query,
) -> Outcome<Json<Page<MeetingLogEntry>>> {
    service::log(&app, &caller, id, query.page()?).await.map(page).map(Json)
}

async fn calendar(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<MeetingId>,
) -> Outcome<([(HeaderName, String); 2], String)> {
    let file = service::calendar(&app, &caller, id).await?;
    let disposition = "attachment; filename=\"meeting.ics\"".to_owned();
    Ok(([(header::CONTENT_TYPE, file.media_type()), (header::CONTENT_DISPOSITION, disposition)], file.text))
}

async fn reschedule(
    State(app): State<AppState>,
    caller: Caller,
    Id(id): Id<MeetingId>,
    Body(body): Body<Reschedule>,
) -> Outcome<Json<Meeting>> {
    service::reschedule(&app, &caller, id, body.scheduled_at).await.map(Json)
}

async fn start(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    service::step(&app, caller.id(), id, MeetingStep::Start).await.map(Json)
}

async fn accept(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    service::step(&app, caller.id(), id, MeetingStep::Accept).await.map(Json)
}

async fn decline(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    service::step(&app, caller.id(), id, MeetingStep::Decline).await.map(Json)
}

async fn end(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<Json<Meeting>> {
    service::step(&app, caller.id(), id, MeetingStep::End).await.map(Json)
}

async fn cancel(State(app): State<AppState>, caller: Caller, Id(id): Id<MeetingId>) -> Outcome<StatusCode> {
    service::step(&app, caller.id(), id, MeetingStep::Cancel).await?;
    Ok(StatusCode::NO_CONTENT)
}
