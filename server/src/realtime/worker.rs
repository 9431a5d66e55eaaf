//! One socket's events, one after another. Socket.IO's handlers would run as tasks of their own and overtake each other,
//! so the only handler puts each event into the socket's queue, in the order of arrival, and this empties it.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use socketioxide::{
    SendError, SocketError,
    adapter::LocalAdapter,
    extract::{AckSender, Event, TryData},
    handler::{FromMessageParts, MessageHandler, Value as RawValue},
    socket::Socket,
};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};

use parley_protocol::{Code, socket::Ack};

use super::{
    devices::{Device, Presence},
    events, presence, publish,
};
use crate::{
    auth,
    config::Switch,
    limits::EventBucket,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// How many events of one socket may wait. A client that sends faster is told to slow down.
const QUEUE: usize = 256;
/// The same with limits lifted: more than a load test sends before it waits, and still an end.
const UNLIMITED_QUEUE: usize = 65_536;

/// The queue of one socket.
pub(crate) fn queue(rate_limits: Switch) -> (mpsc::Sender<Incoming>, mpsc::Receiver<Incoming>) {
    mpsc::channel(match rate_limits {
        Switch::On => QUEUE,
        Switch::Off => UNLIMITED_QUEUE,
    })
}

/// One event as it arrived.
pub(crate) struct Incoming {
    name: String,
    /// `None` for what is no JSON value.
    payload: Option<Value>,
    ack: AckSender,
}

/// The handler of every event.
#[derive(Clone)]
pub(crate) struct Enqueue {
    queue: mpsc::Sender<Incoming>,
    device: Arc<Device>,
    allowance: Arc<Mutex<EventBucket>>,
}

/// Tells the compiler that [`Enqueue`] is none of the closures that are handlers too.
pub(crate) struct EnqueueMarker;

impl Enqueue {
    pub(crate) fn new(queue: mpsc::Sender<Incoming>, device: Arc<Device>, allowance: EventBucket) -> Self {
        Self { queue, device, allowance: Arc::new(Mutex::new(allowance)) }
    }

    /// Counts one event. Whoever goes on and on sending what is refused is made to reconnect, which is throttled too.
    fn count(&self) -> Outcome<()> {
        let mut allowance = self.allowance.lock().expect("no thread panics while it holds an allowance");
        let counted = allowance.take();
        if allowance.is_flooded() {
            self.device.sever("it sends far too much");
        }
        counted
    }
}

impl MessageHandler<LocalAdapter, EnqueueMarker> for Enqueue {
    fn call(&self, socket: Arc<Socket<LocalAdapter>>, mut value: RawValue, ack_id: Option<i64>) {
        let Ok(ack) = AckSender::from_message_parts(&socket, &mut value, &ack_id);
        // What is refused is not even read.
        if let Err(refusal) = self.count() {
            return answer(&self.device, ack, &refusal.into_ack());
        }
        // The packet could not have come here without a name.
        let Ok(name) = Event::from_message_parts(&socket, &mut value, &ack_id) else { return };
        let Ok(TryData(payload)) = TryData::<Value>::from_message_parts(&socket, &mut value, &ack_id);
        let incoming = Incoming { name: name.0, payload: payload.ok(), ack };
        if let Err(error) = self.queue.try_send(incoming) {
            let refusal = match &error {
                TrySendError::Full(_) => Refusal::rate_limited(1),
                // Its worker has ended: the server stops, or the socket is being sent away.
                TrySendError::Closed(_) => Refusal::new(Code::Unavailable, "This connection is ending; connect again."),
            };
            answer(&self.device, error.into_inner().ack, &refusal.into_ack());
        }
    }
}

fn answer(device: &Device, ack: AckSender, with: &Ack) {
    match ack.send(with) {
        // A lost answer leaves its client waiting as surely as a lost event does.
        Err(SendError::Socket(SocketError::InternalChannelFull)) => device.sever("its queue is full"),
        // A socket that has gone meanwhile needs no answer.
        Err(error) => tracing::trace!(%error, "an acknowledgement was not sent"),
        Ok(()) => {}
    }
}

/// A socket whose worker panics would never be answered again; it is made to reconnect instead.
struct SeverOnPanic(Arc<Device>);

impl Drop for SeverOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.sever("its worker panicked");
        }
    }
}

/// Serves one socket until it is gone or its sign-in is over.
pub(crate) async fn run(app: AppState, device: Arc<Device>, presence: Presence, expires: Instant) {
    let inbox = device.inbox.lock().expect("no thread panics while it holds an inbox").take();
    let Some(mut inbox) = inbox else { return };
    let _guard = SeverOnPanic(Arc::clone(&device));
    if let Err(refusal) = welcome(&app, &device, presence).await {
        tracing::error!(%refusal, socket = %device.id, "a socket could not be welcomed");
        device.sever("it could not be welcomed");
        return;
    }
    let mut expires = expires;
    loop {
        let incoming = tokio::select! {
            biased;
            () = device.gone.cancelled() => return,
            () = tokio::time::sleep_until(expires) => {
                device.dismiss();
                return;
            }
            incoming = inbox.recv() => incoming,
        };
        let Some(incoming) = incoming else { return };
        let ack = match incoming.payload {
            None => Ack::refused(Code::Malformed, "An event carries one JSON object."),
            Some(payload) => events::handle(&app, &device, &incoming.name, payload, &mut expires)
                .await
                .unwrap_or_else(Refusal::into_ack),
        };
        answer(&device, incoming.ack, &ack);
    }
}

/// Sends what a device must know before anything else. Its session may have ended while it was being let in.
async fn welcome(app: &AppState, device: &Arc<Device>, presence: Presence) -> Outcome<()> {
    if auth::service::live_session(app, device.session).await?.is_none() {
        device.dismiss();
        return Ok(());
    }
    publish::send_live(app, device).await?;
    presence::came(app, device, presence).await
}
