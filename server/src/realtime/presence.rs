//! Who is there, told to people who share an active project.

use std::sync::Arc;

use futures_util::future::join_all;
use parley_domain::UserId;
use parley_protocol::socket::{self, event};

use super::{
    calls::Left,
    devices::{Device, Presence},
    typing,
};
use crate::{meetings::live, problem::Outcome, state::AppState};

/// A device came: its person's contacts hear of it if it is the first, and it hears of them.
pub(crate) async fn came(app: &AppState, device: &Arc<Device>, presence: Presence) -> Outcome<()> {
    for contact in app.store.contacts(device.user).await? {
        let online = app.devices.is_online(contact.user_id);
        let last_seen_at = contact.last_seen_at.filter(|_| !online);
        device.emit(event::PRESENCE_UPDATE, &socket::Presence { user_id: contact.user_id, online, last_seen_at });
        if presence == Presence::Changed && app.devices.is_online(device.user) {
            let came = socket::Presence { user_id: device.user, online: true, last_seen_at: None };
            app.devices.emit(&[contact.user_id], event::PRESENCE_UPDATE, &came);
        }
    }
    Ok(())
}

/// A device went: it is in no call any more, and if it was the last one its person is away.
pub(crate) async fn went(app: &AppState, device: &Arc<Device>) {
    let presence = app.devices.remove(device);
    for meeting in app.calls.of(device) {
        super::events::call_leave(app, device, meeting).await;
    }
    if presence == Presence::Same {
        return;
    }
    typing::stop_everywhere(app, device.user);
    if let Err(refusal) = tell_gone(app, device.user).await {
        tracing::warn!(%refusal, user = %device.user, "nobody was told that this person went");
    }
}

/// The server stops, and closing a socket by its own hand calls no handler: every device takes its leave, all of them
/// at once so that their writes share a commit.
pub(crate) async fn all_went(app: &AppState) {
    let leaving = app.devices.all().into_iter().map(|device| async move {
        device.gone.cancel();
        went(app, &device).await;
    });
    join_all(leaving).await;
}

async fn tell_gone(app: &AppState, user: UserId) -> Outcome<()> {
    let now = app.now();
    app.store.set_last_seen(user, now).await?;
    let contacts = app.store.contacts(user).await?;
    // When the server stops everybody goes, and whoever comes back asks anew.
    if app.is_draining() || app.devices.is_online(user) {
        return Ok(());
    }
    let gone = socket::Presence { user_id: user, online: false, last_seen_at: Some(now) };
    for contact in contacts {
        app.devices.emit(&[contact.user_id], event::PRESENCE_UPDATE, &gone);
    }
    Ok(())
}

/// People who share a project from now on hear who of them is there.
pub(crate) fn introduce(app: &AppState, people: &[UserId]) {
    for user in people.iter().filter(|user| app.devices.is_online(**user)) {
        let others: Vec<_> = people.iter().copied().filter(|other| other != user).collect();
        let here = socket::Presence { user_id: *user, online: true, last_seen_at: None };
        app.devices.emit(&others, event::PRESENCE_UPDATE, &here);
    }
}

/// Starts the time of absence if nobody is left in an active meeting.
pub(crate) fn on_deserted(app: &AppState, left: Left) {
    if left.is_deserted {
        live::await_someone(app, left.meeting, app.now());
    }
}
