//! The rules of one call on one device: pure, without I/O and without a clock.
//!
//! [`CallMachine::handle`] takes what happened and when (a monotonic time that begins anywhere) and returns what is to
//! be done, in order. [`CallMachine::deadline`] says when it wants to hear [`Input::TimePassed`]. A slow operation
//! carries an [`Attempt`]; an answer that comes after its attempt was given up is ignored, or undone where it had an
//! effect on the server or the engine.

mod joining;
mod media;

use std::{collections::VecDeque, time::Duration};

use parley_domain::{EndReason, EngineKind};

use crate::{
    engine::{Attempt, Credentials, EngineError, EngineEvent, Quality, ScreenPass, Token},
    signalling::{Grant, MediaState, SignallingError},
    snapshot::{CallFailure, CallSnapshot, Ending, PeerMedia, Phase, Switched, Trouble, Why},
};
use joining::{Approach, EngineState, Renewal};

/// How long a call that we placed rings at most (`CONTRACT.md` §5).
pub const RING_TIME: Duration = Duration::from_secs(45);
/// The server judges a ring; only when nothing was heard for this much longer do we end it ourselves.
const RING_GRACE: Duration = Duration::from_secs(5);
/// A ring whose accept could not be sent is tried again after this long.
const ACCEPT_RETRY: Duration = Duration::from_secs(1);
/// A farewell that the server did not hear is repeated after this long …
const FAREWELL_RETRY: Duration = Duration::from_secs(2);
/// … but not longer than this: then the server ends the call by itself (absence, ring time).
const FAREWELL_LIMIT: Duration = Duration::from_secs(30);

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// We placed this call; the server rings at the other side.
    Placed,
    /// The server says that this call rings here for so much longer.
    Invited {
        /// The rest of its ring time.
        ring_for: Duration,
    },
    /// The call is active and this device is to be in it (started by us, answered before, or taken over).
    Resumed,
    /// The person says yes.
    Accept,
    /// The person says no.
    Decline,
    /// The person hangs up, or takes the ring back.
    HangUp,
    /// The owner of the session went away.
    Dropped,
    /// The person wants the camera on or off; on again means another source.
    SetCamera(bool),
    /// The person wants the microphone on or off; on again means another source.
    SetMicrophone(bool),
    /// The person wants the screen shared or not; on again means another source.
    SetScreen(bool),
    /// The other side's picture is looked at, or hidden.
    WantRemoteVideo(bool),
    /// `meeting:started` for this meeting.
    Started,
    /// `meeting:ended` for this meeting (or a sync that shows it over).
    EndedByServer {
        /// Why.
        reason: EndReason,
        /// Whole seconds; `None` if it never was active.
        duration_seconds: Option<i64>,
    },
    /// `call:state` of the other side.
    PeerState(MediaState),
    /// `call:signal` of the other side: foreign bytes.
    PeerSignal(String),
    /// The socket is connected (again).
    SocketUp,
    /// The socket is gone.
    SocketDown,
    /// Answer to [`Effect::SendAccept`].
    AcceptDone(Result<(), SignallingError>),
    /// Answer to [`Effect::SendDecline`].
    DeclineDone(Result<(), SignallingError>),
    /// Answer to [`Effect::SendCancel`].
    CancelDone(Result<(), SignallingError>),
    /// Answer to [`Effect::SendEnd`], with the duration.
    EndDone(Result<Option<i64>, SignallingError>),
    /// Answer to [`Effect::FetchToken`].
    TokenFetched(Attempt, Result<Grant, SignallingError>),
    /// Answer to [`Effect::SendCallJoin`].
    CallJoined(Attempt, Result<(), SignallingError>),
    /// The engine for [`Effect::JoinEngine`] could not be made.
    NoEngine(Attempt, EngineError),
    /// The engine tells.
    Engine(EngineEvent),
    /// The deadline came.
    TimePassed,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Say yes to the server.
    SendAccept,
    /// Say no to the server.
    SendDecline,
    /// Take the ring back.
    SendCancel,
    /// End the call for both.
    SendEnd,
    /// Get a fresh token.
    FetchToken(Attempt),
    /// Bind this device's socket.
    SendCallJoin(Attempt, Token),
    /// Unbind it.
    SendCallLeave,
    /// Join with the engine; make it first if there is none.
    JoinEngine {
        /// Comes back in the engine's answer.
        attempt: Attempt,
        /// Which engine.
        kind: EngineKind,
        /// Lets it in.
        credentials: Credentials,
    },
    /// Leave with the engine, for good.
    LeaveEngine,
    /// Give the engine its next token.
    RenewToken(Token),
    /// Give the engine the next pass of our screen.
    RenewScreen(ScreenPass),
    /// Send our pictures (from the newest source), or stop.
    PublishVideo(bool),
    /// Send our sound (from the newest source), or stop.
    PublishAudio(bool),
    /// Share our screen (from the newest source), or stop.
    PublishScreen(bool),
    /// Tell the engine whether the other side's picture is looked at.
    WantRemoteVideo(bool),
    /// Tell the other side which of our media are on.
    SendState(MediaState),
    /// Carry the engine's message to the other side.
    RelaySignal(String),
    /// Give the other side's message to the engine.
    GiveSignal(String),
}

/// One call on one device.
#[derive(Debug)]
pub struct CallMachine {
    stage: Stage,
    /// Counts every operation that can be late.
    last_attempt: Attempt,
    approach: Approach,
    engine: EngineState,
    engine_kind: Option<EngineKind>,
    renewal: Renewal,
    /// Failed approaches and joins since the last success.
    failures: u32,
    /// Tokens that the engine refused since the media path was up last.
    refusals: u32,
    /// Since when we are in the call without a joined engine.
    out_since: Option<Duration>,
    last_failure: Option<CallFailure>,
    /// While the media path is interrupted: when we stop trusting the engine to bring it back.
    interrupted_until: Option<Duration>,
    /// While the other side is away: when we give up waiting.
    alone_until: Option<Duration>,
    was_connected: bool,
    /// The other side left without ending the call, and has not come back.
    peer_gone: bool,
    /// Whether the engine was told to join and not yet to leave.
    engine_used: bool,
    bound: bool,
    wanted: MediaState,
    published: MediaState,
    told: Option<MediaState>,
    want_remote_video: bool,
    peer: PeerMedia,
    quality: Option<Quality>,
    to_peer: VecDeque<String>,
    to_engine: VecDeque<String>,
    effects: Vec<Effect>,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Idle,
    RingingOut { until: Duration },
    RingingIn { until: Duration, accept: Accept },
    InCall,
    Over { ending: Ending, farewell: Farewell },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Accept {
    NotYet,
    Sent,
    RetryAt(Duration),
}

/// What is still to be told to the server after the end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Farewell {
    Done,
    Waiting { last: LastWord, give_up: Duration, retry: Option<Duration> },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum LastWord {
    Cancel,
    Decline,
    End,
}

impl Default for CallMachine {
    fn default() -> Self {
        Self::new()
    }
}

impl CallMachine {
    /// A device on which nothing has happened yet; camera, microphone and screen are off.
    pub fn new() -> Self {
        Self {
            stage: Stage::Idle,
            last_attempt: Attempt(0),
            approach: Approach::Resting,
            engine: EngineState::Out,
            engine_kind: None,
            renewal: Renewal::None,
            failures: 0,
            refusals: 0,
            out_since: None,
            last_failure: None,
            interrupted_until: None,
            alone_until: None,
            was_connected: false,
            peer_gone: false,
            engine_used: false,
            bound: false,
            wanted: MediaState::default(),
            published: MediaState::default(),
            told: None,
            want_remote_video: true,
            peer: PeerMedia::default(),
            quality: None,
            to_peer: VecDeque::new(),
            to_engine: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    /// Takes in what happened at `now` and returns what is to be done, in order.
    pub fn handle(&mut self, now: Duration, input: Input) -> Vec<Effect> {
        match input {
            Input::Placed => self.on_placed(now),
            Input::Invited { ring_for } => self.on_invited(now, ring_for),
            Input::Resumed => self.on_resumed(now),
            Input::Accept => self.on_accept(),
            Input::Decline => self.on_decline(now),
            Input::HangUp => self.on_hang_up(now),
            Input::Dropped => self.on_dropped(now),
            Input::SetCamera(on) => self.on_set_camera(on),
            Input::SetMicrophone(on) => self.on_set_microphone(on),
            Input::SetScreen(on) => self.on_set_screen(on),
            Input::WantRemoteVideo(wanted) => self.on_want_remote_video(wanted),
            Input::Started => self.on_started(now),
            Input::EndedByServer { reason, duration_seconds } => self.on_ended_by_server(reason, duration_seconds),
            Input::PeerState(state) => self.on_peer_state(state),
            Input::PeerSignal(data) => self.on_peer_signal(data),
            Input::SocketUp => self.on_socket_up(now),
            Input::SocketDown => self.bound = false,
            Input::AcceptDone(result) => self.on_accept_done(now, result),
            Input::DeclineDone(result) => self.on_farewell_done(now, LastWord::Decline, result.map(|()| None)),
            Input::CancelDone(result) => self.on_farewell_done(now, LastWord::Cancel, result.map(|()| None)),
            Input::EndDone(result) => self.on_farewell_done(now, LastWord::End, result),
            Input::TokenFetched(attempt, result) => self.on_token_fetched(now, attempt, result),
            Input::CallJoined(attempt, result) => self.on_call_joined(now, attempt, result),
            Input::NoEngine(attempt, error) => self.on_no_engine(now, attempt, error),
            Input::Engine(event) => self.on_engine(now, event),
            Input::TimePassed => {}
        }
        self.on_time(now);
        std::mem::take(&mut self.effects)
    }

    /// When to say [`Input::TimePassed`] at the latest; `None` while nothing is waited for.
    pub fn deadline(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Idle => None,
            Stage::RingingOut { until } => Some(*until),
            Stage::RingingIn { until, accept: Accept::RetryAt(at) } => Some(*until.min(at)),
            Stage::RingingIn { until, .. } => Some(*until),
            Stage::InCall => self.joining_deadline(),
            Stage::Over { farewell: Farewell::Waiting { give_up, retry, .. }, .. } => {
                Some(retry.map_or(*give_up, |at| at.min(*give_up)))
            }
            Stage::Over { farewell: Farewell::Done, .. } => None,
        }
    }

    /// Whether it is over and the server has heard so (or no longer needs to).
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Over { farewell: Farewell::Done, .. })
    }

    /// The call as it is now.
    pub fn snapshot(&self) -> CallSnapshot {
        CallSnapshot {
            phase: self.phase(),
            engine: self.engine_kind,
            camera: Switched { wanted: self.wanted.camera, actual: self.published.camera },
            microphone: Switched { wanted: self.wanted.microphone, actual: self.published.microphone },
            screen: Switched { wanted: self.wanted.screen, actual: self.published.screen },
            peer: self.peer,
            server_bound: self.bound,
            quality: self.quality,
        }
    }

    fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Idle => Phase::Idle,
            Stage::RingingOut { .. } => Phase::RingingOut,
            Stage::RingingIn { accept, .. } => Phase::RingingIn { accepting: *accept != Accept::NotYet },
            Stage::Over { ending, .. } => Phase::Ended(ending.clone()),
            Stage::InCall if self.engine.is_in() && self.peer.present && self.interrupted_until.is_none() => {
                Phase::Connected
            }
            Stage::InCall if !self.was_connected => Phase::Joining,
            Stage::InCall if self.peer_gone => Phase::Reconnecting(Trouble::PeerGone),
            Stage::InCall => Phase::Reconnecting(Trouble::Media),
        }
    }

    fn on_placed(&mut self, now: Duration) {
        if self.stage == Stage::Idle {
            self.stage = Stage::RingingOut { until: now + RING_TIME + RING_GRACE };
        }
    }

    fn on_invited(&mut self, now: Duration, ring_for: Duration) {
        let until = now + ring_for.min(RING_TIME) + RING_GRACE;
        match &mut self.stage {
            Stage::Idle => self.stage = Stage::RingingIn { until, accept: Accept::NotYet },
            // Told again after a reconnect: the server's rest of the ring time counts.
            Stage::RingingIn { until: before, .. } => *before = until,
            _ => {}
        }
    }

    fn on_resumed(&mut self, now: Duration) {
        if self.stage == Stage::Idle {
            self.enter_call(now);
        }
    }

    fn on_accept(&mut self) {
        if let Stage::RingingIn { accept: accept @ Accept::NotYet, .. } = &mut self.stage {
            *accept = Accept::Sent;
            self.effects.push(Effect::SendAccept);
        }
    }

    fn on_accept_done(&mut self, now: Duration, result: Result<(), SignallingError>) {
        let Stage::RingingIn { accept: accept @ Accept::Sent, .. } = &mut self.stage else {
            // Hung up or dropped while the accept was on its way: the call is active on the server now.
            if result.is_ok() && self.left_by_us() {
                self.say_last_word(now, LastWord::End);
            }
            return;
        };
        match result {
            Ok(()) => self.enter_call(now),
            Err(SignallingError::Unreachable) => *accept = Accept::RetryAt(now + ACCEPT_RETRY),
            Err(SignallingError::WrongState) => self.finish(Why::Gone),
            Err(SignallingError::Refused(why)) => self.finish(Why::Failed(CallFailure::Refused(why))),
            Err(error @ SignallingError::TokenRefused) => {
                self.finish(Why::Failed(CallFailure::Refused(error.to_string())));
            }
        }
    }

    fn on_decline(&mut self, now: Duration) {
        if matches!(self.stage, Stage::RingingIn { .. }) {
            self.finish(Why::Declined);
            self.say_last_word(now, LastWord::Decline);
        }
    }

    fn on_hang_up(&mut self, now: Duration) {
        match &self.stage {
            Stage::Idle | Stage::Over { .. } => {}
            Stage::RingingOut { .. } => {
                self.finish(Why::Cancelled);
                self.say_last_word(now, LastWord::Cancel);
            }
            Stage::RingingIn { .. } => self.on_decline(now),
            Stage::InCall => {
                self.finish(Why::HungUp);
                self.say_last_word(now, LastWord::End);
            }
        }
    }

    /// Leaves without ending the call for the other side; a ring of ours is taken back, one of theirs goes on at our
    /// other devices.
    fn on_dropped(&mut self, now: Duration) {
        let rang_out = matches!(self.stage, Stage::RingingOut { .. });
        if matches!(self.stage, Stage::Over { .. }) {
            return;
        }
        self.finish(Why::Left);
        if rang_out {
            self.say_last_word(now, LastWord::Cancel);
        }
    }

    fn on_started(&mut self, now: Duration) {
        match &self.stage {
            Stage::RingingOut { .. } => self.enter_call(now),
            Stage::RingingIn { accept: Accept::NotYet, .. } => self.finish(Why::AnsweredElsewhere),
            // The server's word may overtake the answer to our accept.
            Stage::RingingIn { .. } => self.enter_call(now),
            Stage::Idle | Stage::InCall | Stage::Over { .. } => {}
        }
    }

    fn on_ended_by_server(&mut self, reason: EndReason, duration_seconds: Option<i64>) {
        // The server has unbound us already; one that says `moved` must not unbind the other device.
        self.bound = false;
        match &mut self.stage {
            Stage::Over { ending, farewell } => {
                ending.duration_seconds = ending.duration_seconds.or(duration_seconds);
                *farewell = Farewell::Done;
            }
            _ => {
                self.finish(Why::Told(reason));
                self.note_duration(duration_seconds);
            }
        }
    }

    fn on_farewell_done(&mut self, now: Duration, said: LastWord, result: Result<Option<i64>, SignallingError>) {
        let Stage::Over { ending, farewell } = &mut self.stage else { return };
        let Farewell::Waiting { last, give_up, retry: None } = *farewell else { return };
        if last != said {
            return;
        }
        match (result, said) {
            (Ok(duration), _) => {
                ending.duration_seconds = ending.duration_seconds.or(duration);
                *farewell = Farewell::Done;
            }
            (Err(SignallingError::Unreachable), _) => {
                *farewell = Farewell::Waiting { last, give_up, retry: Some(now + FAREWELL_RETRY) };
            }
            // The other side answered while we took the ring back: it is a call now, so it is ended as one.
            (Err(SignallingError::WrongState), LastWord::Cancel) => self.say_last_word(now, LastWord::End),
            (Err(_), _) => *farewell = Farewell::Done,
        }
    }

    fn on_time(&mut self, now: Duration) {
        match &mut self.stage {
            Stage::RingingOut { until } if *until <= now => {
                self.finish(Why::Unanswered);
                self.say_last_word(now, LastWord::Cancel);
            }
            Stage::RingingIn { until, .. } if *until <= now => self.finish(Why::Unanswered),
            Stage::RingingIn { accept, .. } if matches!(*accept, Accept::RetryAt(at) if at <= now) => {
                *accept = Accept::Sent;
                self.effects.push(Effect::SendAccept);
            }
            Stage::InCall => self.on_joining_time(now),
            Stage::Over { farewell, .. } => match *farewell {
                Farewell::Waiting { give_up, .. } if give_up <= now => *farewell = Farewell::Done,
                Farewell::Waiting { last, retry: Some(at), .. } if at <= now => self.say_last_word(now, last),
                _ => {}
            },
            _ => {}
        }
    }

    fn enter_call(&mut self, now: Duration) {
        self.stage = Stage::InCall;
        self.out_since = Some(now);
        self.begin_approach();
    }

    /// Ends the call on this device: the engine is left, the socket unbound, nothing is waited for any more.
    fn finish(&mut self, why: Why) {
        if std::mem::take(&mut self.engine_used) {
            self.effects.push(Effect::LeaveEngine);
        }
        // A `call:join` that is still on its way is undone when its answer comes.
        if self.bound {
            self.effects.push(Effect::SendCallLeave);
        }
        self.stage = Stage::Over { ending: Ending { why, duration_seconds: None }, farewell: Farewell::Done };
        self.bound = false;
        self.engine = EngineState::Out;
        self.approach = Approach::Resting;
        self.renewal = Renewal::None;
        (self.out_since, self.interrupted_until, self.alone_until) = (None, None, None);
        self.published = MediaState::default();
        self.peer = PeerMedia::default();
        self.to_peer.clear();
        self.to_engine.clear();
    }

    fn note_duration(&mut self, seconds: Option<i64>) {
        if let Stage::Over { ending, .. } = &mut self.stage {
            ending.duration_seconds = ending.duration_seconds.or(seconds);
        }
    }

    /// Whether we ended it, so that the server may still think that it goes on.
    fn left_by_us(&self) -> bool {
        let Stage::Over { ending, .. } = &self.stage else { return false };
        matches!(ending.why, Why::HungUp | Why::Cancelled | Why::Declined | Why::Unanswered | Why::Left)
    }

    fn say_last_word(&mut self, now: Duration, last: LastWord) {
        let Stage::Over { farewell, .. } = &mut self.stage else { return };
        let give_up = match *farewell {
            Farewell::Waiting { give_up, .. } => give_up,
            Farewell::Done => now + FAREWELL_LIMIT,
        };
        *farewell = Farewell::Waiting { last, give_up, retry: None };
        self.effects.push(match last {
            LastWord::Cancel => Effect::SendCancel,
            LastWord::Decline => Effect::SendDecline,
            LastWord::End => Effect::SendEnd,
        });
    }
}
