//! Listens to the client and draws what changed.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
    time::Duration,
};

use parley_client::{Client, ClientError, ClientEvent, Events};
use parley_domain::{ConversationId, UserId};
use parley_protocol::{
    app::{AppEvent, ConnectionState, OfOutbox, Person, RingView, TypingBy},
    socket::Invite,
};
use tokio::time::{Instant, sleep_until};

use super::{Shared, account, person_in, upgrade};
use crate::views;

/// Changes within this time are drawn together: a catch-up of a thousand messages is one new list.
const DRAW_WITHIN: Duration = Duration::from_millis(25);

/// Runs until the client is gone or the task is dropped.
pub(super) async fn run(shared: Weak<Shared>, client: Arc<Client>, mut events: Events) {
    let mut typing = HashSet::new();
    if let (Some(error), Some(shared)) = (client.session_end(), upgrade(&shared)) {
        // It ended before anybody listened.
        drop(tokio::spawn(account::thrown_out(shared, client, error)));
        return;
    }
    // What happened before the first event is in the copy.
    let mut draw_at = Some(Instant::now());
    loop {
        let event = tokio::select! {
            event = events.next() => match event {
                Some(event) => Some(event),
                None => return,
            },
            () = sleep_until(draw_at.unwrap_or_else(Instant::now)), if draw_at.is_some() => None,
        };
        let Some(shared) = upgrade(&shared) else { return };
        let Some(event) = event else {
            draw_at = None;
            shared.draw_projects(&client).await;
            shared.draw_connection(&client).await;
            continue;
        };
        shared.calls.on_event(&event);
        if changes_lists(&event) {
            draw_at.get_or_insert_with(|| Instant::now() + DRAW_WITHIN);
        }
        if let Err(error) = on_event(&shared, &client, &mut typing, event).await {
            tracing::warn!(%error, "a change could not be drawn");
        }
    }
}

fn changes_lists(event: &ClientEvent) -> bool {
    matches!(
        event,
        ClientEvent::Loaded
            | ClientEvent::Missed
            | ClientEvent::Connection(_)
            | ClientEvent::Message(_)
            | ClientEvent::Outbox(_)
            | ClientEvent::OutboxGone { .. }
            | ClientEvent::Read { .. }
            | ClientEvent::Project(_)
            | ClientEvent::Proposal(_)
            | ClientEvent::Meeting(_)
            | ClientEvent::Presence(_)
    )
}

async fn on_event(
    shared: &Arc<Shared>,
    client: &Arc<Client>,
    typing: &mut HashSet<(ConversationId, UserId)>,
    event: ClientEvent,
) -> Result<(), ClientError> {
    let tell = |event| shared.present.tell(event);
    match event {
        ClientEvent::Connection(state) => {
            shared.draw_connection(client).await;
            if state != ConnectionState::Connected {
                // Nobody would tell us that they stopped.
                for (conversation_id, user_id) in typing.drain() {
                    tell(AppEvent::Typing(TypingBy { conversation_id, user_id, is_typing: false }));
                }
            }
        }
        // Not awaited: it ends this very task.
        ClientEvent::SessionEnded(error) => {
            drop(tokio::spawn(account::thrown_out(Arc::clone(shared), Arc::clone(client), error)))
        }
        ClientEvent::Message(message) => {
            if typing.remove(&(message.conversation_id, message.sender_id)) {
                let (conversation_id, user_id) = (message.conversation_id, message.sender_id);
                tell(AppEvent::Typing(TypingBy { conversation_id, user_id, is_typing: false }));
            }
            let views = client.cache().run(move |db| views::of_messages(db, &[*message])).await?;
            views.into_iter().for_each(|view| tell(AppEvent::Message(view)));
        }
        ClientEvent::Outbox(entry) => {
            tell(AppEvent::Message(views::of_entry(client.user().id, &entry)));
            shared.draw_connection(client).await;
        }
        ClientEvent::OutboxGone { conversation_id, client_id, sent } => {
            if !sent {
                tell(AppEvent::MessageGone(OfOutbox { conversation_id, client_id }));
            }
            shared.draw_connection(client).await;
        }
        ClientEvent::Read { conversation_id, user_id, from, seq, .. } if user_id != client.user().id => {
            let views = client.cache().run(move |db| {
                let mut read = db.messages_between(conversation_id, from + 1, seq + 1)?;
                read.retain(|message| message.sender_id == db.me());
                views::of_messages(db, &read)
            });
            views.await?.into_iter().for_each(|view| tell(AppEvent::Message(view)));
        }
        ClientEvent::Typing(by) => {
            let key = (by.conversation_id, by.user_id);
            let changes = if by.is_typing { typing.insert(key) } else { typing.remove(&key) };
            if changes {
                let (conversation_id, user_id) = key;
                tell(AppEvent::Typing(TypingBy { conversation_id, user_id, is_typing: by.is_typing }));
            }
        }
        ClientEvent::Invite(invite) => ring(shared, client, invite).await?,
        ClientEvent::Loaded | ClientEvent::Missed => tell_newer(shared, client).await?,
        _ => {}
    }
    Ok(())
}

/// Messages that came without being told: after a load anew, or when events were missed. What was drawn last says from
/// where on.
async fn tell_newer(shared: &Shared, client: &Client) -> Result<(), ClientError> {
    let drawn = shared.present.snapshot().projects;
    let shown: Vec<_> = drawn
        .active
        .into_iter()
        .chain(drawn.past)
        .filter_map(|card| Some((card.project.conversation_id, card.last_message?.message?.seq)))
        .collect();
    let views = client.cache().run(move |db| {
        let mut newer = Vec::new();
        for (conversation, seq) in shown {
            newer.extend(db.messages_between(conversation, seq + 1, i64::MAX)?);
        }
        views::of_messages(db, &newer)
    });
    views.await?.into_iter().for_each(|view| shared.present.tell(AppEvent::Message(view)));
    Ok(())
}

async fn ring(shared: &Shared, client: &Client, invite: Invite) -> Result<(), ClientError> {
    let project = invite.project_id;
    let row = client.cache().run(move |db| db.project(project)).await?;
    let (project_title, known) = match row {
        Some(row) => {
            let person = person_in(client, row.conversation.id, invite.host_id).await?;
            (row.project.title, person)
        }
        None => (String::new(), None),
    };
    let caller = known.unwrap_or_else(|| Person {
        user_id: invite.host_id,
        name: invite.host_name.clone(),
        role: match client.user().role {
            parley_domain::Role::Client => parley_domain::Role::Provider,
            _ => parley_domain::Role::Client,
        },
        online: true,
        last_seen_at: None,
        time_zone: None,
    });
    let ring_for = Duration::from_secs(invite.expires_in_seconds);
    let view = RingView {
        meeting_id: invite.meeting_id,
        project_id: project,
        project_title,
        caller,
        expires_at: shared.now() + ring_for,
    };
    shared.calls.on_invite(view, ring_for);
    Ok(())
}
