//! A person without a window: a client, what it hears, and the call that it is in.

mod server;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use parley_call::{CallSession, MediaState};
use parley_client::{Client, ClientEvent, ClientOptions, Credentials, Events, MemorySecrets};
use parley_domain::EngineKind;
use parley_protocol::app::ConnectionState;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::PASSWORD;

pub use server::CallServer;

/// Events that wait for the path at most; it reads them step by step.
const WAITING_EVENTS: usize = 4_096;
/// Nothing that is waited for here takes longer on a machine that is not hopelessly busy.
const HEARD_WITHIN: Duration = Duration::from_secs(15);

/// A signed-in person who can be in a call. Its tasks end when it is dropped.
pub struct Caller {
    /// The person's client.
    pub client: Arc<Client>,
    heard: mpsc::Receiver<ClientEvent>,
    call: Arc<Mutex<Weak<CallSession>>>,
    _pump: AbortOnDropHandle<()>,
}

impl Caller {
    /// Signs in with a demo account on a device that has those engines, and waits until the client has caught up.
    ///
    /// # Errors
    /// When the server can't be reached or refuses.
    pub async fn sign_in(server: &str, email: &str, data: &Path, engines: &[EngineKind]) -> Result<Self> {
        let engines = engines.to_vec();
        let options = ClientOptions { engines, ..ClientOptions::new(data, Arc::new(MemorySecrets::default())) };
        let credentials = Credentials {
            server: server.to_owned(),
            allow_plain_http: false,
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let signing_in = Client::sign_in(options, credentials).await;
        let client = Arc::new(signing_in.with_context(|| format!("{email} can't sign in"))?);
        let call = Arc::new(Mutex::new(Weak::new()));
        let (tell, heard) = mpsc::channel(WAITING_EVENTS);
        let pump = AbortOnDropHandle::new(tokio::spawn(pump(client.events(), Arc::clone(&call), tell)));
        client.connected().await.with_context(|| format!("{email} gets no line to the server"))?;
        Ok(Self { client, heard, call, _pump: pump })
    }

    /// From now on what the client hears of this call goes to its session.
    pub fn follow(&self, session: &Arc<CallSession>) {
        *self.call.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(session);
    }

    /// What this person's calls ask of the server.
    pub fn call_server(&self) -> Arc<CallServer> {
        Arc::new(CallServer(Arc::clone(&self.client)))
    }

    /// Waits for an event; earlier ones that nobody waited for are passed over.
    ///
    /// # Errors
    /// When it doesn't come within 15 seconds, or the sign-in ended.
    pub async fn hear<T>(&mut self, what: &str, mut pick: impl FnMut(ClientEvent) -> Option<T>) -> Result<T> {
        let name = self.client.user().name;
        let found = async {
            loop {
                match self.heard.recv().await {
                    Some(ClientEvent::SessionEnded(error)) => break Err(error).context("the sign-in ended"),
                    Some(event) => {
                        if let Some(found) = pick(event) {
                            break Ok(found);
                        }
                    }
                    None => bail!("the client is gone"),
                }
            }
        };
        let found = tokio::time::timeout(HEARD_WITHIN, found).await;
        found.with_context(|| format!("{name} did not hear {what} within {} s", HEARD_WITHIN.as_secs()))?
    }
}

/// Gives the call what is the call's at once, and everything to the path.
async fn pump(mut events: Events, call: Arc<Mutex<Weak<CallSession>>>, tell: mpsc::Sender<ClientEvent>) {
    while let Some(event) = events.next().await {
        let session = call.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(session) = session {
            hand_over(&session, &event);
        }
        if tell.try_send(event).is_err() {
            tracing::warn!("the path reads too slowly: an event was dropped");
        }
    }
}

fn hand_over(session: &CallSession, event: &ClientEvent) {
    let ours = session.meeting();
    match event {
        ClientEvent::Connection(state) => session.on_line(*state == ConnectionState::Connected),
        ClientEvent::MeetingStarted(started) if started.meeting_id == ours => session.on_started(),
        ClientEvent::MeetingEnded(ended) if ended.meeting_id == ours => {
            if let Some(reason) = ended.end_reason {
                session.on_ended(reason, ended.duration);
            }
        }
        // A sync tells it when the event was missed.
        ClientEvent::Meeting(meeting) if meeting.id == ours => {
            if let Some(reason) = meeting.end_reason {
                session.on_ended(reason, meeting.duration);
            }
        }
        ClientEvent::CallState(state) if state.meeting_id == ours => {
            let (camera, microphone, screen) = (state.camera, state.microphone, state.screen);
            session.on_peer_state(MediaState { camera, microphone, screen });
        }
        ClientEvent::Signal(signal) if signal.meeting_id == ours => {
            if let Some(data) = signal.data.as_str() {
                session.on_peer_signal(data.to_owned());
            }
        }
        _ => {}
    }
}
