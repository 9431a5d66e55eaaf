//! The media engine over Agora's desktop SDK.

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

use tokio::sync::oneshot;

use super::{
    Library, OwnDevices,
    rtc::Rtc,
    session::{self, Setup},
    shared::{Mailbox, Publication},
};

/// Carries a call by Agora's desktop SDK. Each join has its own SDK engine, which begins and ends with it, so nothing of
/// an earlier attempt can reach a later one.
pub struct IrisEngine {
    ports: EnginePorts,
    library: Arc<Library>,
    own: Option<OwnDevices>,
    publication: Publication,
    running: Option<Running>,
}

impl IrisEngine {
    /// An engine that is in no call, for pictures and sound of ours. One at a time can be in a call by the same copy of
    /// the library.
    pub fn new(ports: EnginePorts, library: Arc<Library>) -> Self {
        let publication = Publication { wants_video: true, ..Publication::default() };
        Self { ports, library, own: None, publication, running: None }
    }

    /// An engine whose SDK uses its own microphone and loudspeaker, with its own echo cancelling between them.
    /// [`publish_audio`](MediaEngine::publish_audio) then opens and closes the SDK's microphone, whatever is in the queue,
    /// and what others say is played by the SDK instead of coming to the ports. Pictures are ours or the SDK's, as
    /// [`Self::with_sdk`] has it.
    pub fn with_own_devices(ports: EnginePorts, library: Arc<Library>, own: OwnDevices) -> Self {
        Self { own: Some(own), ..Self::new(ports, library) }
    }

    /// Does something with the SDK's devices and screens, on the thread of the call. What comes of it arrives at the
    /// receiver, which fails when there is no call or it ends first.
    pub fn with_sdk<T: Send + 'static>(&self, work: impl FnOnce(&Rtc) -> T + Send + 'static) -> oneshot::Receiver<T> {
        let (answer, receiver) = oneshot::channel();
        if let Some(running) = &self.running {
            let task = Box::new(move |rtc: &Rtc| {
                // Whoever asked may have gone.
                let _ = answer.send(work(rtc));
            });
            running.mailbox.ask(|asked| asked.tasks.push(task));
        }
        receiver
    }

    fn changed(&self) {
        if let Some(running) = &self.running {
            running.mailbox.ask(|asked| asked.publication = Some(self.publication.clone()));
        }
    }
}

impl MediaEngine for IrisEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Agora
    }

    fn join(&mut self, attempt: Attempt, credentials: Credentials) {
        // Leaving may take a while, so the new thread waits for the old one, not we.
        let before = self.running.take().and_then(Running::into_ending);
        let mailbox = Arc::new(Mailbox::default());
        let setup = Setup {
            attempt,
            credentials,
            library: Arc::clone(&self.library),
            ports: self.ports.clone(),
            mailbox: Arc::clone(&mailbox),
            publication: self.publication.clone(),
            own: self.own.clone(),
            before,
        };
        match Running::start(setup, mailbox) {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                let failed = EngineEvent::JoinFailed(attempt, EngineError::Failed(error.to_string()));
                Outbox::new(self.ports.events.clone()).tell(failed);
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

    fn publish_screen(&mut self, frames: Option<Arc<LatestSlot<I420Frame>>>, profile: VideoProfile) {
        self.publication.screen = frames.map(|frames| (frames, profile));
        self.changed();
    }

    fn want_remote_video(&mut self, wanted: bool) {
        self.publication.wants_video = wanted;
        self.changed();
    }

    fn renew_token(&mut self, token: Token) {
        if let Some(running) = &self.running {
            running.mailbox.ask(|asked| asked.token = Some(token));
        }
    }

    fn renew_screen(&mut self, pass: ScreenPass) {
        if let Some(running) = &self.running {
            running.mailbox.ask(|asked| asked.screen = Some(pass));
        }
    }

    /// Agora's servers bring the two together; between the engines there is nothing to say.
    fn on_signal(&mut self, _data: &str) {}

    fn leave(&mut self) {
        self.running = None;
    }
}

/// The thread of one join. Dropping it leaves, and waits until the SDK has ended.
struct Running {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(setup: Setup, mailbox: Arc<Mailbox>) -> std::io::Result<Self> {
        let (events, asked) = (setup.ports.events.clone(), Arc::clone(&mailbox));
        let thread = Builder::new().name("iris-call".to_owned()).spawn(move || {
            let has_panicked = catch_unwind(AssertUnwindSafe(|| session::run(setup))).is_err();
            if has_panicked && !asked.is_stopped() {
                Outbox::new(events).tell(EngineEvent::Lost(session::panicked()));
            }
        })?;
        Ok(Self { mailbox, thread: Some(thread) })
    }

    /// Begins to leave; the thread that it gives ends when that is done.
    fn into_ending(mut self) -> Option<JoinHandle<()>> {
        self.mailbox.stop();
        self.thread.take()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.mailbox.stop();
        if let Some(thread) = self.thread.take() {
            // A panic was caught and told in the thread itself.
            let _ = thread.join();
        }
    }
}
