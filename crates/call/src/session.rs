//! The actor between the machine, an engine and the server: one task for one call, owned by a [`CallSession`].

use std::{future::Future, sync::Arc, time::Duration};

use parley_domain::{EndReason, EngineKind, MeetingId};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use crate::{
    audio::AudioQueue,
    engine::{Attempt, EngineError, EngineEvent, EnginePorts, MediaEngine, VideoProfile},
    frame::I420Frame,
    machine::{CallMachine, Effect, Input},
    signalling::{MediaState, Signalling, SignallingError},
    slot::LatestSlot,
    snapshot::CallSnapshot,
};

/// Commands and server events that wait for the actor at most. It never blocks, so this many means that it hangs.
const WAITING_INPUTS: usize = 256;
/// Engine events that wait at most.
const WAITING_EVENTS: usize = 256;
/// Messages to the other side's engine that wait for the socket at most.
const WAITING_LINES: usize = 128;
/// 200 ms of sound for the player; more would only be late.
const REMOTE_AUDIO_BLOCKS: usize = 20;
/// No answer of the server within this time counts as unreachable.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How a call begins on this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// We placed it; it rings at the other side.
    Placed,
    /// It rings here for so much longer.
    Invited {
        /// `expiresInSeconds` of `meeting:invite`.
        ring_for: Duration,
    },
    /// It is active and this device is to be in it at once.
    Active,
}

/// Builds the engine that the server's token answer names. Called at most once a call, on the session's task.
pub type EngineFactory =
    Box<dyn Fn(EngineKind, EnginePorts) -> Result<Box<dyn MediaEngine>, EngineError> + Send + Sync>;

/// A source of pictures, and how they are to be sent.
#[derive(Clone)]
pub struct VideoTrack {
    /// The engine is the one reader.
    pub frames: Arc<LatestSlot<I420Frame>>,
    /// Limits.
    pub profile: VideoProfile,
}

/// One call on this device. Dropping it takes back a ring of ours, leaves the engine and unbinds the socket; the call
/// itself goes on for whoever else is in it (say [`hang_up`](Self::hang_up) to end it).
///
/// Methods return at once and may be called from any thread; what comes of them shows in the snapshot.
pub struct CallSession {
    meeting: MeetingId,
    inputs: mpsc::Sender<Command>,
    snapshots: watch::Receiver<CallSnapshot>,
    remote_video: Arc<LatestSlot<I420Frame>>,
    remote_screen: Arc<LatestSlot<I420Frame>>,
    remote_audio: Arc<AudioQueue>,
    task: JoinHandle<()>,
}

enum Command {
    Machine(Input),
    Camera(Option<VideoTrack>),
    Microphone(Option<Arc<AudioQueue>>),
    Screen(Option<VideoTrack>),
}

impl CallSession {
    /// Starts the call's task on the current tokio runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start<S: Signalling>(
        meeting: MeetingId,
        opening: Opening,
        signalling: Arc<S>,
        factory: EngineFactory,
    ) -> Self {
        let (inputs, commands) = mpsc::channel(WAITING_INPUTS);
        let (events, engine_events) = mpsc::channel(WAITING_EVENTS);
        let ports = EnginePorts {
            events,
            remote_video: Arc::new(LatestSlot::new()),
            remote_screen: Arc::new(LatestSlot::new()),
            remote_audio: Arc::new(AudioQueue::new(REMOTE_AUDIO_BLOCKS)),
        };
        let (remote_video, remote_audio) = (Arc::clone(&ports.remote_video), Arc::clone(&ports.remote_audio));
        let remote_screen = Arc::clone(&ports.remote_screen);
        let mut machine = CallMachine::new();
        let first = machine.handle(
            Duration::ZERO,
            match opening {
                Opening::Placed => Input::Placed,
                Opening::Invited { ring_for } => Input::Invited { ring_for },
                Opening::Active => Input::Resumed,
            },
        );
        let (published, snapshots) = watch::channel(machine.snapshot());
        let (lines, waiting_lines) = mpsc::channel(WAITING_LINES);
        let mut background = JoinSet::new();
        background.spawn(send_lines(meeting, Arc::clone(&signalling), waiting_lines));
        let actor = Actor {
            meeting,
            machine,
            started: Instant::now(),
            signalling,
            factory,
            ports,
            engine: None,
            leaving: None,
            camera: None,
            microphone: None,
            screen: None,
            answers: JoinSet::new(),
            lines,
            snapshots: published,
            _background: background,
        };
        let task = tokio::spawn(actor.run(first, commands, engine_events));
        Self { meeting, inputs, snapshots, remote_video, remote_screen, remote_audio, task }
    }

    /// Which meeting.
    pub fn meeting(&self) -> MeetingId {
        self.meeting
    }

    /// The call as it is now.
    pub fn snapshot(&self) -> CallSnapshot {
        self.snapshots.borrow().clone()
    }

    /// Follows the call. The channel closes when the task has ended.
    pub fn watch(&self) -> watch::Receiver<CallSnapshot> {
        self.snapshots.clone()
    }

    /// The other side's newest picture. One reader at a time.
    pub fn remote_video(&self) -> Arc<LatestSlot<I420Frame>> {
        Arc::clone(&self.remote_video)
    }

    /// The other side's screen, while it is shared. One reader at a time.
    pub fn remote_screen(&self) -> Arc<LatestSlot<I420Frame>> {
        Arc::clone(&self.remote_screen)
    }

    /// The other side's sound. One reader at a time.
    pub fn remote_audio(&self) -> Arc<AudioQueue> {
        Arc::clone(&self.remote_audio)
    }

    /// Answers the ring.
    pub fn accept(&self) {
        self.give(Command::Machine(Input::Accept));
    }

    /// Turns the ring down.
    pub fn decline(&self) {
        self.give(Command::Machine(Input::Decline));
    }

    /// Ends the call for both, or takes the ring back.
    pub fn hang_up(&self) {
        self.give(Command::Machine(Input::HangUp));
    }

    /// Sends the pictures of this source from now on (and after every reconnect), or none.
    pub fn set_camera(&self, track: Option<VideoTrack>) {
        self.give(Command::Camera(track));
    }

    /// Sends the sound of this source from now on (and after every reconnect), or none.
    pub fn set_microphone(&self, blocks: Option<Arc<AudioQueue>>) {
        self.give(Command::Microphone(blocks));
    }

    /// Shares the pictures of this source as our screen from now on (and after every reconnect), or none. Only Agora's
    /// engines carry it; with another one the snapshot's `screen.actual` stays `false`.
    pub fn set_screen(&self, track: Option<VideoTrack>) {
        self.give(Command::Screen(track));
    }

    /// Whether the other side's picture is looked at; a hidden one need not be received.
    pub fn want_remote_video(&self, wanted: bool) {
        self.give(Command::Machine(Input::WantRemoteVideo(wanted)));
    }

    /// `meeting:started` for this meeting, or a sync that shows it active and answered.
    pub fn on_started(&self) {
        self.give(Command::Machine(Input::Started));
    }

    /// `meeting:invite` for this meeting once more (after a reconnect).
    pub fn on_invited(&self, ring_for: Duration) {
        self.give(Command::Machine(Input::Invited { ring_for }));
    }

    /// `meeting:ended` for this meeting, or a sync that shows it over.
    pub fn on_ended(&self, reason: EndReason, duration_seconds: Option<i64>) {
        self.give(Command::Machine(Input::EndedByServer { reason, duration_seconds }));
    }

    /// `call:state` of the other side.
    pub fn on_peer_state(&self, state: MediaState) {
        self.give(Command::Machine(Input::PeerState(state)));
    }

    /// `call:signal` of the other side.
    pub fn on_peer_signal(&self, data: String) {
        self.give(Command::Machine(Input::PeerSignal(data)));
    }

    /// The socket to the server is connected again, or gone.
    pub fn on_line(&self, connected: bool) {
        self.give(Command::Machine(if connected { Input::SocketUp } else { Input::SocketDown }));
    }

    /// Waits until the call has connected (`true`) or is over (`false`).
    pub async fn connected(&self) -> bool {
        let mut watch = self.watch();
        let reached = |now: &CallSnapshot| now.phase == crate::Phase::Connected || now.is_over();
        watch.wait_for(reached).await.is_ok_and(|now| !now.is_over())
    }

    /// Drops the handle and waits until the engine's threads have ended and the farewell has reached
    /// the server or has failed (30 s at most).
    pub async fn finish(self) {
        let Self { inputs, task, .. } = self;
        drop(inputs);
        if task.await.is_err_and(|error| error.is_panic()) {
            tracing::error!("a call's task panicked");
        }
    }

    fn give(&self, command: Command) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.inputs.try_send(command) {
            tracing::error!(meeting = %self.meeting, "the call's task does not keep up: an input was dropped");
        }
    }
}

/// What has to reach the other side in the order in which it was said.
enum Line {
    State(MediaState),
    Signal(String),
}

async fn send_lines<S: Signalling>(meeting: MeetingId, signalling: Arc<S>, mut lines: mpsc::Receiver<Line>) {
    while let Some(line) = lines.recv().await {
        let sent = match line {
            Line::State(state) => bounded(signalling.call_state(meeting, state)).await,
            Line::Signal(data) => bounded(signalling.call_signal(meeting, data)).await,
        };
        if let Err(error) = sent {
            // After the socket's return the state is told anew; engines repeat what matters to them.
            tracing::debug!(%meeting, %error, "a line of the call did not reach the server");
        }
    }
}

async fn bounded<T>(answer: impl Future<Output = Result<T, SignallingError>>) -> Result<T, SignallingError> {
    tokio::time::timeout(ANSWER_LIMIT, answer).await.unwrap_or(Err(SignallingError::Unreachable))
}

struct Actor<S> {
    meeting: MeetingId,
    machine: CallMachine,
    started: Instant,
    signalling: Arc<S>,
    factory: EngineFactory,
    ports: EnginePorts,
    engine: Option<Box<dyn MediaEngine>>,
    leaving: Option<JoinHandle<()>>,
    camera: Option<VideoTrack>,
    microphone: Option<Arc<AudioQueue>>,
    screen: Option<VideoTrack>,
    /// Questions to the server whose answers are awaited.
    answers: JoinSet<Input>,
    lines: mpsc::Sender<Line>,
    snapshots: watch::Sender<CallSnapshot>,
    _background: JoinSet<()>,
}

impl<S: Signalling> Actor<S> {
    async fn run(
        mut self,
        first: Vec<Effect>,
        mut commands: mpsc::Receiver<Command>,
        mut engine_events: mpsc::Receiver<EngineEvent>,
    ) {
        self.perform(first);
        let mut owned = true;
        while owned || !(self.machine.is_finished() && self.answers.is_empty()) {
            let deadline = self.machine.deadline().map(|at| self.started + at);
            let input = tokio::select! {
                command = commands.recv(), if owned => match command {
                    Some(Command::Machine(input)) => input,
                    Some(Command::Camera(track)) => {
                        let on = track.is_some();
                        self.camera = track;
                        Input::SetCamera(on)
                    }
                    Some(Command::Microphone(blocks)) => {
                        let on = blocks.is_some();
                        self.microphone = blocks;
                        Input::SetMicrophone(on)
                    }
                    Some(Command::Screen(track)) => {
                        let on = track.is_some();
                        self.screen = track;
                        Input::SetScreen(on)
                    }
                    None => {
                        owned = false;
                        Input::Dropped
                    }
                },
                Some(event) = engine_events.recv() => Input::Engine(event),
                Some(answer) = self.answers.join_next() => match answer {
                    Ok(input) => input,
                    Err(error) => {
                        tracing::error!(meeting = %self.meeting, %error, "a question to the server broke off");
                        continue;
                    }
                },
                () = sleep_until(deadline) => Input::TimePassed,
            };
            self.take_in(input);
        }
        self.leave_engine();
        if let Some(leaving) = self.leaving.take()
            && leaving.await.is_err()
        {
            tracing::error!(meeting = %self.meeting, "the engine panicked while leaving");
        }
    }

    fn take_in(&mut self, input: Input) {
        let effects = self.machine.handle(self.started.elapsed(), input);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.perform_one(effect);
        }
        let now = self.machine.snapshot();
        self.snapshots.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }

    fn perform_one(&mut self, effect: Effect) {
        let (meeting, server) = (self.meeting, Arc::clone(&self.signalling));
        match effect {
            Effect::SendAccept => self.ask(async move { Input::AcceptDone(bounded(server.accept(meeting)).await) }),
            Effect::SendDecline => self.ask(async move { Input::DeclineDone(bounded(server.decline(meeting)).await) }),
            Effect::SendCancel => self.ask(async move { Input::CancelDone(bounded(server.cancel(meeting)).await) }),
            Effect::SendEnd => self.ask(async move { Input::EndDone(bounded(server.end(meeting)).await) }),
            Effect::FetchToken(attempt) => {
                self.ask(async move { Input::TokenFetched(attempt, bounded(server.fetch_token(meeting)).await) })
            }
            Effect::SendCallJoin(attempt, token) => {
                self.ask(async move { Input::CallJoined(attempt, bounded(server.call_join(meeting, token)).await) })
            }
            Effect::SendCallLeave => self.ask(async move {
                if let Err(error) = bounded(server.call_leave(meeting)).await {
                    tracing::debug!(%meeting, %error, "call:leave did not reach the server");
                }
                Input::TimePassed
            }),
            Effect::JoinEngine { attempt, kind, credentials } => match self.engine_of(kind) {
                Ok(engine) => engine.join(attempt, credentials),
                Err(error) => self.ask(refuse(attempt, error)),
            },
            Effect::LeaveEngine => self.leave_engine(),
            Effect::RenewToken(token) => self.with_engine(|engine| engine.renew_token(token)),
            Effect::RenewScreen(pass) => self.with_engine(|engine| engine.renew_screen(pass)),
            Effect::PublishVideo(on) => {
                let track = self.camera.clone().filter(|_| on);
                let profile = track.as_ref().map(|track| track.profile).unwrap_or_default();
                self.with_engine(|engine| engine.publish_video(track.map(|track| track.frames), profile));
            }
            Effect::PublishAudio(on) => {
                let blocks = self.microphone.clone().filter(|_| on);
                self.with_engine(|engine| engine.publish_audio(blocks));
            }
            Effect::PublishScreen(on) => {
                let track = self.screen.clone().filter(|_| on);
                let profile = track.as_ref().map(|track| track.profile).unwrap_or_default();
                self.with_engine(|engine| engine.publish_screen(track.map(|track| track.frames), profile));
            }
            Effect::WantRemoteVideo(wanted) => self.with_engine(|engine| engine.want_remote_video(wanted)),
            Effect::GiveSignal(data) => self.with_engine(|engine| engine.on_signal(&data)),
            Effect::SendState(state) => self.say(Line::State(state)),
            Effect::RelaySignal(data) => self.say(Line::Signal(data)),
        }
    }

    fn ask(&mut self, answer: impl Future<Output = Input> + Send + 'static) {
        self.answers.spawn(answer);
    }

    fn say(&self, line: Line) {
        if self.lines.try_send(line).is_err() {
            tracing::warn!(meeting = %self.meeting, "the socket does not keep up: a line of the call was dropped");
        }
    }

    fn engine_of(&mut self, kind: EngineKind) -> Result<&mut Box<dyn MediaEngine>, EngineError> {
        match &mut self.engine {
            Some(engine) => Ok(engine),
            none => Ok(none.insert((self.factory)(kind, self.ports.clone())?)),
        }
    }

    fn with_engine(&mut self, act: impl FnOnce(&mut dyn MediaEngine)) {
        if let Some(engine) = &mut self.engine {
            act(engine.as_mut());
        }
    }

    /// Leaving may wait for the engine's threads, so it happens off the runtime's own threads.
    fn leave_engine(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            self.leaving = Some(tokio::task::spawn_blocking(move || engine.leave()));
        }
        self.ports.remote_video.try_take();
        self.ports.remote_screen.try_take();
    }
}

async fn refuse(attempt: Attempt, error: EngineError) -> Input {
    Input::NoEngine(attempt, error)
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
