//! What clients may send over a socket. Siblings of the HTTP handlers: both call the services.

use std::sync::Arc;

use parley_domain::{MeetingId, MeetingLogEntry, MeetingLogEvent, MeetingStep, UserId};
use parley_protocol::{
    Code,
    socket::{
        Ack, AuthRenew, CallJoin, CallState, CallStateOf, InConversation, MeetingEnded, OfMeeting, ReadUpTo, Signal,
        Typing, event,
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{devices::Device, presence, typing};
use crate::{
    auth::caller::identify,
    conversations, meetings,
    meetings::tokens,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// The most that one `call:signal` carries: an SDP offer has a few KiB.
const MAX_SIGNAL_BYTES: usize = 64 * 1024;

/// Does what an event asks for. `expires` is when the socket's sign-in ends.
pub(crate) async fn handle(
    app: &AppState,
    device: &Arc<Device>,
    name: &str,
    payload: Value,
    expires: &mut Instant,
) -> Outcome<Ack> {
    match name {
        event::JOIN => join(app, device, read(payload)?).await,
        event::LEAVE => leave(device, &read(payload)?),
        event::MESSAGE_READ => {
            let ReadUpTo { conversation_id, message_id } = read(payload)?;
            let mark = conversations::service::mark_read(app, device.user, conversation_id, Some(message_id)).await?;
            Ok(with(&mark))
        }
        event::CONVERSATION_READ => {
            let InConversation { conversation_id } = read(payload)?;
            let mark = conversations::service::mark_read(app, device.user, conversation_id, None).await?;
            Ok(with(&mark))
        }
        event::CONVERSATION_TYPING => {
            let Typing { conversation_id, is_typing } = read(payload)?;
            typing::set(app, device.user, conversation_id, is_typing).await?;
            Ok(Ack::ok())
        }
        event::MEETING_ACCEPT => step(app, device, &read(payload)?, MeetingStep::Accept).await,
        event::MEETING_DECLINE => step(app, device, &read(payload)?, MeetingStep::Decline).await,
        event::CALL_JOIN => call_join(app, device, read(payload)?).await,
        event::CALL_LEAVE => {
            let OfMeeting { meeting_id } = read(payload)?;
            call_leave(app, device, meeting_id).await;
            Ok(Ack::ok())
        }
        event::CALL_STATE => call_state(app, device, &read(payload)?).await,
        event::CALL_SIGNAL => call_signal(app, device, &read(payload)?),
        event::AUTH_RENEW => auth_renew(app, device, &read(payload)?, expires).await,
        _ => Err(Refusal::new(Code::Invalid, "This server knows no event of that name.")),
    }
}

fn read<T: DeserializeOwned>(payload: Value) -> Outcome<T> {
    if !payload.is_object() {
        return Err(Refusal::new(Code::Malformed, "An event carries one JSON object."));
    }
    serde_json::from_value(payload)
        .map_err(|error| Refusal::new(Code::Invalid, format!("The payload does not fit: {error}.")))
}

/// `{ ok: true, … }` with the members of an object.
fn with<T: serde::Serialize>(members: &T) -> Ack {
    let mut ack = Ack::ok();
    if let Ok(Value::Object(members)) = serde_json::to_value(members) {
        ack.more = members;
    }
    ack
}

async fn join(app: &AppState, device: &Arc<Device>, body: InConversation) -> Outcome<Ack> {
    conversations::service::participants(app, device.user, body.conversation_id).await?;
    if let Some(socket) = device.socket.upgrade() {
        socket.join(format!("conversation_{}", body.conversation_id));
    }
    Ok(Ack::ok())
}

fn leave(device: &Device, body: &InConversation) -> Outcome<Ack> {
    if let Some(socket) = device.socket.upgrade() {
        socket.leave(format!("conversation_{}", body.conversation_id));
    }
    Ok(Ack::ok())
}

async fn step(app: &AppState, device: &Device, body: &OfMeeting, step: MeetingStep) -> Outcome<Ack> {
    let meeting = meetings::service::step(app, device.user, body.meeting_id, step).await?;
    Ok(with(&json!({ "meeting": meeting })))
}

async fn call_join(app: &AppState, device: &Arc<Device>, body: CallJoin) -> Outcome<Ack> {
    let view = meetings::service::view(app, device.user, body.meeting_id).await?;
    meetings::service::require_open(app, &view, device.user)?;
    tokens::check(app, &view, device.user, &body.token).map_err(|refused| {
        let code = match refused {
            parley_agora_token::JoinRefused::Expired => Code::TokenExpired,
            _ => Code::Forbidden,
        };
        Refusal::new(code, format!("Fetch the meeting's token anew: {refused}."))
    })?;
    let order = app.calls.in_order(body.meeting_id).await;
    let joined = app.calls.join(device, &view);
    app.absences.disarm(&body.meeting_id);
    if let Some(other) = joined.moved_from {
        let moved = MeetingEnded {
            meeting_id: body.meeting_id,
            status: view.meeting.status,
            end_reason: Some(parley_domain::EndReason::Moved),
            duration: None,
        };
        other.emit(event::MEETING_ENDED, &moved);
    }
    if joined.ended_screen {
        log(app, body.meeting_id, device.user, MeetingLogEvent::ScreenOff).await;
    }
    if joined.is_new {
        log(app, body.meeting_id, device.user, MeetingLogEvent::Joined).await;
    }
    drop(order);
    if let Some(state) = joined.peer_state {
        device.emit(event::CALL_STATE, &state);
    }
    // The line may have broken meanwhile, after its calls were looked for.
    if device.gone.is_cancelled() {
        call_leave(app, device, body.meeting_id).await;
        return Ok(Ack::ok());
    }
    // The meeting may have ended between the look and the binding; then nothing else would take the device out.
    let view = meetings::service::view(app, device.user, body.meeting_id).await?;
    if let Err(refusal) = meetings::service::require_open(app, &view, device.user) {
        app.calls.forget(body.meeting_id);
        return Err(refusal);
    }
    Ok(with(&json!({ "peerJoined": joined.is_peer_here })))
}

/// Takes a device out of a call, if it is in it: noted, and the time of absence starts if nobody is left.
pub(crate) async fn call_leave(app: &AppState, device: &Device, meeting: MeetingId) {
    let _order = app.calls.in_order(meeting).await;
    let Some(left) = app.calls.leave(device, meeting) else { return };
    presence::on_deserted(app, left);
    log(app, meeting, device.user, MeetingLogEvent::Left).await;
}

async fn log(app: &AppState, meeting: MeetingId, user_id: UserId, event: MeetingLogEvent) {
    let entry = MeetingLogEntry { user_id, event, at: app.now() };
    if let Err(error) = app.store.log_meeting(meeting, entry).await {
        tracing::warn!(%error, %meeting, "a line of a meeting's log was lost");
    }
}

async fn call_state(app: &AppState, device: &Device, body: &CallState) -> Outcome<Ack> {
    let state = CallStateOf {
        meeting_id: body.meeting_id,
        user_id: device.user,
        camera: body.camera,
        microphone: body.microphone,
        screen: body.screen,
    };
    let _order = app.calls.in_order(body.meeting_id).await;
    let change = app.calls.set_state(device, state.clone())?;
    if let Some(peer) = change.peer {
        peer.emit(event::CALL_STATE, &state);
    }
    if let Some(is_on) = change.screen {
        let event = if is_on { MeetingLogEvent::ScreenOn } else { MeetingLogEvent::ScreenOff };
        log(app, body.meeting_id, device.user, event).await;
    }
    Ok(Ack::ok())
}

fn call_signal(app: &AppState, device: &Device, body: &Signal) -> Outcome<Ack> {
    if body.data.to_string().len() > MAX_SIGNAL_BYTES {
        return Err(Refusal::new(Code::PayloadTooLarge, "A signal has at most 64 KiB."));
    }
    app.calls.signal_target(device, body.meeting_id)?.emit(event::CALL_SIGNAL, body);
    Ok(Ack::ok())
}

async fn auth_renew(app: &AppState, device: &Device, body: &AuthRenew, expires: &mut Instant) -> Outcome<Ack> {
    let (caller, claims) = identify(app, &body.token).await?;
    if caller.session != device.session {
        return Err(Refusal::new(Code::Forbidden, "The token belongs to another sign-in than this socket."));
    }
    let left = claims.expires_at.saturating_since(app.now());
    *expires = Instant::now() + left + app.config.timing.socket_grace;
    Ok(with(&json!({ "expiresIn": left.as_secs() })))
}
