//! The thread of one join. It owns the connection and makes every call of the library but those that send media.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parley_call::{Attempt, Credentials, EngineError, EngineEvent, EnginePorts, Outbox, Quality};

use super::{
    connection::{Connection, Receiving},
    context::{Flow, PictureSink, SoundSink},
    error::GatewayError,
    events::{Event, Track},
    library::Library,
    outgoing::{AudioOut, VideoOut},
    screen::ScreenShare,
    service::Service,
    shared::{Shared, Wanted},
    tracks::Prefer,
};
use crate::codes::ErrorCode;

/// A join that fails may stay silent (FACTS G9), so it is given up after this.
pub(crate) const JOIN_LIMIT: Duration = Duration::from_secs(15);
/// How often it looks at what nobody tells.
pub(crate) const BEAT: Duration = Duration::from_secs(1);
/// Pictures or sound that have not come for so long have stopped. A camera brings several a second.
const SILENCE: Duration = Duration::from_secs(2);

/// All that a join begins with.
pub(crate) struct Setup {
    pub(crate) attempt: Attempt,
    pub(crate) credentials: Credentials,
    pub(crate) library: Arc<Library>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) ports: EnginePorts,
    /// The thread of the join before, which has to end first.
    pub(crate) before: Option<JoinHandle<()>>,
}

/// Joins, carries the call, leaves.
pub(crate) fn run(mut setup: Setup) {
    if let Some(before) = setup.before.take() {
        // Its panics were caught and told in the thread itself.
        let _ = before.join();
    }
    if setup.shared.is_stopped() {
        return;
    }
    let (attempt, shared, events) = (setup.attempt, Arc::clone(&setup.shared), setup.ports.events.clone());
    match Control::begin(setup) {
        Ok(control) => control.run(),
        Err(error) if !shared.is_stopped() => {
            Outbox::new(events).tell(EngineEvent::JoinFailed(attempt, error.into()));
        }
        Err(_) => {}
    }
}

impl From<GatewayError> for EngineError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::Refused { code, .. } if !matches!(code, ErrorCode::Failed | ErrorCode::Unknown(_)) => {
                code.to_error()
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Joining { until: Instant },
    In,
    Over,
}

/// What was told last about something that flows.
#[derive(Default)]
struct Told {
    video: bool,
    audio: bool,
    screen: bool,
}

struct Control {
    attempt: Attempt,
    credentials: Credentials,
    shared: Arc<Shared>,
    outbox: Outbox,
    service: Arc<Service>,
    connection: Connection,
    stage: Stage,
    peer_is_here: bool,
    is_interrupted: bool,
    is_hidden: bool,
    video: Arc<PictureSink>,
    screen: Option<Arc<PictureSink>>,
    sound: Arc<SoundSink>,
    told: Told,
    video_out: VideoOut,
    audio_out: AudioOut,
    sharing: Option<ScreenShare>,
    reported: Instant,
    pictures_then: u64,
    faults: Faults,
}

/// What could not be used, since the join.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Faults {
    events_dropped: u64,
    nameless: u64,
    pictures_damaged: u64,
    sound_refused: u64,
}

impl Control {
    fn begin(setup: Setup) -> Result<Self, GatewayError> {
        let Setup { attempt, credentials, library, shared, ports, .. } = setup;
        let service = Service::acquire(&library, &credentials.app_id)?;
        let peer = credentials.peer.get();
        let video = Arc::new(PictureSink::new(peer, Arc::clone(&ports.remote_video)));
        let sink = |uid: parley_domain::AgoraUid| PictureSink::new(uid.get(), Arc::clone(&ports.remote_screen));
        let screen = credentials.peer_screen.map(sink).map(Arc::new);
        let sound = Arc::new(SoundSink::new(peer, Arc::clone(&ports.remote_audio)));
        let receiving = Receiving {
            events: Arc::clone(&shared.events),
            pictures: [Some(&video), screen.as_ref()].into_iter().flatten().cloned().collect(),
            sound: Some(Arc::clone(&sound)),
        };
        let mut connection = Connection::open(&service, receiving)?;
        connection.connect(&credentials.token, &credentials.channel, credentials.uid.get())?;
        let now = Instant::now();
        Ok(Self {
            attempt,
            credentials,
            outbox: Outbox::new(ports.events),
            service,
            connection,
            stage: Stage::Joining { until: now + JOIN_LIMIT },
            peer_is_here: false,
            is_interrupted: false,
            is_hidden: false,
            video,
            screen,
            sound,
            told: Told::default(),
            video_out: VideoOut::new(Prefer::Smoothness, Arc::clone(&shared.events)),
            audio_out: AudioOut::default(),
            sharing: None,
            reported: now,
            pictures_then: 0,
            faults: Faults::default(),
            shared,
        })
    }

    fn run(mut self) {
        while self.stage != Stage::Over && !self.shared.is_stopped() {
            let event = self.shared.events.next(self.next_look());
            let now = Instant::now();
            if let Some(event) = event {
                self.on_event(event, now);
            }
            self.on_time(now);
            if self.stage == Stage::In {
                let wanted = self.shared.wanted();
                self.tend(&wanted, now);
            }
            self.outbox.flush();
        }
        // The screen and the pumps before the connection.
        self.sharing = None;
        self.video_out.stop();
        self.audio_out.stop();
        self.connection.close();
    }

    fn next_look(&self) -> Instant {
        match self.stage {
            Stage::Joining { until } => until,
            _ => self.reported + BEAT,
        }
    }

    fn tell(&mut self, event: EngineEvent) {
        // After a leave nothing is told.
        if !self.shared.is_stopped() {
            self.outbox.tell(event);
        }
    }

    fn on_event(&mut self, event: Event, now: Instant) {
        if !matches!(event, Event::Message { .. }) {
            tracing::debug!(?event, "Agora tells");
        }
        match event {
            Event::Connected => self.on_connected(now),
            Event::Disconnected(reason) | Event::Failed(reason) => {
                tracing::info!(%reason, "Agora ended the connection");
                self.end(reason.to_error());
            }
            Event::Reconnecting(_) | Event::Lost => self.on_interrupted(),
            Event::Reconnected => self.on_reconnected(),
            Event::TokenExpiring => self.tell(EngineEvent::TokenExpiring),
            Event::TokenExpired => self.end(EngineError::TokenExpired),
            Event::LicenseRefused(reason) => {
                self.end(EngineError::Failed(format!("Agora refused the licence (code {reason})")));
            }
            Event::UserJoined(uid) => self.on_joined(uid),
            Event::UserLeft(uid, _) => self.on_left(uid),
            Event::Published(Track::Video) => self.video_out.on_published(now),
            Event::Published(Track::Audio) => {}
            Event::PublishFailed(track, code) => {
                tracing::warn!(%code, ?track, "a track was not published");
                match track {
                    Track::Video => self.video_out.on_refused(&mut self.connection, now),
                    Track::Audio => self.audio_out.on_refused(&mut self.connection, now),
                }
            }
            // What flows is asked of the sinks: an event may have found no room.
            Event::Flowing(..) => {}
            Event::Stopped(uid, track) => self.on_stopped(uid, track),
            Event::Error(code) => self.on_error(code),
            // Nothing that we do is said by data messages.
            Event::Message { .. } | Event::MessagesLost { .. } => {}
        }
    }

    fn on_connected(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Joining { .. }) {
            self.stage = Stage::In;
            self.reported = now;
            tracing::debug!(uid = self.connection.own_uid(), "in the channel");
            self.tell(EngineEvent::Joined(self.attempt));
            if self.peer_is_here {
                self.tell(EngineEvent::PeerConnected);
            }
        }
    }

    /// The join came to nothing, or what was joined is lost.
    fn end(&mut self, error: EngineError) {
        match self.stage {
            Stage::Joining { .. } => self.tell(EngineEvent::JoinFailed(self.attempt, error)),
            Stage::In => self.tell(EngineEvent::Lost(error)),
            Stage::Over => {}
        }
        self.stage = Stage::Over;
    }

    /// Errors are told in passing; those about the token end the join, because nothing else may follow (FACTS G9).
    fn on_error(&mut self, code: ErrorCode) {
        let ends = match self.stage {
            Stage::Joining { .. } => matches!(
                code,
                ErrorCode::InvalidToken
                    | ErrorCode::TokenExpired
                    | ErrorCode::InvalidAppId
                    | ErrorCode::InvalidChannelName
                    | ErrorCode::NoServerResources
                    | ErrorCode::InvalidUserId
                    | ErrorCode::ClientIsBannedByServer
            ),
            Stage::In => matches!(code, ErrorCode::TokenExpired | ErrorCode::ClientIsBannedByServer),
            Stage::Over => false,
        };
        if ends {
            self.end(code.to_error());
        }
    }

    fn on_interrupted(&mut self) {
        if self.stage == Stage::In && !std::mem::replace(&mut self.is_interrupted, true) && self.peer_is_here {
            self.tell(EngineEvent::Reconnecting);
        }
    }

    fn on_reconnected(&mut self) {
        // It is the path to the other person that is up again, so it needs one.
        if std::mem::take(&mut self.is_interrupted) && self.peer_is_here {
            self.tell(EngineEvent::Reconnected);
        }
    }

    fn on_joined(&mut self, uid: u32) {
        if uid == self.credentials.peer.get() {
            if std::mem::replace(&mut self.peer_is_here, true) {
                return;
            }
            if self.is_hidden {
                self.receive_video(false);
            }
            if self.stage == Stage::In {
                self.tell(EngineEvent::PeerConnected);
            }
        } else if self.screen.as_ref().is_none_or(|screen| screen.uid() != uid) {
            // Our own screen, or nobody that belongs to the call: it need not be sent to us.
            for refused in [self.connection.receive_video(uid, false), self.connection.receive_audio(uid, false)] {
                if let Err(error) = refused {
                    tracing::debug!(%error, "somebody's media come although nobody wants them");
                }
            }
        }
    }

    fn on_left(&mut self, uid: u32) {
        if uid == self.credentials.peer.get() && std::mem::take(&mut self.peer_is_here) {
            self.video.flow().end();
            self.sound.flow().end();
            self.tell_flows();
            if self.stage == Stage::In {
                self.tell(EngineEvent::PeerLeft);
            }
        }
        self.on_stopped(uid, Track::Video);
    }

    fn on_stopped(&mut self, uid: u32, track: Track) {
        match track {
            Track::Video => {
                let screen = self.screen.iter().find(|screen| screen.uid() == uid);
                if let Some(sink) = screen.or(Some(&self.video).filter(|video| video.uid() == uid)) {
                    sink.flow().end();
                }
            }
            Track::Audio if uid == self.credentials.peer.get() => self.sound.flow().end(),
            Track::Audio => {}
        }
    }

    fn on_time(&mut self, now: Instant) {
        match self.stage {
            Stage::Joining { until } if until <= now => self.end(EngineError::TimedOut),
            Stage::In => {
                // A camera and a voice that are silent for long have stopped, whatever was told. A screen may stand still.
                for flow in [self.video.flow(), self.sound.flow()] {
                    if flow.silence().is_some_and(|silence| silence > SILENCE) {
                        flow.stop();
                    }
                }
                self.tell_flows();
                if now >= self.reported + BEAT {
                    self.report(now);
                }
            }
            _ => {}
        }
    }

    fn tell_flows(&mut self) {
        if self.stage != Stage::In {
            return;
        }
        let flows = |flow: &Flow| flow.silence().is_some();
        let video = flows(self.video.flow());
        if std::mem::replace(&mut self.told.video, video) != video {
            tracing::debug!(flows = video, shape = ?self.video.shape(), "the other person's pictures");
            self.tell(EngineEvent::RemoteVideo(video));
        }
        let audio = flows(self.sound.flow());
        if std::mem::replace(&mut self.told.audio, audio) != audio {
            self.tell(EngineEvent::RemoteAudio(audio));
        }
        let screen = self.screen.as_ref().is_some_and(|screen| flows(screen.flow()));
        if std::mem::replace(&mut self.told.screen, screen) != screen {
            self.tell(EngineEvent::RemoteScreen(screen));
        }
    }

    fn report(&mut self, now: Instant) {
        let seconds = now.duration_since(self.reported).as_secs_f32();
        self.reported = now;
        let pictures = self.video.flow().total();
        let fps = (pictures - std::mem::replace(&mut self.pictures_then, pictures)) as f32 / seconds;
        if let Some(stats) = self.connection.stats() {
            let quality = Quality {
                round_trip: stats.round_trip,
                loss: stats.sent_loss,
                send_bitrate: stats.send_bitrate,
                receive_bitrate: stats.receive_bitrate,
                receive_fps: fps,
                freezes: self.video.freezes(),
            };
            tracing::debug!(?quality);
            self.tell(EngineEvent::Quality(quality));
        }
        self.report_faults();
    }

    /// What the callbacks could only count: they don't write logs.
    fn report_faults(&mut self) {
        let faults = Faults {
            events_dropped: self.shared.events.dropped_count(),
            nameless: self.connection.nameless_count(),
            pictures_damaged: self.video.damaged_count() + self.screen.as_ref().map_or(0, |sink| sink.damaged_count()),
            sound_refused: self.sound.refused_count(),
        };
        if std::mem::replace(&mut self.faults, faults) != faults {
            let damage = self.video.damage().or_else(|| self.screen.as_ref()?.damage());
            let (damage, refusal) = (damage.map(tracing::field::display), self.sound.refusal());
            let refusal = refusal.map(tracing::field::display);
            tracing::warn!(?faults, damage, refusal, "Agora's library brings what can't be used");
        }
    }

    /// Brings the connection in line with what the engine wants.
    fn tend(&mut self, wanted: &Wanted, now: Instant) {
        if let Some(token) = self.shared.take_token()
            && let Err(error) = self.connection.renew_token(&token)
        {
            // The old one is in force until it ends, and that will be told.
            tracing::warn!(%error, "the next token was refused");
        }
        if std::mem::replace(&mut self.is_hidden, wanted.is_hidden) != wanted.is_hidden {
            self.receive_video(!wanted.is_hidden);
        }
        self.video_out.tend(&mut self.connection, wanted.video.as_ref(), now);
        self.audio_out.tend(&mut self.connection, wanted.audio.as_ref(), now);
        if wanted.screen.is_none() {
            self.sharing = None;
        } else if self.sharing.is_none() {
            let channel = self.credentials.channel.clone();
            match ScreenShare::start(Arc::clone(&self.service), channel, Arc::clone(&self.shared)) {
                Ok(sharing) => self.sharing = Some(sharing),
                Err(error) => tracing::error!(%error, "no thread for sharing the screen"),
            }
        }
    }

    fn receive_video(&mut self, on: bool) {
        self.video.set_wanted(on);
        if !on {
            self.video.flow().stop();
        }
        if self.peer_is_here
            && let Err(error) = self.connection.receive_video(self.credentials.peer.get(), on)
        {
            tracing::warn!(%error, on, "whether the other person's pictures come did not change");
        }
    }
}
