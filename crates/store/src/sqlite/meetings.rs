//! Meetings: each move one conditional write, decided by the domain.

use std::collections::HashMap;

use parley_domain::{
    AgoraUid, MailKind, Meeting, MeetingClosing, MeetingContext, MeetingId, MeetingNews, MeetingPlan, MeetingStatus,
    MeetingTimes, MeetingTransition, MeetingType, MeetingUids, ProjectId, Timestamp, UserId, channel_name,
    close_meeting, create_meeting as plan_meeting, draw_uids, take_step,
};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::{
    call_log,
    db::{ChangeRow, Db, RowExt, Tx, new_id},
    due,
    idempotency::{recall, remember},
    lists::{by_id, page_of},
    mails, projects,
};
use crate::{
    Committed, Created, MeetingChange, MeetingEnding, MeetingError, MeetingFilter, MeetingMove, MeetingView,
    NewMeeting, Page, PageRequest, StoreError,
};

const MEETING: &str = "SELECT m.*, host.name AS host_name, guest.name AS guest_name, project.title AS project_title
    FROM meetings m JOIN users host ON host.id = m.host_id JOIN users guest ON guest.id = m.guest_id
    JOIN projects project ON project.id = m.project_id";

/// Rings or runs. Word for word the condition of the index `one_call_per_project`, which holds nothing else.
const IN_PROGRESS: &str = "(m.status = 'ACTIVE' OR (m.status = 'PENDING' AND m.type = 'instant'))";

fn meeting_of(row: &Row<'_>) -> rusqlite::Result<Meeting> {
    let end_reason: Option<String> = row.get("end_reason")?;
    Ok(Meeting {
        id: row.id("id")?,
        project_id: row.id("project_id")?,
        host_id: row.id("host_id")?,
        guest_id: row.id("guest_id")?,
        channel_name: row.get("channel_name")?,
        kind: row.word("type")?,
        status: row.word("status")?,
        engine: row.word("engine")?,
        scheduled_at: row.opt_at("scheduled_at")?,
        accepted_at: row.opt_at("accepted_at")?,
        started_at: row.opt_at("started_at")?,
        ended_at: row.opt_at("ended_at")?,
        duration: row.get("duration")?,
        end_reason: if end_reason.is_some() { Some(row.word("end_reason")?) } else { None },
        created_at: row.at("created_at")?,
        updated_at: row.at("updated_at")?,
    })
}

fn view_of(row: &Row<'_>) -> rusqlite::Result<MeetingView> {
    let uid = |column: &str| row.get(column).map(AgoraUid);
    Ok(MeetingView {
        meeting: meeting_of(row)?,
        uids: MeetingUids {
            host: uid("host_uid")?,
            guest: uid("guest_uid")?,
            host_screen: uid("host_screen_uid")?,
            guest_screen: uid("guest_screen_uid")?,
        },
        host_name: row.get("host_name")?,
        guest_name: row.get("guest_name")?,
        project_title: row.get("project_title")?,
        sequence: row.get("sequence")?,
        ring_due_at: row.opt_at("ring_due_at")?,
    })
}

/// The meeting itself, whoever asks.
pub(super) fn find_meeting(db: &Db<'_>, id: MeetingId) -> Result<Option<MeetingView>, StoreError> {
    db.one(&format!("{MEETING} WHERE m.id = ?1"), [id.0], view_of)
}

/// Those of these meetings that are there, whoever asks.
pub(super) fn find_meetings(db: &Db<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, MeetingView>, StoreError> {
    by_id(db, &format!("{MEETING} WHERE m.id"), ids, view_of)
}

pub(super) fn meeting(db: &Db<'_>, viewer: UserId, id: MeetingId) -> Result<MeetingView, MeetingError> {
    find_meeting(db, id)?.filter(|view| view.meeting.peer_of(viewer).is_some()).ok_or(MeetingError::NotFound)
}

/// The project's call that rings or runs, other than `except`.
fn in_progress(db: &Db<'_>, project: ProjectId, except: Option<MeetingId>) -> Result<Option<MeetingId>, StoreError> {
    db.one(
        &format!("SELECT m.id FROM meetings m WHERE m.project_id = ?1 AND {IN_PROGRESS} AND m.id IS NOT ?2"),
        params![project.0, except.map(|id| id.0)],
        |row| row.id("id"),
    )
}

pub(super) fn create_meeting(
    tx: &mut Tx<'_>,
    new: NewMeeting,
    now: Timestamp,
) -> Result<Created<MeetingChange>, MeetingError> {
    let project = projects::find_project(tx, new.project)?
        .filter(|project| projects::people(project).contains(&new.host))
        .ok_or(MeetingError::NotFound)?;
    if let Some(first) = recall::<Meeting, MeetingError>(tx, new.host, new.idempotency.as_ref(), now)? {
        let view = find_meeting(tx, first.id)?.ok_or(MeetingError::NotFound)?;
        return Ok(Created::Same(MeetingChange { view: MeetingView { meeting: first, ..view }, news: None }));
    }
    let plan = MeetingPlan {
        id: new_id(now),
        host: new.host,
        guest: new.guest,
        kind: new.kind,
        scheduled_at: new.scheduled_at,
        channel_name: channel_name(random()?),
        engine: new.engine,
    };
    let MeetingTransition { meeting, news } = plan_meeting(plan, &project, in_progress(tx, project.id, None)?, now)?;
    insert(tx, &meeting, &new.times)?;
    due::arm_reminders(tx, &meeting, &new.times, now)?;
    if meeting.kind == MeetingType::Scheduled {
        mails::queue(tx, &meeting, MailKind::Scheduled, now)?;
    }
    remember(tx, new.host, new.idempotency.as_ref(), &meeting, now)?;
    let view = find_meeting(tx, meeting.id)?.ok_or_else(|| StoreError::Internal("a meeting vanished".into()))?;
    Ok(Created::New(tell(tx, view, news, now)?))
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Io(error.to_string()))?;
    Ok(bytes)
}

/// Four distinct numbers; a draw that fails to be distinct is drawn again.
fn new_uids() -> Result<MeetingUids, StoreError> {
    let mut failure = None;
    let mut fallback = 0;
    let uids = draw_uids(|| match random() {
        Ok(bytes) => u32::from_be_bytes(bytes),
        Err(error) => {
            failure = Some(error);
            fallback += 1;
            fallback
        }
    });
    failure.map_or(Ok(uids), Err)
}

fn insert(tx: &Tx<'_>, meeting: &Meeting, times: &MeetingTimes) -> Result<(), StoreError> {
    let uids = new_uids()?;
    tx.run_one(
        "INSERT INTO meetings (id, project_id, host_id, guest_id, channel_name, type, status, engine, scheduled_at,
             created_at, updated_at, host_uid, guest_uid, host_screen_uid, guest_screen_uid, ring_due_at, expiry_due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        params![
            meeting.id.0,
            meeting.project_id.0,
            meeting.host_id.0,
            meeting.guest_id.0,
            meeting.channel_name,
            meeting.kind.as_str(),
            meeting.status.as_str(),
            meeting.engine.as_str(),
            meeting.scheduled_at.map(Timestamp::as_millis),
            meeting.created_at.as_millis(),
            uids.host.get(),
            uids.guest.get(),
            uids.host_screen.get(),
            uids.guest_screen.get(),
            meeting.ring_due_at(times).map(Timestamp::as_millis),
            meeting.expiry_due_at(times).map(Timestamp::as_millis),
        ],
    )
}

pub(super) fn move_meeting(
    tx: &mut Tx<'_>,
    wanted: MeetingMove,
    now: Timestamp,
) -> Result<MeetingChange, MeetingError> {
    let view = meeting(tx, wanted.caller, wanted.meeting)?;
    let before = &view.meeting;
    let project = projects::find_project(tx, before.project_id)?.ok_or(MeetingError::NotFound)?;
    let other_in_progress = in_progress(tx, before.project_id, Some(before.id))?;
    let context = MeetingContext { project: project.status, other_in_progress, now };
    let transition = take_step(before, wanted.caller, wanted.step, context, &wanted.times)?;
    if transition.news.is_none() {
        return Ok(MeetingChange { view, news: None });
    }
    let after = transition.meeting;
    follow(tx, before, &after, now)?;
    if after.scheduled_at != before.scheduled_at {
        due::arm_reminders(tx, &after, &wanted.times, now)?;
    }
    if is_over(&after) {
        call_log::empty_calls(tx, &[after.id], now)?;
    }
    let due = Due::of(&after, &wanted.times);
    let view = update(tx, view, after, due)?;
    Ok(tell(tx, view, transition.news, now)?)
}

/// What a step means to reminders and mails.
fn follow(tx: &Tx<'_>, before: &Meeting, after: &Meeting, now: Timestamp) -> Result<(), StoreError> {
    let has_moved = after.scheduled_at != before.scheduled_at;
    if after.status != MeetingStatus::Pending || has_moved {
        due::drop_reminders(tx, after.id)?;
        mails::drop_waiting(tx, after.id)?;
    }
    if has_moved {
        mails::queue(tx, after, MailKind::Scheduled, now)?;
    }
    if is_called_off(before, after) {
        mails::queue(tx, after, MailKind::Cancelled, now)?;
    }
    Ok(())
}

fn is_over(meeting: &Meeting) -> bool {
    matches!(meeting.status, MeetingStatus::Completed | MeetingStatus::Cancelled)
}

/// Whether calendars have an entry that is to go.
fn is_called_off(before: &Meeting, after: &Meeting) -> bool {
    after.kind == MeetingType::Scheduled
        && after.status == MeetingStatus::Cancelled
        && before.status != MeetingStatus::Cancelled
}

pub(super) fn end_meeting(
    tx: &mut Tx<'_>,
    ending: MeetingEnding,
    now: Timestamp,
) -> Result<Option<MeetingChange>, StoreError> {
    let Some(view) = find_meeting(tx, ending.meeting)? else { return Ok(None) };
    Ok(end(tx, vec![view], ending.closing, now)?.pop())
}

/// Closes meetings by the server's own hand, those for which that is still to be done.
pub(super) fn end(
    tx: &mut Tx<'_>,
    views: Vec<MeetingView>,
    closing: MeetingClosing,
    now: Timestamp,
) -> Result<Vec<MeetingChange>, StoreError> {
    let close = |view: MeetingView| close_meeting(&view.meeting, closing, now).map(|transition| (view, transition));
    let endings: Vec<_> = views.into_iter().filter_map(close).collect();
    let ids: Vec<_> = endings.iter().map(|(view, _)| view.meeting.id).collect();
    call_log::empty_calls(tx, &ids, now)?;
    let mut changes = Vec::with_capacity(endings.len());
    for (view, MeetingTransition { meeting, news }) in endings {
        follow(tx, &view.meeting, &meeting, now)?;
        let view = update(tx, view, meeting, Due::default())?;
        changes.push(tell(tx, view, news, now)?);
    }
    Ok(changes)
}

/// When what is due for a meeting; a meeting that is over has nothing due.
#[derive(Default)]
struct Due {
    ring: Option<Timestamp>,
    expiry: Option<Timestamp>,
}

impl Due {
    fn of(meeting: &Meeting, times: &MeetingTimes) -> Self {
        Self { ring: meeting.ring_due_at(times), expiry: meeting.expiry_due_at(times) }
    }
}

/// Writes the row after a step, on the condition that it still is as the step found it; answers how it is now.
fn update(tx: &Tx<'_>, view: MeetingView, after: Meeting, due: Due) -> Result<MeetingView, StoreError> {
    let before = &view.meeting;
    let is_news_to_calendars = after.scheduled_at != before.scheduled_at || is_called_off(before, &after);
    tx.run_one(
        "UPDATE meetings SET status = ?4, scheduled_at = ?5, accepted_at = ?6, started_at = ?7, ended_at = ?8,
             duration = ?9, end_reason = ?10, updated_at = ?11, ring_due_at = ?12, expiry_due_at = ?13,
             claimed_until = NULL, sequence = sequence + ?14
         WHERE id = ?1 AND status = ?2 AND accepted_at IS ?3",
        params![
            before.id.0,
            before.status.as_str(),
            before.accepted_at.map(Timestamp::as_millis),
            after.status.as_str(),
            after.scheduled_at.map(Timestamp::as_millis),
            after.accepted_at.map(Timestamp::as_millis),
            after.started_at.map(Timestamp::as_millis),
            after.ended_at.map(Timestamp::as_millis),
            after.duration,
            after.end_reason.map(|reason| reason.as_str()),
            after.updated_at.as_millis(),
            due.ring.map(Timestamp::as_millis),
            due.expiry.map(Timestamp::as_millis),
            is_news_to_calendars,
        ],
    )?;
    let sequence = view.sequence + u32::from(is_news_to_calendars);
    Ok(MeetingView { meeting: after, sequence, ring_due_at: due.ring, ..view })
}

/// Logs and publishes a step to the two people.
fn tell(
    tx: &mut Tx<'_>,
    view: MeetingView,
    news: Option<MeetingNews>,
    now: Timestamp,
) -> Result<MeetingChange, StoreError> {
    let people = [view.meeting.host_id, view.meeting.guest_id];
    tx.log(ChangeRow::of("meeting", view.meeting.id.0), &people, now)?;
    let change = MeetingChange { view, news };
    tx.publish(Committed::Meeting(change.clone()));
    Ok(change)
}

pub(super) fn meetings_of_project(
    db: &Db<'_>,
    viewer: UserId,
    project: ProjectId,
    page: PageRequest,
) -> Result<Page<Meeting>, MeetingError> {
    projects::find_project(db, project)?
        .filter(|project| projects::people(project).contains(&viewer))
        .ok_or(MeetingError::NotFound)?;
    let sql = format!("{MEETING} WHERE m.project_id = ?1 AND (m.host_id = ?2 OR m.guest_id = ?2)");
    Ok(page_of(db, &sql, "m.position", (project.0, viewer.0), page, meeting_of)?)
}

pub(super) fn meetings(
    db: &Db<'_>,
    viewer: UserId,
    filter: MeetingFilter,
    page: PageRequest,
) -> Result<Page<Meeting>, StoreError> {
    // Each side comes in order out of its index, so that the two are merged and nothing beyond the page is looked at.
    let is_wanted = "position < ?5 AND (?2 IS NULL OR status = ?2)
         AND (?3 IS NULL OR coalesce(scheduled_at, created_at) >= ?3)
         AND (?4 IS NULL OR coalesce(scheduled_at, created_at) < ?4)";
    let sql = format!(
        "{MEETING} WHERE m.position IN (
             SELECT position FROM meetings WHERE host_id = ?1 AND {is_wanted}
             UNION ALL SELECT position FROM meetings WHERE guest_id = ?1 AND {is_wanted}
             ORDER BY position DESC LIMIT ?6)"
    );
    let filter = (
        viewer.0,
        filter.status.map(MeetingStatus::as_str),
        filter.from.map(Timestamp::as_millis),
        filter.to.map(Timestamp::as_millis),
    );
    page_of(db, &sql, "m.position", filter, page, meeting_of)
}

pub(super) fn live_meetings_of(db: &Db<'_>, user: UserId) -> Result<Vec<MeetingView>, StoreError> {
    let sql = format!("{MEETING} WHERE {} AND ?1 IN (m.host_id, m.guest_id) ORDER BY m.position", is_live());
    db.all(&sql, [user.0], view_of)
}

pub(super) fn live_meetings(db: &Db<'_>) -> Result<Vec<MeetingView>, StoreError> {
    db.all(&format!("{MEETING} WHERE {} ORDER BY m.position", is_live()), (), view_of)
}

/// As [`IN_PROGRESS`], for a query that has nothing better to begin with: the few that are live are found before the
/// many that were.
fn is_live() -> String {
    format!("m.position IN (SELECT m.position FROM meetings m INDEXED BY one_call_per_project WHERE {IN_PROGRESS})")
}

/// Whatever of a project's meetings is not over yet.
pub(super) fn unfinished_of(db: &Db<'_>, project: ProjectId) -> Result<Vec<MeetingView>, StoreError> {
    let sql = format!("{MEETING} WHERE m.project_id = ?1 AND m.status IN ('PENDING', 'ACTIVE') ORDER BY m.position");
    db.all(&sql, [project.0], view_of)
}

/// Meetings with a log that may still go on. Those that wait for their time have their expiry ahead, the rest is in
/// progress; each has an index of its own.
pub(super) fn logged_and_unfinished(db: &Db<'_>) -> Result<Vec<MeetingId>, StoreError> {
    let is_logged = "EXISTS (SELECT 1 FROM meeting_log l WHERE l.meeting_id = m.id)";
    let meetings = format!("SELECT m.id FROM meetings m WHERE {is_logged}");
    let mut found = db.all(&format!("{meetings} AND {}", is_live()), (), |row| row.id("id"))?;
    let waiting: Vec<MeetingId> =
        db.all(&format!("{meetings} AND m.expiry_due_at IS NOT NULL"), (), |row| row.id("id"))?;
    found.extend(waiting);
    Ok(found)
}
