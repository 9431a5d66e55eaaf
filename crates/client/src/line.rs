//! The line to the server: connects, catches up, hands events on in order, and begins again when it breaks.

use std::sync::Arc;

use futures_util::future::OptionFuture;
use parley_domain::{ConversationId, EngineKind, Message, MessageId, Timestamp, UserId};
use parley_protocol::{
    Code,
    app::ConnectionState,
    socket::{AuthRenew, ConnectAuth, ConversationRead, MessageRead, event},
};
use serde::de::DeserializeOwned;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    ClientError, ClientEvent,
    cache::messages::Version,
    catch_up::catch_up,
    core::Core,
    socket::{Incoming, Socket},
};

/// Failed attempts after which a line that was up counts as gone.
const OFFLINE_AFTER: u32 = 3;

/// Keeps the line up until the session ends or the task is dropped.
pub(crate) async fn run(core: Arc<Core>) {
    let mut failures = 0;
    let mut was_up = false;
    loop {
        let mut asked_to_wait = None;
        match connect(&core).await {
            Ok(Connected { socket, incoming, announced }) => {
                failures = 0;
                was_up = true;
                core.set_socket(Some(socket.clone()));
                core.set_connection(ConnectionState::Connected);
                core.outbox_poke.notify_one();
                serve(&core, &socket, incoming, &announced).await;
                core.set_socket(None);
                core.forget_presence();
                core.set_connection(ConnectionState::Reconnecting);
            }
            Err(error) => {
                failures += 1;
                asked_to_wait = error.retry_after();
                tracing::debug!(%error, failures, "no line to the server");
                if failures >= OFFLINE_AFTER || !was_up {
                    core.set_connection(ConnectionState::Offline);
                }
            }
        }
        if let Some(error) = core.session().end_reason() {
            core.set_connection(ConnectionState::Offline);
            core.tell(ClientEvent::SessionEnded(error));
            return;
        }
        tokio::select! {
            () = sleep(core.timing.backoff(failures).max(asked_to_wait.unwrap_or_default())) => {}
            () = core.line_poke.notified() => {}
        }
    }
}

/// Renews the access token ahead of its end, so that the socket outlives it.
pub(crate) async fn renew(core: Arc<Core>) {
    let mut connection = core.connection.subscribe();
    loop {
        if connection.wait_for(|state| *state == ConnectionState::Connected).await.is_err() {
            return;
        }
        let generation = *core.session().generations().borrow();
        sleep_until(core.session().renew_at()).await;
        match core.session().refresh(generation).await {
            Ok(_) => {}
            Err(ClientError::SignedOut(_)) => return,
            Err(_) => sleep(core.timing.backoff(4)).await,
        }
    }
}

struct Connected {
    socket: Socket,
    incoming: mpsc::Receiver<Incoming>,
    /// The engines that the server was told of.
    announced: Vec<EngineKind>,
}

async fn connect(core: &Core) -> Result<Connected, ClientError> {
    let url = core.session().address().socket();
    let access = core.session().access().await?;
    let announced = core.engines.borrow().clone();
    let auth = |token: String| ConnectAuth { token, engines: Some(announced.clone()) };
    let (socket, incoming) = match Socket::connect(&url, &auth(access.token), core.timing.socket).await {
        Err(ClientError::Refused(refusal)) if matches!(refusal.code, Code::TokenExpired | Code::Unauthenticated) => {
            let access = core.session().refresh(access.generation).await?;
            Socket::connect(&url, &auth(access.token), core.timing.socket).await?
        }
        outcome => outcome?,
    };
    // Events wait in the socket's queue meanwhile: nothing that comes now can be lost or overtake what came before.
    catch_up(core).await?;
    Ok(Connected { socket, incoming, announced })
}

/// Hands events on until the connection or the session ends, or this device can carry calls with other engines than
/// `announced`: only a new connection says so.
async fn serve(core: &Arc<Core>, socket: &Socket, mut incoming: mpsc::Receiver<Incoming>, announced: &[EngineKind]) {
    let mut engines = core.engines.subscribe();
    let mut generations = core.session().generations();
    let mut look_again = interval(core.timing.sync_every);
    look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look_again.reset();
    // A task of its own: an event may have to wait for it, and nothing else here goes on meanwhile.
    let mut syncing: Option<AbortOnDropHandle<Result<(), ClientError>>> = None;
    let mut again = false;
    loop {
        let mut wanted = false;
        tokio::select! {
            event = incoming.recv() => match event {
                Some(event) => if let Err(error) = on_event(core, event).await {
                    tracing::warn!(%error, "an event could not be taken in; the line begins again");
                    return;
                },
                None => return,
            },
            Some(outcome) = OptionFuture::from(syncing.as_mut()) => {
                syncing = None;
                match outcome {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "catching up failed; the line begins again");
                        return;
                    }
                    Err(error) => {
                        tracing::error!(%error, "catching up broke off; the line begins again");
                        return;
                    }
                }
                wanted = std::mem::take(&mut again);
            }
            () = core.sync_poke.notified() => wanted = true,
            _ = look_again.tick() => wanted = true,
            Ok(()) = generations.changed() => {
                if let Ok(access) = core.session().access().await
                    && socket.ask(event::AUTH_RENEW, &AuthRenew { token: access.token }).await.is_err() {
                    return;
                }
            }
            () = until_others(&mut engines, announced) => {
                core.line_poke.notify_one();
                return;
            }
            () = core.session().until_ended() => return,
        }
        if wanted {
            // A poke during a catch-up may be about what that one no longer sees.
            again = syncing.is_some();
            if syncing.is_none() {
                let core = Arc::clone(core);
                syncing = Some(AbortOnDropHandle::new(tokio::spawn(async move { catch_up(&core).await })));
            }
        }
    }
}

/// Until this device can carry calls with other engines than these.
async fn until_others(engines: &mut watch::Receiver<Vec<EngineKind>>, announced: &[EngineKind]) {
    if engines.wait_for(|now| now != announced).await.is_err() {
        // Nobody is left who could say so.
        std::future::pending::<()>().await;
    }
}

async fn on_event(core: &Core, incoming: Incoming) -> Result<(), ClientError> {
    let Incoming { name, payload } = incoming;
    let told = match name.as_str() {
        event::MESSAGE_NEW => return on_message(core, read(&name, payload)).await,
        event::MESSAGE_UPDATED => {
            let Some(message) = read::<Message>(&name, payload) else { return Ok(()) };
            let events = core.cache.run(move |db| db.put_message(&message, Version::Later)).await?;
            core.tell_all(events);
            return Ok(());
        }
        event::MESSAGE_READ => {
            let Some(read) = read::<MessageRead>(&name, payload) else { return Ok(()) };
            return on_read(core, read.conversation_id, read.message_id, read.user_id, read.read_at).await;
        }
        event::CONVERSATION_READ => {
            let Some(read) = read::<ConversationRead>(&name, payload) else { return Ok(()) };
            return on_read(core, read.conversation_id, read.last_read_message_id, read.user_id, read.read_at).await;
        }
        event::CONVERSATION_TYPING => read(&name, payload).map(ClientEvent::Typing),
        event::PRESENCE_UPDATE => read(&name, payload).map(|presence: parley_protocol::socket::Presence| {
            core.note_presence(presence.clone());
            ClientEvent::Presence(presence)
        }),
        event::MEETING_INVITE => read(&name, payload).map(ClientEvent::Invite),
        event::MEETING_STARTED => read(&name, payload).map(|started| ClientEvent::MeetingStarted(Box::new(started))),
        event::MEETING_ENDED => read(&name, payload).map(ClientEvent::MeetingEnded),
        event::MEETING_SCHEDULED => {
            let Some(meeting) = read(&name, payload) else { return Ok(()) };
            let event = core.cache.run(move |db| db.put_meeting(&meeting)).await?;
            core.tell_all(event);
            return Ok(());
        }
        event::MEETING_REMINDER => {
            let Some(reminder) = read::<parley_domain::Reminder>(&name, payload) else { return Ok(()) };
            let noted = reminder.clone();
            let first = core.cache.run(move |db| db.note_reminder(&noted)).await?;
            first.then_some(ClientEvent::Reminder(reminder))
        }
        event::CALL_STATE => read(&name, payload).map(ClientEvent::CallState),
        event::CALL_SIGNAL => read(&name, payload).map(|signal| ClientEvent::Signal(Box::new(signal))),
        // What a newer server tells by an event that is not known here is in `/sync` as well.
        _ => {
            core.sync_poke.notify_one();
            None
        }
    };
    // These carry less than the meeting's row: the row comes by `/sync`.
    if matches!(told, Some(ClientEvent::Invite(_) | ClientEvent::MeetingStarted(_) | ClientEvent::MeetingEnded(_))) {
        core.sync_poke.notify_one();
    }
    core.tell_all(told);
    Ok(())
}

async fn on_message(core: &Core, message: Option<Message>) -> Result<(), ClientError> {
    let Some(message) = message else { return Ok(()) };
    let (conversation, seq) = (message.conversation_id, message.seq);
    let (known, newest) =
        core.cache.run(move |db| Ok((db.conversation(conversation)?.is_some(), db.newest_seq(conversation)?))).await?;
    if !known || seq > newest + 1 {
        // Something before it is missing: that comes first.
        catch_up(core).await?;
    }
    let events = core.cache.run(move |db| db.put_message(&message, Version::First)).await?;
    core.tell_all(events);
    Ok(())
}

async fn on_read(
    core: &Core,
    conversation: ConversationId,
    message: MessageId,
    user: UserId,
    at: Timestamp,
) -> Result<(), ClientError> {
    let event = core
        .cache
        .run(move |db| match db.seq_of(message)? {
            Some(seq) => db.put_read(conversation, user, seq, at).map(Ok),
            None => Ok(Err(())),
        })
        .await?;
    match event {
        Ok(event) => core.tell_all(event),
        // `/sync` names the number as well.
        Err(()) => core.sync_poke.notify_one(),
    }
    Ok(())
}

/// A payload of another shape than the contract's is noted and passed over.
fn read<T: DeserializeOwned>(name: &str, payload: serde_json::Value) -> Option<T> {
    serde_json::from_value(payload).inspect_err(|error| tracing::warn!(event = name, %error, "an odd event")).ok()
}
