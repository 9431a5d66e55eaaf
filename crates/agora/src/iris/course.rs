//! The course of one join: what the SDK tells becomes what an engine tells. No SDK and no clock in here.

use std::time::{Duration, Instant};

use parley_call::{Attempt, Credentials, EngineError, EngineEvent};

use crate::{
    codes::ErrorCode,
    gateway::{Event, Track},
};

/// A join that has no outcome by then has failed. The SDK itself may stay silent for ever (FACTS G9).
pub(super) const JOIN_LIMIT: Duration = Duration::from_secs(15);

/// Pictures and sound that were under way when their end was told come within this time.
const STRAGGLERS: Duration = Duration::from_millis(500);

/// What becomes of the other person's tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// Camera (or file).
    Camera,
    /// Shared screen.
    Screen,
    /// Voice.
    Sound,
}

/// What the caller has to do beside telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    GoOn,
    /// We are in: send what is to be sent.
    In,
    /// It has ended; only a new join helps.
    Over,
    /// What comes next of that stream has to count as its first.
    Restart(Stream),
    /// So for all streams.
    RestartAll,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Joining,
    In,
    Interrupted,
    Over,
}

#[derive(Clone, Copy, Default)]
struct Flowing {
    flows: bool,
    stopped_at: Option<Instant>,
}

/// See the module.
pub(super) struct Course {
    attempt: Attempt,
    peer: u32,
    peer_screen: Option<u32>,
    phase: Phase,
    begun: Instant,
    peer_is_here: bool,
    streams: [Flowing; 3],
}

impl Course {
    pub(super) fn new(attempt: Attempt, credentials: &Credentials, now: Instant) -> Self {
        Self {
            attempt,
            peer: credentials.peer.get(),
            peer_screen: credentials.peer_screen.map(|uid| uid.get()),
            phase: Phase::Joining,
            begun: now,
            peer_is_here: false,
            streams: [Flowing::default(); 3],
        }
    }

    /// Whether media may flow.
    pub(super) fn is_in(&self) -> bool {
        matches!(self.phase, Phase::In | Phase::Interrupted)
    }

    /// When [`Course::on_time`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.phase == Phase::Joining).then(|| self.begun + JOIN_LIMIT)
    }

    /// Time has passed.
    pub(super) fn on_time(&mut self, now: Instant, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        match self.deadline() {
            Some(deadline) if now >= deadline => self.end(EngineError::TimedOut, tell),
            _ => Step::GoOn,
        }
    }

    /// A call of the SDK failed, or something else that ends it.
    pub(super) fn fail(&mut self, error: EngineError, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        self.end(error, tell)
    }

    /// The SDK told something of ourselves or of the other person.
    pub(super) fn on_event(&mut self, event: &Event, now: Instant, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        if self.phase == Phase::Over {
            return Step::GoOn;
        }
        match event {
            Event::Connected if self.phase == Phase::Joining => {
                self.phase = Phase::In;
                tell(EngineEvent::Joined(self.attempt));
                Step::In
            }
            Event::Connected | Event::Reconnected => {
                if self.phase == Phase::Interrupted {
                    self.phase = Phase::In;
                    tell(EngineEvent::Reconnected);
                }
                Step::GoOn
            }
            Event::Reconnecting(_) | Event::Lost => {
                if self.phase == Phase::In {
                    self.phase = Phase::Interrupted;
                    tell(EngineEvent::Reconnecting);
                }
                Step::GoOn
            }
            Event::Disconnected(reason) | Event::Failed(reason) => self.end(reason.to_error(), tell),
            Event::TokenExpired => self.end(EngineError::TokenExpired, tell),
            Event::LicenseRefused(reason) => {
                self.end(EngineError::Failed(format!("Agora refused the licence ({reason})")), tell)
            }
            Event::TokenExpiring => {
                tell(EngineEvent::TokenExpiring);
                Step::GoOn
            }
            Event::UserJoined(uid) => self.on_joined(*uid, tell),
            Event::UserLeft(uid, _) => self.on_left(*uid, tell),
            Event::Flowing(uid, track) => self.on_flowing(*uid, *track, now, tell),
            Event::Stopped(uid, track) => self.on_stopped(*uid, *track, now, tell),
            Event::Error(code) => self.on_error(*code, tell),
            _ => Step::GoOn,
        }
    }

    /// Nobody looks at the other person's pictures (or does again): they come, or have stopped coming.
    pub(super) fn on_wanted(&mut self, wanted: bool, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        if !wanted {
            self.set(Stream::Camera, false, tell);
        }
        Step::Restart(Stream::Camera)
    }

    fn on_joined(&mut self, uid: u32, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        if uid != self.peer || self.peer_is_here {
            return Step::GoOn;
        }
        self.peer_is_here = true;
        tell(EngineEvent::PeerConnected);
        // What came before this was told of nobody.
        Step::RestartAll
    }

    fn on_left(&mut self, uid: u32, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        if Some(uid) == self.peer_screen {
            self.set(Stream::Screen, false, tell);
            return Step::Restart(Stream::Screen);
        }
        if uid != self.peer || !self.peer_is_here {
            return Step::GoOn;
        }
        self.peer_is_here = false;
        self.streams[Stream::Camera as usize] = Flowing::default();
        self.streams[Stream::Sound as usize] = Flowing::default();
        tell(EngineEvent::PeerLeft);
        Step::RestartAll
    }

    fn stream(&self, uid: u32, track: Track) -> Option<Stream> {
        match track {
            Track::Video if uid == self.peer => Some(Stream::Camera),
            Track::Audio if uid == self.peer => Some(Stream::Sound),
            Track::Video if Some(uid) == self.peer_screen => Some(Stream::Screen),
            _ => None,
        }
    }

    fn on_flowing(&mut self, uid: u32, track: Track, now: Instant, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        let Some(stream) = self.stream(uid, track) else { return Step::GoOn };
        let stopped_at = self.streams[stream as usize].stopped_at;
        if stopped_at.is_some_and(|stopped| now < stopped + STRAGGLERS) {
            return Step::Restart(stream);
        }
        // The screen comes as somebody of its own, who may be there before the person.
        if stream == Stream::Screen || self.peer_is_here {
            self.set(stream, true, tell);
        }
        Step::GoOn
    }

    fn on_stopped(&mut self, uid: u32, track: Track, now: Instant, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        let Some(stream) = self.stream(uid, track) else { return Step::GoOn };
        self.set(stream, false, tell);
        self.streams[stream as usize].stopped_at = Some(now);
        Step::Restart(stream)
    }

    fn set(&mut self, stream: Stream, flows: bool, tell: &mut dyn FnMut(EngineEvent)) {
        let told = &mut self.streams[stream as usize];
        if std::mem::replace(&mut told.flows, flows) == flows {
            return;
        }
        tell(match stream {
            Stream::Camera => EngineEvent::RemoteVideo(flows),
            Stream::Screen => EngineEvent::RemoteScreen(flows),
            Stream::Sound => EngineEvent::RemoteAudio(flows),
        });
    }

    fn on_error(&mut self, code: ErrorCode, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        let ends_a_join = matches!(
            code,
            ErrorCode::InvalidToken
                | ErrorCode::TokenExpired
                | ErrorCode::InvalidAppId
                | ErrorCode::InvalidChannelName
                | ErrorCode::JoinChannelRejected
                | ErrorCode::NoServerResources
                | ErrorCode::ClientIsBannedByServer
        );
        if ends_a_join && self.phase == Phase::Joining {
            return self.end(code.to_error(), tell);
        }
        tracing::warn!(%code, "Agora's SDK told an error");
        Step::GoOn
    }

    fn end(&mut self, error: EngineError, tell: &mut dyn FnMut(EngineEvent)) -> Step {
        match self.phase {
            Phase::Over => return Step::GoOn,
            Phase::Joining => tell(EngineEvent::JoinFailed(self.attempt, error)),
            Phase::In | Phase::Interrupted => tell(EngineEvent::Lost(error)),
        }
        self.phase = Phase::Over;
        Step::Over
    }
}

#[cfg(test)]
mod tests {
    use parley_call::Token;
    use parley_domain::AgoraUid;

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
            let now = Instant::now();
            Self { course: Course::new(Attempt(3), &credentials, now), events: Vec::new(), now }
        }

        fn joined() -> Self {
            let mut told = Self::new();
            assert_eq!(told.hear(Event::Connected), Step::In);
            assert_eq!(told.hear(Event::UserJoined(PEER)), Step::RestartAll);
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
    fn strangers_do_not_count() {
        let mut told = Told::joined();
        told.hear(Event::UserJoined(77));
        told.hear(Event::Flowing(77, Track::Video));
        told.hear(Event::UserLeft(77, OfflineReason::Quit));
        told.hear(Event::UserJoined(PEER));
        assert_eq!(told.take(), []);
    }

    #[test]
    fn tracks_begin_and_stop() {
        let mut told = Told::joined();
        told.hear(Event::Flowing(PEER, Track::Video));
        told.hear(Event::Flowing(PEER, Track::Audio));
        told.hear(Event::Flowing(SCREEN, Track::Video));
        told.hear(Event::Flowing(SCREEN, Track::Audio));
        assert_eq!(
            told.take(),
            [EngineEvent::RemoteVideo(true), EngineEvent::RemoteAudio(true), EngineEvent::RemoteScreen(true)]
        );
        assert_eq!(told.hear(Event::Stopped(PEER, Track::Video)), Step::Restart(Stream::Camera));
        assert_eq!(told.hear(Event::UserLeft(SCREEN, OfflineReason::Quit)), Step::Restart(Stream::Screen));
        assert_eq!(told.take(), [EngineEvent::RemoteVideo(false), EngineEvent::RemoteScreen(false)]);
    }

    #[test]
    fn a_straggler_does_not_bring_a_picture_back() {
        let mut told = Told::joined();
        told.hear(Event::Flowing(PEER, Track::Video));
        told.hear(Event::Stopped(PEER, Track::Video));
        told.take();
        assert_eq!(told.hear(Event::Flowing(PEER, Track::Video)), Step::Restart(Stream::Camera));
        assert_eq!(told.take(), []);
        told.pass(STRAGGLERS);
        told.hear(Event::Flowing(PEER, Track::Video));
        assert_eq!(told.take(), [EngineEvent::RemoteVideo(true)]);
    }

    #[test]
    fn who_left_takes_the_tracks_along() {
        let mut told = Told::joined();
        told.hear(Event::Flowing(PEER, Track::Video));
        told.take();
        assert_eq!(told.hear(Event::UserLeft(PEER, OfflineReason::Dropped)), Step::RestartAll);
        told.hear(Event::Flowing(PEER, Track::Video));
        assert_eq!(told.take(), [EngineEvent::PeerLeft]);
        told.hear(Event::UserJoined(PEER));
        told.hear(Event::Flowing(PEER, Track::Video));
        assert_eq!(told.take(), [EngineEvent::PeerConnected, EngineEvent::RemoteVideo(true)]);
    }
}
