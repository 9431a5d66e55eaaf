//! Meetings that ring or run: the ring's time-out and the two minutes that an empty call lives, both on monotonic time.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use parley_domain::{MeetingClosing, MeetingId, MeetingStatus, Timestamp};
use parley_store::{MeetingEnding, MeetingView, StoreError};

use crate::state::{App, AppState};

/// How long a closing that the store refused waits before it is tried again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Arms and disarms what a meeting's new state asks for.
pub(crate) fn follow(app: &AppState, view: &MeetingView) {
    let meeting = &view.meeting;
    if !meeting.rings() {
        app.rings.disarm(&meeting.id);
    } else if app.rings.remaining(&meeting.id).is_none() {
        ring_for(app, meeting.id, app.config.timing.meeting.ring);
    }
    match meeting.status {
        MeetingStatus::Active => {
            if app.calls.set_active(view) && app.absences.remaining(&meeting.id).is_none() {
                await_someone(app, meeting.id, meeting.started_at.unwrap_or(meeting.updated_at));
            }
        }
        MeetingStatus::Completed | MeetingStatus::Cancelled => {
            app.absences.disarm(&meeting.id);
            app.calls.forget(meeting.id);
        }
        MeetingStatus::Pending => {}
    }
}

/// After a restart: rings go on for what is left of them, the two minutes of absence begin anew.
pub(crate) async fn restore(app: &AppState) -> Result<(), StoreError> {
    for view in app.store.live_meetings().await? {
        let now = app.now();
        let id = view.meeting.id;
        if let Some(due) = view.ring_due_at {
            ring_for(app, id, due.saturating_since(now).min(app.config.timing.meeting.ring));
        }
        if view.meeting.status == MeetingStatus::Active && app.calls.set_active(&view) {
            await_someone(app, id, now);
        }
    }
    Ok(())
}

fn ring_for(app: &AppState, meeting: MeetingId, time: Duration) {
    let late = Arc::downgrade(app);
    let ending = MeetingEnding { meeting, closing: MeetingClosing::RingTimedOut };
    app.rings.arm(meeting, time, close(late, ending));
}

/// Ends the meeting unless someone comes within the time of absence. `last_left`: since when nobody is in it.
pub(crate) fn await_someone(app: &AppState, meeting: MeetingId, last_left: Timestamp) {
    let late = Arc::downgrade(app);
    app.absences.arm(meeting, app.config.timing.meeting.absence, async move {
        // Somebody may have come in the very moment in which the last one's leaving armed this.
        if late.upgrade().is_some_and(|app| app.calls.is_deserted(meeting)) {
            close(late, MeetingEnding { meeting, closing: MeetingClosing::Abandoned { last_left } }).await;
        }
    });
}

/// Closes a meeting by the server's hand. Nothing else would: it does not give up while the server lives, however long
/// the disk is full.
async fn close(app: Weak<App>, ending: MeetingEnding) {
    let mut pause = FIRST_PAUSE;
    while let Some(app) = app.upgrade() {
        match app.store.end_meeting(ending, app.now()).await {
            Ok(_) | Err(StoreError::Closed) => return,
            Err(error) => tracing::error!(%error, meeting = %ending.meeting, "a meeting could not be closed"),
        }
        drop(app);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
