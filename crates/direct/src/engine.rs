//! The engine itself: starts and ends the threads of a join and passes commands on.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc as std_mpsc},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use parley_call::{
    Attempt, AudioQueue, Credentials, EngineError, EngineEvent, EnginePorts, I420Frame, LatestSlot, MediaEngine,
    Outbox, Token, VideoProfile,
};
use parley_domain::EngineKind;
use tokio::sync::mpsc;

use crate::{
    audio::worker::{self, Inbox},
    emulator::NetworkEmulation,
    net::{self, sockets::BindAddresses},
    shared::{COMMANDS, Command, Publication, Shared},
    signal::MAX_SIGNAL,
    video::{receive, send},
};

/// What can be set.
#[derive(Clone, Debug)]
pub struct DirectOptions {
    /// Which of our addresses the other side is told.
    pub addresses: BindAddresses,
    /// A bad network, for tests.
    pub emulation: Option<NetworkEmulation>,
    /// A path on which nothing at all was received for so long is interrupted (a living one is never silent for more
    /// than two seconds).
    pub silence: Duration,
    /// So long a path may take to come up, or to come back, while the other side is there.
    pub patience: Duration,
}

impl Default for DirectOptions {
    fn default() -> Self {
        Self {
            addresses: BindAddresses::All,
            emulation: None,
            silence: Duration::from_secs(4),
            patience: Duration::from_secs(20),
        }
    }
}

/// The built-in engine: WebRTC between the two people's machines, described by [`EngineEvent::Signal`]s.
pub struct DirectEngine {
    ports: EnginePorts,
    options: DirectOptions,
    publication: Publication,
    session: Option<Session>,
}

impl DirectEngine {
    /// An engine that is in no call.
    pub fn new(ports: EnginePorts, options: DirectOptions) -> Self {
        let publication = Publication { wants_video: true, ..Publication::default() };
        Self { ports, options, publication, session: None }
    }

    fn changed(&self) {
        if let Some(session) = &self.session {
            session.shared.publish(self.publication.clone());
        }
    }
}

impl MediaEngine for DirectEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Direct
    }

    fn join(&mut self, attempt: Attempt, credentials: Credentials) {
        self.leave();
        match Session::start(attempt, credentials, &self.ports, &self.options, self.publication.clone()) {
            Ok(session) => self.session = Some(session),
            Err(error) => {
                let failed = EngineError::Failed(error.to_string());
                Outbox::new(self.ports.events.clone()).tell(EngineEvent::JoinFailed(attempt, failed));
            }
        }
    }

    fn publish_video(&mut self, frames: Option<Arc<LatestSlot<I420Frame>>>, profile: VideoProfile) {
        self.publication.video = frames.map(|frames| (frames, profile));
        self.changed();
    }

    fn publish_audio(&mut self, blocks: Option<Arc<AudioQueue>>) {
        self.publication.audio = blocks;
        self.changed();
    }

    fn want_remote_video(&mut self, wanted: bool) {
        self.publication.wants_video = wanted;
        self.changed();
    }

    /// The server checks the token at `call:join`; between the engines it has no part.
    fn renew_token(&mut self, _token: Token) {}

    fn on_signal(&mut self, data: &str) {
        let Some(session) = &self.session else { return };
        if data.len() > MAX_SIGNAL {
            tracing::debug!(bytes = data.len(), "a signal was too long");
        } else if !session.shared.send(Command::Signal(data.to_owned())) && !session.shared.is_stopped() {
            tracing::warn!("a signal was dropped, too many wait");
        }
    }

    fn leave(&mut self) {
        self.session = None;
    }
}

/// The threads of one join. Dropping it leaves and waits for them.
struct Session {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Session {
    fn start(
        attempt: Attempt,
        credentials: Credentials,
        ports: &EnginePorts,
        options: &DirectOptions,
        publication: Publication,
    ) -> io::Result<Self> {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let shared = Arc::new(Shared::new(publication, sender));
        let (pictures, incoming) = std_mpsc::sync_channel(receive::WAITING);
        let sound = Arc::new(Inbox::new().map_err(io::Error::other)?);
        let setup = net::Setup {
            attempt,
            credentials,
            options: options.clone(),
            shared: Arc::clone(&shared),
            outbox: Outbox::new(ports.events.clone()),
            commands,
            pictures,
            sound: Arc::clone(&sound),
        };
        let mut session = Self { shared, threads: Vec::new() };
        // A thread that can't be started drops the session, which ends those before it.
        session.spawn("encode", send::run)?;
        let screen = Arc::clone(&ports.remote_video);
        session.spawn("decode", move |shared| receive::run(shared, &incoming, &screen))?;
        let speaker = Arc::clone(&ports.remote_audio);
        session.spawn("sound", move |shared| worker::run(shared, &sound, &speaker))?;
        let events = ports.events.clone();
        session.spawn("net", move |_| {
            if catch_unwind(AssertUnwindSafe(|| net::run(setup))).is_err() {
                let failed = EngineError::Failed("the net thread ended unexpectedly".to_owned());
                Outbox::new(events).tell(EngineEvent::Lost(failed));
            }
        })?;
        Ok(session)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce(&Shared) + Send + 'static) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let thread = Builder::new().name(format!("direct-{name}")).spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| work(&shared))).is_err() {
                shared.fail();
            }
        })?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.stop();
        for thread in self.threads.drain(..) {
            // Panics were caught and told in the thread itself.
            let _ = thread.join();
        }
    }
}
