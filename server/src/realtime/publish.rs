//! What was committed, told to those whom it concerns: one task, in commit order, each event emitted before the next
//! commit is looked at. It does not matter which call made the change, or whether its caller still waits.

use std::{sync::Arc, time::Duration};

use parley_domain::{MeetingNews, MeetingStatus, Message, MessageId, ProjectStatus, ReminderId, UserId};
use parley_protocol::socket::{ConversationRead, Invite, MeetingEnded, MeetingStarted, MessageRead, event};
use parley_store::{CommitFeed, Committed, MeetingChange, MeetingView, ReadState};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use super::{devices::Device, presence, typing};
use crate::{
    attachments::links,
    meetings::{live, tokens},
    problem::Outcome,
    state::AppState,
};

/// Publishes until the feed ends.
pub(crate) async fn run(app: AppState, mut feed: CommitFeed) {
    loop {
        match feed.recv().await {
            Ok(committed) => publish(&app, &committed),
            Err(RecvError::Lagged(missed)) => {
                tracing::error!(missed, "publishing fell behind");
                app.devices.sever_all("events were missed");
                if let Err(error) = live::restore(&app).await {
                    tracing::error!(%error, "timers could not be armed anew");
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn publish(app: &AppState, committed: &Arc<Committed>) {
    match &**committed {
        Committed::Message { message, to } => {
            app.metrics.messages.increment(1);
            typing::stop(app, message.sender_id, message.conversation_id);
            emit_message(app, event::MESSAGE_NEW, message, &**message, to);
        }
        Committed::MessageUpdated { message, to } => emit_message(app, event::MESSAGE_UPDATED, message, message, to),
        Committed::Read { state, up_to, to } => publish_read(app, state, *up_to, to),
        Committed::Meeting(change) => publish_meeting(app, change),
        Committed::Project { project, to } => {
            app.devices.emit(to, event::PROJECT_UPDATED, project);
            if project.status == ProjectStatus::Active {
                presence::introduce(app, to);
            } else {
                typing::close(app, project.conversation_id);
            }
        }
        Committed::Proposal { proposal, to } => app.devices.emit(to, event::PROPOSAL_UPDATED, proposal),
        Committed::Reminder(due) => {
            app.metrics.reminders.increment(1);
            app.devices.emit(&due.to, event::MEETING_REMINDER, &due.reminder);
            app.mail_changed.notify_one();
            finish_reminder(app, due.reminder.reminder_id);
        }
        Committed::SessionsEnded { user, sessions } => {
            // The caller may have gone before it could do so itself.
            app.sessions.forget();
            for device in app.devices.of(*user).into_iter().filter(|device| sessions.contains(&device.session)) {
                device.dismiss();
            }
        }
    }
}

/// Only what was emitted is done: a crash before this gives the reminder again once its lease is over.
fn finish_reminder(app: &AppState, reminder: ReminderId) {
    let store = Arc::clone(&app.store);
    tokio::spawn(async move {
        if let Err(error) = store.finish_reminder(reminder).await {
            tracing::warn!(%error, %reminder, "a reminder that was sent could not be noted so; it will be sent again");
        }
    });
}

/// One form for everybody, but a message with files: their links are signed for each person.
fn emit_message(app: &AppState, name: &str, message: &Message, shared: &impl Serialize, to: &[UserId]) {
    if message.attachments.is_empty() {
        return app.devices.emit(to, name, shared);
    }
    for user in to {
        let mut own = message.clone();
        links::sign_messages(app, *user, [&mut own]);
        app.devices.emit(&[*user], name, &own);
    }
}

fn publish_read(app: &AppState, state: &ReadState, up_to: Option<MessageId>, to: &[UserId]) {
    let (Some(last_read_message_id), Some(read_at)) = (state.last_read_message_id, state.read_at) else { return };
    let ReadState { conversation_id, user_id, .. } = *state;
    if let Some(message_id) = up_to {
        let read = MessageRead { conversation_id, message_id, user_id, read_at };
        app.devices.emit(to, event::MESSAGE_READ, &read);
    }
    let read = ConversationRead { conversation_id, user_id, last_read_message_id, read_at };
    app.devices.emit(to, event::CONVERSATION_READ, &read);
}

fn publish_meeting(app: &AppState, change: &MeetingChange) {
    let view = &change.view;
    let meeting = &view.meeting;
    let both = [meeting.host_id, meeting.guest_id];
    live::follow(app, view);
    app.due_changed.notify_one();
    app.mail_changed.notify_one();
    match change.news {
        Some(MeetingNews::Ringing) => ring(app, view),
        Some(MeetingNews::Scheduled) => app.devices.emit(&both, event::MEETING_SCHEDULED, meeting),
        Some(MeetingNews::Started { invites }) => {
            send_started(app, view, &both);
            if invites {
                ring(app, view);
            }
        }
        Some(MeetingNews::Answered) => send_started(app, view, &both),
        Some(MeetingNews::Ended) => {
            let ended = MeetingEnded {
                meeting_id: meeting.id,
                status: meeting.status,
                end_reason: meeting.end_reason,
                duration: meeting.duration,
            };
            app.devices.emit(&both, event::MEETING_ENDED, &ended);
        }
        None => {}
    }
}

fn ring(app: &AppState, view: &MeetingView) {
    let left = app.rings.remaining(&view.meeting.id).unwrap_or(Duration::ZERO);
    send_invite(view, left, &app.devices.of(view.meeting.guest_id));
}

fn send_invite(view: &MeetingView, left: Duration, to: &[Arc<Device>]) {
    let meeting = &view.meeting;
    let invite = Invite {
        meeting_id: meeting.id,
        project_id: meeting.project_id,
        host_id: meeting.host_id,
        host_name: view.host_name.clone(),
        r#type: meeting.kind,
        scheduled_at: meeting.scheduled_at,
        // Rounded up: a call that still rings never says that no time is left.
        expires_in_seconds: left.as_secs() + u64::from(left.subsec_nanos() > 0),
    };
    for device in to {
        device.emit(event::MEETING_INVITE, &invite);
    }
}

fn send_started(app: &AppState, view: &MeetingView, to: &[UserId]) {
    for user in to {
        let devices = app.devices.of(*user);
        if devices.is_empty() {
            continue;
        }
        match started(app, view, *user) {
            Ok(started) => devices.iter().for_each(|device| device.emit(event::MEETING_STARTED, &started)),
            Err(refusal) => tracing::error!(%refusal, meeting = %view.meeting.id, "no token could be minted"),
        }
    }
}

fn started(app: &AppState, view: &MeetingView, user: UserId) -> Outcome<MeetingStarted> {
    let token = tokens::mint(app, view, user)?;
    Ok(MeetingStarted {
        meeting_id: view.meeting.id,
        channel_name: token.channel_name,
        token: token.token,
        uid: token.uid,
        app_id: token.app_id,
        engine: token.engine,
        expires_at: token.expires_at,
    })
}

/// What is live, to a device that has just connected: an invite that still rings, a meeting that is active.
pub(crate) async fn send_live(app: &AppState, device: &Arc<Device>) -> Outcome<()> {
    let read = app.store.live_meetings_of(device.user).await?;
    tell_live(app, device, &read)
}

/// The rows were read a moment ago, and what they say may have ended since: that is told before or after this, never
/// in between.
pub(super) fn tell_live(app: &AppState, device: &Arc<Device>, read: &[MeetingView]) -> Outcome<()> {
    for view in read {
        if view.meeting.status == MeetingStatus::Active {
            let started = started(app, view, device.user)?;
            app.calls.while_active(view.meeting.id, || device.emit(event::MEETING_STARTED, &started));
        }
        // The timer knows better than the row: it may have fired, or run on a clock that did not jump.
        if view.meeting.rings() && view.meeting.guest_id == device.user {
            let tell = |left| send_invite(view, left, std::slice::from_ref(device));
            app.rings.while_armed(&view.meeting.id, tell);
        }
    }
    Ok(())
}
