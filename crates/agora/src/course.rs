//! The course of one join: what Agora's library tells becomes what an engine tells. No call of the library in here, so
//! both engines follow the same rules.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parley_call::{Attempt, Credentials, EngineError, EngineEvent, EnginePorts, Quality};

use crate::{
    codes::ErrorCode,
    gateway::{Event, Flow, PictureSink, SoundSink, Track, TransportStats},
};

/// A join that fails may stay silent (FACTS G9), so it is given up after this.
pub(crate) const JOIN_LIMIT: Duration = Duration::from_secs(15);
/// How often it looks at what nobody tells, and how often the quality is told.
pub(crate) const BEAT: Duration = Duration::from_secs(1);
/// Pictures or sound that have not come for so long have stopped. A camera brings several a second.
const SILENCE: Duration = Duration::from_secs(2);

/// The other person's media on their way to us.
pub(crate) struct Incoming {
    /// Camera (or file).
    pub(crate) camera: Arc<PictureSink>,
    /// Shared screen: a participant of its own.
    pub(crate) screen: Option<Arc<PictureSink>>,
    /// Voice.
    pub(crate) sound: Arc<SoundSink>,
}

impl Incoming {
    /// Into the engine's ports.
    pub(crate) fn new(credentials: &Credentials, ports: &EnginePorts) -> Self {
        let peer = credentials.peer.get();
        let screen = |uid: parley_domain::AgoraUid| PictureSink::new(uid.get(), Arc::clone(&ports.remote_screen));
        Self {
            camera: Arc::new(PictureSink::new(peer, Arc::clone(&ports.remote_video))),
            screen: credentials.peer_screen.map(screen).map(Arc::new),
            sound: Arc::new(SoundSink::new(peer, Arc::clone(&ports.remote_audio))),
        }
    }

    /// Where pictures go.
    pub(crate) fn pictures(&self) -> Vec<Arc<PictureSink>> {
        std::iter::once(&self.camera).chain(&self.screen).cloned().collect()
    }

    fn flow(&self, uid: u32, track: Track) -> Option<&Flow> {
        match track {
            Track::Audio => Some(self.sound.flow()).filter(|_| uid == self.camera.uid()),
            Track::Video if uid == self.camera.uid() => Some(self.camera.flow()),
            Track::Video => self.screen.as_ref().filter(|screen| screen.uid() == uid).map(|screen| screen.flow()),
        }
    }
}

/// What has to be done beside telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing.
    GoOn,
    /// We are in: send what is to be sent.
    In,
    /// The other person has come.
    PeerCame,
    /// Somebody has come who does not belong to the call, or our own screen: nobody needs what they send.
    Stranger(u32),
    /// It has ended; only a new join helps.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Joining { until: Instant },
    In,
    Over,
}

/// What was told last about what flows.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Flows {
    video: bool,
    audio: bool,
    screen: bool,
}

/// See the module.
pub(crate) struct Course {
    attempt: Attempt,
    incoming: Incoming,
    stage: Stage,
    peer_is_here: bool,
    is_interrupted: bool,
    told: Flows,
    reported: Instant,
    pictures_then: u64,
}

/// Where engine events go.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(EngineEvent);

impl Course {
    /// A join that begins now.
    pub(crate) fn new(attempt: Attempt, incoming: Incoming, now: Instant) -> Self {
        Self {
            attempt,
            incoming,
            stage: Stage::Joining { until: now + JOIN_LIMIT },
            peer_is_here: false,
            is_interrupted: false,
            told: Flows::default(),
            reported: now,
            pictures_then: 0,
        }
    }

    /// The other person's media.
    pub(crate) fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    /// Whether media may flow.
    pub(crate) fn is_in(&self) -> bool {
        self.stage == Stage::In
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Whether the other person is in the channel.
    pub(crate) fn peer_is_here(&self) -> bool {
        self.peer_is_here
    }

    /// When [`Self::on_time`] and [`Self::report`] have something to do.
    pub(crate) fn next_look(&self) -> Instant {
        match self.stage {
            Stage::Joining { until } => until,
            _ => self.reported + BEAT,
        }
    }

    /// The library told something.
    pub(crate) fn on_event(&mut self, event: &Event, now: Instant, tell: Tell<'_>) -> Step {
        if self.is_over() {
            return Step::GoOn;
        }
        match event {
            Event::Connected => return self.on_connected(now, tell),
            Event::Disconnected(reason) | Event::Failed(reason) => return self.fail(reason.to_error(), tell),
            Event::TokenExpired => return self.fail(EngineError::TokenExpired, tell),
            Event::LicenseRefused(reason) => {
                return self.fail(EngineError::Failed(format!("Agora refused the licence (code {reason})")), tell);
            }
            Event::Error(code) => return self.on_error(*code, tell),
            Event::UserJoined(uid) => return self.on_joined(*uid, tell),
            Event::UserLeft(uid, _) => self.on_left(*uid, tell),
            Event::Reconnecting(_) | Event::Lost => self.on_interrupted(tell),
            Event::Reconnected => self.on_reconnected(tell),
            Event::TokenExpiring => tell(EngineEvent::TokenExpiring),
            Event::Stopped(uid, track) => {
                if let Some(flow) = self.incoming.flow(*uid, *track) {
                    flow.end();
                }
            }
            // What flows is asked of the sinks, since an event may have found no room. Nothing that we do is said by
            // data messages, and our own tracks are the sender's business.
            Event::Flowing(..)
            | Event::Published(_)
            | Event::PublishFailed(..)
            | Event::Message { .. }
            | Event::MessagesLost { .. } => {}
        }
        self.tell_flows(tell);
        Step::GoOn
    }

    /// Time has passed.
    pub(crate) fn on_time(&mut self, now: Instant, tell: Tell<'_>) -> Step {
        match self.stage {
            Stage::Joining { until } if until <= now => self.fail(EngineError::TimedOut, tell),
            Stage::In => {
                // A camera and a voice that are silent for long have stopped, whatever was told. A screen may stand still.
                for flow in [self.incoming.camera.flow(), self.incoming.sound.flow()] {
                    if flow.silence().is_some_and(|silence| silence > SILENCE) {
                        flow.stop();
                    }
                }
                self.tell_flows(tell);
                Step::GoOn
            }
            _ => Step::GoOn,
        }
    }

    /// Tells how the path does, when it is time to; whether it was.
    pub(crate) fn report(&mut self, now: Instant, stats: Option<TransportStats>, tell: Tell<'_>) -> bool {
        let since = now.saturating_duration_since(self.reported);
        if !self.is_in() || since < BEAT {
            return false;
        }
        self.reported = now;
        let camera = &self.incoming.camera;
        let pictures = camera.flow().total();
        let new = pictures.saturating_sub(std::mem::replace(&mut self.pictures_then, pictures));
        if let Some(stats) = stats {
            let quality = Quality {
                round_trip: stats.round_trip,
                loss: stats.sent_loss,
                send_bitrate: stats.send_bitrate,
                receive_bitrate: stats.receive_bitrate,
                receive_fps: new as f32 / since.as_secs_f32(),
                freezes: camera.freezes(),
            };
            tracing::debug!(?quality);
            tell(EngineEvent::Quality(quality));
        }
        true
    }

    /// The other person's picture is looked at, or is hidden: then none is taken in.
    pub(crate) fn hide(&mut self, is_hidden: bool, tell: Tell<'_>) {
        self.incoming.camera.set_wanted(!is_hidden);
        if is_hidden {
            self.incoming.camera.flow().stop();
        }
        self.tell_flows(tell);
    }

    /// The join came to nothing, or what was joined is lost.
    pub(crate) fn fail(&mut self, error: EngineError, tell: Tell<'_>) -> Step {
        match self.stage {
            Stage::Joining { .. } => tell(EngineEvent::JoinFailed(self.attempt, error)),
            Stage::In => tell(EngineEvent::Lost(error)),
            Stage::Over => return Step::GoOn,
        }
        self.stage = Stage::Over;
        Step::Over
    }

    fn on_connected(&mut self, now: Instant, tell: Tell<'_>) -> Step {
        if self.is_in() {
            self.on_reconnected(tell);
            return Step::GoOn;
        }
        self.stage = Stage::In;
        self.reported = now;
        tell(EngineEvent::Joined(self.attempt));
        if self.peer_is_here {
            tell(EngineEvent::PeerConnected);
        }
        self.tell_flows(tell);
        Step::In
    }

    /// Errors are told in passing; those that nothing else may follow end the join (FACTS G9). A token that is refused
    /// in a call was a new one: the old one still carries it.
    fn on_error(&mut self, code: ErrorCode, tell: Tell<'_>) -> Step {
        let ends = match self.stage {
            Stage::Joining { .. } => matches!(
                code,
                ErrorCode::InvalidToken
                    | ErrorCode::TokenExpired
                    | ErrorCode::InvalidAppId
                    | ErrorCode::InvalidChannelName
                    | ErrorCode::InvalidUserId
                    | ErrorCode::JoinChannelRejected
                    | ErrorCode::NoServerResources
                    | ErrorCode::ClientIsBannedByServer
            ),
            Stage::In => matches!(code, ErrorCode::TokenExpired | ErrorCode::ClientIsBannedByServer),
            Stage::Over => false,
        };
        if ends { self.fail(code.to_error(), tell) } else { Step::GoOn }
    }

    fn on_interrupted(&mut self, tell: Tell<'_>) {
        // It is the path to the other person that is interrupted, so it needs one.
        if self.is_in() && !std::mem::replace(&mut self.is_interrupted, true) && self.peer_is_here {
            tell(EngineEvent::Reconnecting);
        }
    }

    fn on_reconnected(&mut self, tell: Tell<'_>) {
        if std::mem::take(&mut self.is_interrupted) && self.peer_is_here {
            tell(EngineEvent::Reconnected);
        }
    }

    fn on_joined(&mut self, uid: u32, tell: Tell<'_>) -> Step {
        if uid != self.incoming.camera.uid() {
            let is_screen = self.incoming.screen.as_ref().is_some_and(|screen| screen.uid() == uid);
            return if is_screen { Step::GoOn } else { Step::Stranger(uid) };
        }
        if std::mem::replace(&mut self.peer_is_here, true) {
            return Step::GoOn;
        }
        if self.is_in() {
            tell(EngineEvent::PeerConnected);
            self.tell_flows(tell);
        }
        Step::PeerCame
    }

    fn on_left(&mut self, uid: u32, tell: Tell<'_>) {
        for track in [Track::Video, Track::Audio] {
            if let Some(flow) = self.incoming.flow(uid, track) {
                flow.end();
            }
        }
        if uid == self.incoming.camera.uid() && self.peer_is_here {
            self.tell_flows(tell);
            self.peer_is_here = false;
            if self.is_in() {
                tell(EngineEvent::PeerLeft);
            }
        }
    }

    fn tell_flows(&mut self, tell: Tell<'_>) {
        if !self.is_in() {
            return;
        }
        let flows = |flow: &Flow| flow.silence().is_some();
        let now = Flows {
            // Pictures and sound of somebody who has not been told of yet wait for that.
            video: self.peer_is_here && flows(self.incoming.camera.flow()),
            audio: self.peer_is_here && flows(self.incoming.sound.flow()),
            // A screen comes as somebody of its own, who may be there before the person.
            screen: self.incoming.screen.as_ref().is_some_and(|screen| flows(screen.flow())),
        };
        let before = std::mem::replace(&mut self.told, now);
        if before.video != now.video {
            tracing::debug!(flows = now.video, shape = ?self.incoming.camera.shape(), "the other person's pictures");
            tell(EngineEvent::RemoteVideo(now.video));
        }
        if before.audio != now.audio {
            tell(EngineEvent::RemoteAudio(now.audio));
        }
        if before.screen != now.screen {
            tell(EngineEvent::RemoteScreen(now.screen));
        }
    }
}

#[cfg(test)]
mod tests {
    use parley_call::{AudioQueue, MediaTime, Token};
    use parley_domain::AgoraUid;
    use tokio::sync::mpsc;

    use super::*;
    use crate::codes::{ChangedReason, OfflineReason};

    const PEER: u32 = 9;
    const SCREEN: u32 = 10;

    struct Told {
        course: Course,
        events: Vec<EngineEvent>,
        now: Instant,
    }

    impl Told {
        fn new() -> Self {
            let uid = |number| AgoraUid::new(number).expect("above 0");
            let credentials = Credentials {
                app_id: "app".to_owned(),
                channel: "c".to_owned(),
                uid: uid(7),
                peer: uid(PEER),
                token: Token("t".to_owned()),
                screen: None,
                peer_screen: Some(uid(SCREEN)),
                ice_servers: Vec::new(),
            };
            let ports = EnginePorts {
                events: mpsc::channel(1).0,
                remote_video: Arc::default(),
                remote_screen: Arc::default(),
                remote_audio: Arc::new(AudioQueue::new(1)),
            };
            let now = Instant::now();
            let course = Course::new(Attempt(3), Incoming::new(&credentials, &ports), now);
            Self { course, events: Vec::new(), now }
        }

        fn joined() -> Self {
            let mut told = Self::new();
            assert_eq!(told.hear(Event::Connected), Step::In);
            assert_eq!(told.hear(Event::UserJoined(PEER)), Step::PeerCame);
            assert_eq!(told.take(), [EngineEvent::Joined(Attempt(3)), EngineEvent::PeerConnected]);
            told
        }

        fn hear(&mut self, event: Event) -> Step {
            let events = &mut self.events;
            self.course.on_event(&event, self.now, &mut |event| events.push(event))
        }

        fn pass(&mut self, time: Duration) -> Step {
            self.now += time;
            let events = &mut self.events;
            self.course.on_time(self.now, &mut |event| events.push(event))
        }

        /// Something of that comes.
        fn comes(&mut self, uid: u32, track: Track) {
            self.course.incoming.flow(uid, track).expect("somebody of the call").count(MediaTime::now());
            self.hear(Event::Flowing(uid, track));
        }

        fn take(&mut self) -> Vec<EngineEvent> {
            std::mem::take(&mut self.events)
        }
    }

    #[test]
    fn silence_fails_the_join_after_fifteen_seconds() {
        let mut told = Told::new();
        assert_eq!(told.pass(JOIN_LIMIT - Duration::from_millis(1)), Step::GoOn);
        assert_eq!(told.pass(Duration::from_millis(1)), Step::Over);
        assert_eq!(told.take(), [EngineEvent::JoinFailed(Attempt(3), EngineError::TimedOut)]);
        assert_eq!(told.pass(JOIN_LIMIT), Step::GoOn);
        assert_eq!(told.hear(Event::Connected), Step::GoOn);
        assert_eq!(told.take(), []);
    }

    #[test]
    fn reasons_say_why_a_join_failed_and_why_a_call_was_lost() {
        for (event, error) in [
            (Event::Failed(ChangedReason::InvalidToken), EngineError::TokenRefused),
            (Event::Disconnected(ChangedReason::TokenExpired), EngineError::TokenExpired),
            (Event::TokenExpired, EngineError::TokenExpired),
            (Event::Error(ErrorCode::TokenExpired), EngineError::TokenExpired),
            (Event::Failed(ChangedReason::Lost), EngineError::NoNetwork),
        ] {
            let mut joining = Told::new();
            assert_eq!(joining.hear(event.clone()), Step::Over);
            assert_eq!(joining.take(), [EngineEvent::JoinFailed(Attempt(3), error.clone())]);
            let mut joined = Told::joined();
            assert_eq!(joined.hear(event.clone()), Step::Over);
            assert_eq!(joined.take(), [EngineEvent::Lost(error)]);
            assert_eq!(joined.hear(event), Step::GoOn);
        }
        let mut joining = Told::new();
        assert_eq!(joining.hear(Event::Error(ErrorCode::InvalidToken)), Step::Over);
        assert_eq!(joining.take(), [EngineEvent::JoinFailed(Attempt(3), EngineError::TokenRefused)]);
        let mut joined = Told::joined();
        assert_eq!(joined.hear(Event::Error(ErrorCode::InvalidToken)), Step::GoOn, "the old one still carries it");
        assert_eq!(joined.take(), []);
    }

    #[test]
    fn an_interruption_is_told_once_and_so_is_its_end() {
        let mut told = Told::joined();
        told.hear(Event::Reconnecting(ChangedReason::Interrupted));
        told.hear(Event::Lost);
        told.hear(Event::Reconnecting(ChangedReason::Interrupted));
        assert_eq!(told.take(), [EngineEvent::Reconnecting]);
        told.hear(Event::Reconnected);
        told.hear(Event::Connected);
        assert_eq!(told.take(), [EngineEvent::Reconnected]);
    }

    #[test]
    fn without_the_other_person_there_is_no_path_that_could_be_interrupted() {
        let mut told = Told::joined();
        told.hear(Event::UserLeft(PEER, OfflineReason::Quit));
        told.take();
        told.hear(Event::Reconnecting(ChangedReason::Interrupted));
        told.hear(Event::Reconnected);
        assert_eq!(told.take(), []);
        told.hear(Event::UserJoined(PEER));
        assert_eq!(told.take(), [EngineEvent::PeerConnected]);
    }

    #[test]
    fn who_is_there_before_we_are_told_that_we_are_in_waits_for_that() {
        let mut told = Told::new();
        assert_eq!(told.hear(Event::UserJoined(PEER)), Step::PeerCame);
        told.comes(PEER, Track::Video);
        assert_eq!(told.take(), []);
        told.hear(Event::Connected);
        let expected = [EngineEvent::Joined(Attempt(3)), EngineEvent::PeerConnected, EngineEvent::RemoteVideo(true)];
        assert_eq!(told.take(), expected);
    }

    #[test]
    fn strangers_do_not_count() {
        let mut told = Told::joined();
        assert_eq!(told.hear(Event::UserJoined(77)), Step::Stranger(77));
        told.hear(Event::Flowing(77, Track::Video));
        told.hear(Event::UserLeft(77, OfflineReason::Quit));
        assert_eq!(told.hear(Event::UserJoined(PEER)), Step::GoOn);
        assert_eq!(told.hear(Event::UserJoined(SCREEN)), Step::GoOn);
        assert_eq!(told.take(), []);
    }

    #[test]
    fn tracks_begin_and_stop() {
        let mut told = Told::joined();
        told.comes(PEER, Track::Video);
        told.comes(PEER, Track::Audio);
        told.comes(SCREEN, Track::Video);
        assert_eq!(
            told.take(),
            [EngineEvent::RemoteVideo(true), EngineEvent::RemoteAudio(true), EngineEvent::RemoteScreen(true)]
        );
        told.hear(Event::Stopped(PEER, Track::Video));
        told.hear(Event::UserLeft(SCREEN, OfflineReason::Quit));
        assert_eq!(told.take(), [EngineEvent::RemoteVideo(false), EngineEvent::RemoteScreen(false)]);
    }

    #[test]
    fn what_began_while_no_event_found_room_is_told_by_the_clock() {
        let mut told = Told::joined();
        told.course.incoming.camera.flow().count(MediaTime::now());
        told.pass(BEAT);
        assert_eq!(told.take(), [EngineEvent::RemoteVideo(true)]);
    }

    #[test]
    fn a_hidden_picture_has_stopped() {
        let mut told = Told::joined();
        told.comes(PEER, Track::Video);
        told.take();
        let events = &mut told.events;
        told.course.hide(true, &mut |event| events.push(event));
        assert_eq!(told.take(), [EngineEvent::RemoteVideo(false)]);
    }

    #[test]
    fn who_left_takes_the_tracks_along() {
        let mut told = Told::joined();
        told.comes(PEER, Track::Video);
        told.take();
        told.hear(Event::UserLeft(PEER, OfflineReason::Dropped));
        assert_eq!(told.take(), [EngineEvent::RemoteVideo(false), EngineEvent::PeerLeft]);
        told.hear(Event::UserJoined(PEER));
        told.comes(PEER, Track::Video);
        assert_eq!(told.take(), [EngineEvent::PeerConnected, EngineEvent::RemoteVideo(true)]);
    }

    #[test]
    fn the_quality_is_told_once_a_second_and_only_in_a_call() {
        let mut told = Told::new();
        let report = |told: &mut Told| {
            let (events, now) = (&mut told.events, told.now);
            told.course.report(now, Some(TransportStats::default()), &mut |event| events.push(event))
        };
        told.pass(BEAT);
        assert!(!report(&mut told));
        told.hear(Event::Connected);
        assert!(!report(&mut told));
        for _ in 0..30 {
            told.course.incoming.camera.flow().count(MediaTime::now());
        }
        told.now += BEAT * 2;
        assert!(report(&mut told) && !report(&mut told));
        let [EngineEvent::Joined(_), EngineEvent::Quality(quality)] = told.take()[..] else { panic!("one report") };
        assert!((quality.receive_fps - 15.0).abs() < 0.01, "{quality:?}");
    }
}
