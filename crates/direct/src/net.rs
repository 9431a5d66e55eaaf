//! The net thread: it alone owns the `Rtc`, the sockets and the signalling of a join.

mod path;
pub(crate) mod sockets;
mod watch;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{SyncSender, TrySendError},
    },
    time::{Duration, Instant},
};

use parley_call::{Attempt, Credentials, EngineError, EngineEvent, Outbox};
use str0m::{
    Event, IceConnectionState,
    bwe::BweKind,
    media::{MediaData, MediaKind},
};
use tokio::sync::mpsc;

use self::{path::Path, sockets::Sockets, watch::Watch};
use crate::{
    DirectOptions,
    audio::{jitter::Packet, worker::Inbox},
    negotiation::{Negotiation, Step},
    shared::{Command, Shared},
    signal::{Message, SessionId, Tracks},
    video::{
        receive::{Incoming, Picture},
        send::MIN_BITRATE,
    },
};

/// How often it looks at what no deadline announces.
const TICK: Duration = Duration::from_millis(100);
/// Commands taken in one go before the network has its turn.
const BURST: usize = 64;
/// The encoder gets this part of the estimate; with 0.9 an 800 kbit/s line froze (DESIGN §4).
const ENCODER_PART: f64 = 0.75;
/// The path is probed for so many times what the encoder may send, as far as the line allows: the pacer sends no faster
/// than the estimate, and a key frame or a cut has ten times the bits of an ordinary picture.
const HEADROOM: u64 = 4;
/// What sound needs at most, doubled by its redundancy and with headers.
const AUDIO_BITRATE: u64 = 110_000;
/// Signals heard no longer ago than this mean that the other side is there, only the network between us isn't.
const HEARD_RECENTLY: Duration = Duration::from_secs(8);

/// What the net thread is given.
pub(crate) struct Setup {
    pub(crate) attempt: Attempt,
    pub(crate) credentials: Credentials,
    pub(crate) options: DirectOptions,
    pub(crate) shared: Arc<Shared>,
    pub(crate) outbox: Outbox,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) pictures: SyncSender<Incoming>,
    pub(crate) sound: Arc<Inbox>,
}

/// Runs until the join ends.
pub(crate) fn run(setup: Setup) {
    let attempt = setup.attempt;
    let mut net = Net::new(setup);
    match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime.block_on(net.run(attempt)),
        Err(error) => net.outbox.tell(EngineEvent::JoinFailed(attempt, EngineError::Failed(error.to_string()))),
    }
}

struct Net {
    options: DirectOptions,
    shared: Arc<Shared>,
    outbox: Outbox,
    commands: mpsc::Receiver<Command>,
    pictures: SyncSender<Incoming>,
    sound: Arc<Inbox>,
    negotiation: Negotiation,
    path: Option<(u32, Path)>,
    state: State,
    watch: Watch,
    /// Something between the last picture that was handed over and the next was left out.
    gap: bool,
    refused_signals: u64,
}

/// How we stand with the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It isn't there.
    Alone,
    /// It is there, and a path is being made.
    Connecting { since: Instant },
    /// The path is up.
    Connected,
    /// The path was up and is being made anew.
    Reconnecting { since: Instant },
}

impl Net {
    fn new(setup: Setup) -> Self {
        let Setup { credentials, options, shared, outbox, commands, pictures, sound, .. } = setup;
        let tracks = shared.publication().tracks();
        let offers = credentials.uid < credentials.peer;
        let now = Instant::now();
        Self {
            options,
            outbox,
            commands,
            pictures,
            sound,
            negotiation: Negotiation::new(SessionId::random(), offers, tracks, now),
            path: None,
            state: State::Alone,
            watch: Watch::new(now),
            gap: false,
            refused_signals: 0,
            shared,
        }
    }

    async fn run(&mut self, attempt: Attempt) {
        // Bound once to know that there is a network at all; each path binds its own.
        if let Err(error) = Sockets::bind(&self.options.addresses, None) {
            tracing::warn!(%error, "no address can be bound");
            return self.outbox.tell(EngineEvent::JoinFailed(attempt, EngineError::NoNetwork));
        }
        self.outbox.tell(EngineEvent::Joined(attempt));
        while !self.shared.is_stopped() {
            if let Some(error) = self.turn() {
                self.outbox.tell(EngineEvent::Lost(error));
                self.path = None;
                self.shared.stop();
                return;
            }
            self.wait().await;
        }
        self.leave();
    }

    /// Everything that is due now. An error ends the join.
    fn turn(&mut self) -> Option<EngineError> {
        for _ in 0..BURST {
            let Ok(command) = self.commands.try_recv() else { break };
            self.on_command(command);
        }
        self.step_path();
        let now = Instant::now();
        let steps = self.negotiation.poll(now);
        self.carry_out(steps);
        self.watch_remote(now);
        self.outbox.flush();
        if self.shared.has_failed() {
            return Some(EngineError::Failed("a media thread ended unexpectedly".to_owned()));
        }
        self.give_up_if_hopeless(now)
    }

    async fn wait(&mut self) {
        let path = self.path.as_ref().map(|(_, path)| path);
        let soonest = [self.negotiation.next_deadline(), path.map(Path::next_deadline)].into_iter().flatten();
        let deadline = soonest.fold(Instant::now() + TICK, Instant::min);
        if !self.commands.is_empty() {
            return;
        }
        let readable = async {
            match path {
                Some(path) => path.readable().await,
                None => std::future::pending().await,
            }
        };
        let command = tokio::select! {
            biased;
            () = self.shared.stopping() => None,
            command = self.commands.recv() => command,
            () = readable => None,
            () = tokio::time::sleep_until(deadline.into()) => None,
        };
        if let Some(command) = command {
            self.on_command(command);
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Signal(text) => match Message::parse(&text) {
                Ok(message) => {
                    let steps = self.negotiation.on_message(message, Instant::now());
                    self.carry_out(steps);
                }
                Err(error) => {
                    self.refused_signals += 1;
                    tracing::debug!(%error, count = self.refused_signals, "a signal was refused");
                }
            },
            Command::Video { data, captured } => {
                if let (State::Connected, Some((_, path))) = (self.state, &mut self.path) {
                    path.write_video(data, captured);
                }
            }
            Command::Audio { data, position, captured } => {
                if let (State::Connected, Some((_, path))) = (self.state, &mut self.path) {
                    path.write_audio(data, position, captured);
                }
            }
            Command::AskForKeyFrame => {
                if let Some((_, path)) = &mut self.path {
                    path.ask_for_key_frame();
                }
            }
            Command::TracksChanged => {
                let tracks = self.shared.publication().tracks();
                // A gap that we asked for is no freeze.
                self.hand_over(Incoming::Pause);
                self.watch.on_our_tracks(tracks, Instant::now());
                self.set_desired();
                let steps = self.negotiation.set_tracks(tracks);
                self.carry_out(steps.into_iter().collect());
            }
        }
    }

    fn carry_out(&mut self, steps: Vec<Step>) {
        let mut steps = std::collections::VecDeque::from(steps);
        while let Some(step) = steps.pop_front() {
            let now = Instant::now();
            match step {
                Step::Send(message) => self.outbox.tell(EngineEvent::Signal(message.to_text())),
                Step::MakeOffer { round } => {
                    let desired = self.desired_bitrate();
                    let made = self.make_path(|sockets| Path::offer(sockets, desired, now));
                    if let Some((path, sdp)) = made {
                        self.begin_path(round, path, now);
                        steps.extend(self.negotiation.on_offer_made(round, sdp, now));
                    }
                }
                Step::MakeAnswer { round, sdp } => {
                    let desired = self.desired_bitrate();
                    let made = self.make_path(|sockets| Path::answer(sockets, desired, &sdp, now));
                    match made {
                        Some((path, sdp)) => {
                            self.begin_path(round, path, now);
                            steps.extend(self.negotiation.on_answer_made(round, sdp, now));
                        }
                        None => self.negotiation.on_refused(round),
                    }
                }
                Step::Accept { round, sdp } => {
                    let Some((ours, path)) = &mut self.path else { continue };
                    if *ours != round {
                        continue;
                    }
                    let accepted = catch_unwind(AssertUnwindSafe(|| path.accept(&sdp)));
                    if !matches!(accepted, Ok(Ok(()))) {
                        tracing::warn!("the other side's answer can't be used");
                        self.negotiation.on_refused(round);
                    }
                }
                Step::AddCandidate { round, candidate } => {
                    if let Some((ours, path)) = &mut self.path
                        && *ours == round
                        && !path.add_candidate(&candidate)
                    {
                        tracing::debug!("a candidate can't be used");
                    }
                }
                Step::PeerAppeared => {
                    self.end_path(true);
                    self.state = State::Connecting { since: now };
                }
                Step::PeerGone => self.end_path(true),
                Step::PeerTracks(tracks) => self.on_peer_tracks(tracks, now),
            }
        }
    }

    /// Foreign descriptions go through code that may have been written for friendlier ones: a panic in there is a
    /// refusal.
    fn make_path<F>(&self, make: F) -> Option<(Path, String)>
    where
        F: FnOnce(Sockets) -> Result<(Path, String), str0m::RtcError>,
    {
        let sockets = match Sockets::bind(&self.options.addresses, self.options.emulation.clone()) {
            Ok(sockets) => sockets,
            Err(error) => {
                tracing::warn!(%error, "no address can be bound");
                return None;
            }
        };
        match catch_unwind(AssertUnwindSafe(|| make(sockets))) {
            Ok(Ok(made)) => Some(made),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a path can't be made of this description");
                None
            }
            Err(_) => {
                tracing::warn!("a description upset the library");
                None
            }
        }
    }

    fn begin_path(&mut self, round: u32, path: Path, now: Instant) {
        self.path = Some((round, path));
        self.forget_streams();
        self.shared.connected.store(false, Ordering::Release);
        match self.state {
            State::Connected => self.on_lost(now),
            State::Alone => self.state = State::Connecting { since: now },
            State::Connecting { .. } | State::Reconnecting { .. } => {}
        }
    }

    /// The other side is gone, or another session of it came: whatever there was is over.
    fn end_path(&mut self, close: bool) {
        if let Some((_, path)) = self.path.take()
            && close
        {
            path.close();
        }
        let was_told = matches!(self.state, State::Connected | State::Reconnecting { .. });
        self.state = State::Alone;
        self.shared.connected.store(false, Ordering::Release);
        self.shared.video_wanted.store(true, Ordering::Release);
        self.forget_streams();
        for event in self.watch.end() {
            self.outbox.tell(event);
        }
        if was_told {
            self.outbox.tell(EngineEvent::PeerLeft);
        }
    }

    fn forget_streams(&mut self) {
        self.hand_over(Incoming::Reset);
        self.sound.reset();
        self.shared.lip_sync.forget();
        self.gap = false;
    }

    fn step_path(&mut self) {
        let Some((_, path)) = &mut self.path else { return };
        let failed = path.step().is_err() || !path.is_alive();
        while let Some(event) = self.path.as_mut().and_then(|(_, path)| path.next_event()) {
            self.on_event(event);
        }
        let Some((_, path)) = &self.path else { return };
        let silent = self.state == State::Connected && path.last_received().elapsed() > self.options.silence;
        if failed || silent {
            tracing::info!(failed, silent, "the path is interrupted");
            self.path = None;
            self.lose_path();
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected => self.on_connected(),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) if self.state == State::Connected => {
                self.lose_path();
            }
            Event::MediaAdded(added) => {
                if let Some((_, path)) = &mut self.path {
                    path.on_media_added(added.mid, added.kind);
                }
            }
            Event::MediaData(media) => self.on_media(media),
            Event::KeyframeRequest(_) => self.shared.key_wanted.store(true, Ordering::Release),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. } | BweKind::Remb { estimate, .. }) => {
                let estimate = estimate.as_u64();
                let part = (estimate as f64 * ENCODER_PART) as u64;
                let video = part.min(estimate.saturating_sub(AUDIO_BITRATE)).max(u64::from(MIN_BITRATE));
                self.shared.video_bitrate.store(u32::try_from(video).unwrap_or(u32::MAX), Ordering::Release);
            }
            Event::PeerStats(stats) => {
                let quality = self.watch.quality(&stats, &self.shared);
                self.outbox.tell(EngineEvent::Quality(quality));
            }
            // The other side closed the path: it left, and its bye is lost or late.
            Event::Closed => {
                self.negotiation.on_peer_silent(Instant::now());
                self.end_path(false);
            }
            _ => {}
        }
    }

    fn on_connected(&mut self) {
        let event = match self.state {
            State::Reconnecting { .. } => EngineEvent::Reconnected,
            State::Alone | State::Connecting { .. } => EngineEvent::PeerConnected,
            State::Connected => return,
        };
        self.state = State::Connected;
        self.negotiation.on_connected();
        self.shared.key_wanted.store(true, Ordering::Release);
        self.shared.connected.store(true, Ordering::Release);
        self.shared.wake();
        self.watch.on_connected(Instant::now());
        self.outbox.tell(event);
    }

    fn on_lost(&mut self, now: Instant) {
        self.state = State::Reconnecting { since: now };
        self.shared.connected.store(false, Ordering::Release);
        self.outbox.tell(EngineEvent::Reconnecting);
    }

    /// The path is down: a new round begins.
    fn lose_path(&mut self) {
        let now = Instant::now();
        if self.state == State::Connected {
            self.on_lost(now);
        }
        let steps = self.negotiation.on_disconnected(now);
        self.carry_out(steps);
    }

    fn on_media(&mut self, media: MediaData) {
        let now = Instant::now();
        let captured = path::captured(&media);
        match self.path.as_ref().and_then(|(_, path)| path.kind(media.mid)) {
            Some(MediaKind::Video) => {
                if !self.watch.wants_video() {
                    self.gap = true;
                    return;
                }
                let contiguous = media.contiguous && !std::mem::take(&mut self.gap);
                let is_key = media.is_keyframe();
                let position = Duration::from_micros(media.time.as_micros());
                let picture = Picture { data: media.data, is_key, contiguous, position, captured, arrived: now };
                self.gap = !self.hand_over(Incoming::Picture(picture));
            }
            Some(MediaKind::Audio) => {
                let packet = Packet {
                    number: **media.seq_range.start(),
                    position: media.time.numer(),
                    data: media.data,
                    arrived: now,
                };
                self.sound.push(packet, captured);
                if self.watch.on_sound(now) {
                    self.outbox.tell(EngineEvent::RemoteAudio(true));
                }
            }
            None => {}
        }
    }

    fn on_peer_tracks(&mut self, tracks: Tracks, now: Instant) {
        self.shared.video_wanted.store(tracks.wants_video, Ordering::Release);
        self.shared.wake();
        self.set_desired();
        if !tracks.video {
            self.hand_over(Incoming::Pause);
        }
        for event in self.watch.on_peer_tracks(tracks, now) {
            self.outbox.tell(event);
        }
    }

    fn watch_remote(&mut self, now: Instant) {
        let pictures = self.shared.pictures.load(Ordering::Acquire);
        for event in self.watch.look(pictures, now) {
            self.outbox.tell(event);
        }
    }

    fn give_up_if_hopeless(&mut self, now: Instant) -> Option<EngineError> {
        let since = match self.state {
            State::Connecting { since } | State::Reconnecting { since } => since,
            State::Alone | State::Connected => return None,
        };
        if now < since + self.options.patience {
            return None;
        }
        if self.negotiation.last_heard().is_some_and(|heard| now < heard + HEARD_RECENTLY) {
            return Some(EngineError::NoNetwork);
        }
        // It is the other side that fell silent: as if it had left.
        self.negotiation.on_peer_silent(now);
        self.end_path(false);
        None
    }

    fn hand_over(&self, incoming: Incoming) -> bool {
        match self.pictures.try_send(incoming) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    fn set_desired(&mut self) {
        let desired = self.desired_bitrate();
        if let Some((_, path)) = &mut self.path {
            path.set_desired(desired);
        }
    }

    fn desired_bitrate(&self) -> u64 {
        let video = self.shared.publication().video.filter(|_| self.shared.video_wanted.load(Ordering::Acquire));
        let video = video.map_or(0, |(_, profile)| u64::from(profile.max_bitrate));
        video * HEADROOM + AUDIO_BITRATE
    }

    fn leave(&mut self) {
        if let Some(bye) = self.negotiation.bye() {
            self.outbox.tell(EngineEvent::Signal(bye.to_text()));
        }
        if let Some((_, path)) = self.path.take() {
            path.close();
        }
        tracing::debug!(
            ignored_signals = self.negotiation.ignored_count(),
            refused_signals = self.refused_signals,
            dropped_events = self.outbox.dropped_count(),
            sound = self.sound.describe(),
            "left"
        );
    }
}
