//! The engine itself: keeps what is wanted, and has a thread carry it out.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{Builder, JoinHandle},
};

use parley_call::{
    Attempt, AudioQueue, Credentials, EngineError, EngineEvent, EnginePorts, I420Frame, LatestSlot, MediaEngine,
    Outbox, ScreenPass, Token, VideoProfile,
};
use parley_domain::EngineKind;

use super::{
    control::{self, Setup},
    library::Library,
    shared::{Pictures, Shared, Wanted},
};

/// Calls over Agora, by its server-gateway library: Linux, and macOS for development.
pub struct GatewayEngine {
    ports: EnginePorts,
    library: Arc<Library>,
    /// Kept from one join to the next.
    wanted: Wanted,
    session: Option<Session>,
}

impl GatewayEngine {
    /// An engine that is in no call.
    pub fn new(ports: EnginePorts, library: Arc<Library>) -> Self {
        Self { ports, library, wanted: Wanted::default(), session: None }
    }

    fn want(&mut self, change: impl Fn(&mut Wanted)) {
        change(&mut self.wanted);
        if let Some(session) = &self.session {
            session.shared.want(change);
        }
    }
}

impl MediaEngine for GatewayEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Agora
    }

    fn join(&mut self, attempt: Attempt, credentials: Credentials) {
        // Leaving may take a while, so the new thread waits for the old one, not we.
        let before = self.session.take().map(Session::into_ending);
        let wanted = Wanted { token: None, pass: credentials.screen.clone(), ..self.wanted.clone() };
        let shared = Arc::new(Shared::new(wanted));
        let setup = Setup {
            attempt,
            credentials,
            library: Arc::clone(&self.library),
            shared: Arc::clone(&shared),
            ports: self.ports.clone(),
            before,
        };
        let events = self.ports.events.clone();
        let thread = Builder::new().name("agora-control".to_owned()).spawn(move || {
            let shared = Arc::clone(&setup.shared);
            let panicked = catch_unwind(AssertUnwindSafe(|| control::run(setup))).is_err();
            if panicked && !shared.is_stopped() {
                let failed = EngineError::Failed("the thread of the call ended unexpectedly".to_owned());
                Outbox::new(events).tell(EngineEvent::Lost(failed));
            }
        });
        match thread {
            Ok(thread) => self.session = Some(Session { shared, thread: Some(thread) }),
            Err(error) => {
                let failed = EngineError::Failed(error.to_string());
                Outbox::new(self.ports.events.clone()).tell(EngineEvent::JoinFailed(attempt, failed));
            }
        }
    }

    fn publish_video(&mut self, frames: Option<Arc<LatestSlot<I420Frame>>>, profile: VideoProfile) {
        let video = frames.map(|frames| Pictures { frames, profile });
        self.want(|wanted| wanted.video = video.clone());
    }

    fn publish_audio(&mut self, blocks: Option<Arc<AudioQueue>>) {
        self.want(|wanted| wanted.audio = blocks.clone());
    }

    fn publish_screen(&mut self, frames: Option<Arc<LatestSlot<I420Frame>>>, profile: VideoProfile) {
        let screen = frames.map(|frames| Pictures { frames, profile });
        self.want(|wanted| wanted.screen = screen.clone());
    }

    fn want_remote_video(&mut self, is_wanted: bool) {
        self.want(|wanted| wanted.is_hidden = !is_wanted);
    }

    fn renew_token(&mut self, token: Token) {
        if let Some(session) = &self.session {
            session.shared.want(|wanted| wanted.token = Some(token));
        }
    }

    fn renew_screen(&mut self, pass: ScreenPass) {
        if let Some(session) = &self.session {
            session.shared.want(|wanted| wanted.pass = Some(pass));
        }
    }

    /// Agora's servers carry everything: its engines say nothing to each other.
    fn on_signal(&mut self, _data: &str) {}

    fn leave(&mut self) {
        self.session = None;
    }
}

/// The thread of one join. Dropping it leaves and waits for it.
struct Session {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Session {
    /// Begins to leave; the thread that it gives ends when that is done.
    fn into_ending(mut self) -> JoinHandle<()> {
        self.shared.stop();
        self.thread.take().expect("a session has its thread until it ends")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            // Panics were caught and told in the thread itself.
            let _ = thread.join();
        }
    }
}
