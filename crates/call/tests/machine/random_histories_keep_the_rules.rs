//! Whatever happens in whatever order: no panic, no engine left in a call that is over, no camera that nobody wants.

use std::{collections::HashSet, time::Duration};

use parley_call::{
    Attempt, EngineError, EngineEvent, Grant, MediaState, Phase, Quality, SignallingError, Token, Why,
    machine::{CallMachine, Effect, Input},
};
use parley_domain::EndReason;
use proptest::prelude::*;

use crate::driver::grant;

/// One thing that happens. Numbers choose among what is possible at that moment.
#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Given(Input),
    /// Answers one of the questions that are open, with an outcome.
    Answer(usize, Outcome),
    /// The engine says how the join with that attempt (counted back from the newest) went.
    Join(u32, Result<(), EngineError>),
    Tell(EngineEvent),
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Good,
    Unreachable,
    WrongState,
    TokenRefused,
    Refused,
}

impl Outcome {
    fn of<T>(self, good: T) -> Result<T, SignallingError> {
        Err(match self {
            Self::Good => return Ok(good),
            Self::Unreachable => SignallingError::Unreachable,
            Self::WrongState => SignallingError::WrongState,
            Self::TokenRefused => SignallingError::TokenRefused,
            Self::Refused => SignallingError::Refused("no".into()),
        })
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        12 => Just(Outcome::Good),
        3 => Just(Outcome::Unreachable),
        1 => Just(Outcome::WrongState),
        2 => Just(Outcome::TokenRefused),
        1 => Just(Outcome::Refused),
    ]
}

fn engine_error() -> impl Strategy<Value = EngineError> {
    prop_oneof![
        Just(EngineError::TimedOut),
        Just(EngineError::TokenExpired),
        Just(EngineError::TokenRefused),
        Just(EngineError::Removed),
        Just(EngineError::JoinedElsewhere),
        Just(EngineError::Failed("it broke".into())),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let reasons = prop::sample::select(EndReason::ALL);
    prop_oneof![
        2 => Just(Input::Placed),
        2 => (0..100_u64).prop_map(|seconds| Input::Invited { ring_for: Duration::from_secs(seconds) }),
        3 => Just(Input::Resumed),
        4 => Just(Input::Accept),
        1 => Just(Input::Decline),
        1 => Just(Input::HangUp),
        1 => Just(Input::Dropped),
        4 => any::<bool>().prop_map(Input::SetCamera),
        4 => any::<bool>().prop_map(Input::SetMicrophone),
        2 => any::<bool>().prop_map(Input::SetScreen),
        2 => any::<bool>().prop_map(Input::WantRemoteVideo),
        4 => Just(Input::Started),
        1 => reasons.prop_map(|reason| Input::EndedByServer { reason, duration_seconds: Some(3) }),
        2 => any::<(bool, bool, bool)>()
            .prop_map(|(camera, microphone, screen)| Input::PeerState(MediaState { camera, microphone, screen })),
        2 => ".{0,8}".prop_map(Input::PeerSignal),
        4 => Just(Input::SocketUp),
        4 => Just(Input::SocketDown),
    ]
}

fn event() -> impl Strategy<Value = EngineEvent> {
    prop_oneof![
        6 => Just(EngineEvent::PeerConnected),
        2 => Just(EngineEvent::PeerLeft),
        2 => Just(EngineEvent::Reconnecting),
        2 => Just(EngineEvent::Reconnected),
        2 => engine_error().prop_map(EngineEvent::Lost),
        2 => any::<bool>().prop_map(EngineEvent::RemoteVideo),
        1 => any::<bool>().prop_map(EngineEvent::RemoteScreen),
        1 => any::<bool>().prop_map(EngineEvent::RemoteAudio),
        1 => Just(EngineEvent::TokenExpiring),
        2 => ".{0,8}".prop_map(EngineEvent::Signal),
        1 => Just(EngineEvent::Quality(Quality::default())),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_000_u64).prop_map(Step::Pass),
        1 => (0..5_000_000_u64).prop_map(Step::Pass),
        5 => input().prop_map(Step::Given),
        8 => (any::<usize>(), outcome()).prop_map(|(which, outcome)| Step::Answer(which, outcome)),
        5 => (0..3_u32, prop_oneof![5 => Just(Ok(())), 1 => engine_error().prop_map(Err)])
            .prop_map(|(back, outcome)| Step::Join(back, outcome)),
        4 => event().prop_map(Step::Tell),
    ]
}

/// The machine and what a server and an engine would look like after all that it has asked for.
#[derive(Default)]
struct World {
    machine: CallMachine,
    now: Duration,
    open: Vec<Effect>,
    tokens: u32,
    joined_tokens: HashSet<String>,
    newest_join: Option<Attempt>,
    engine_in: bool,
    server_bound: bool,
    wanted: MediaState,
    hidden: bool,
    /// Camera, microphone and hidden picture as the engine was told last; it keeps them from one join to the next.
    engine_acts_on: (bool, bool, bool),
    ended: Option<Why>,
}

impl World {
    fn give(&mut self, input: Input) {
        match &input {
            Input::SetCamera(on) => self.wanted.camera = *on,
            Input::SetMicrophone(on) => self.wanted.microphone = *on,
            Input::SetScreen(on) => self.wanted.screen = *on,
            Input::WantRemoteVideo(wanted) => self.hidden = !*wanted,
            Input::CallJoined(_, Ok(())) => self.server_bound = true,
            Input::SocketUp | Input::SocketDown | Input::EndedByServer { .. } => self.server_bound = false,
            _ => {}
        }
        // A join that was under way on a socket that is gone now is bound to nothing.
        if matches!(input, Input::SocketUp | Input::SocketDown) {
            self.open.retain(|effect| !matches!(effect, Effect::SendCallJoin(..)));
        }
        let late_join = matches!(input, Input::Engine(EngineEvent::Joined(_))) && !self.engine_in;
        let effects = self.machine.handle(self.now, input);
        if late_join && self.ended.is_some() {
            assert!(effects.is_empty() || effects == [Effect::LeaveEngine], "{effects:?}");
        }
        for effect in effects {
            self.perform(effect);
        }
        self.check();
    }

    fn perform(&mut self, effect: Effect) {
        match &effect {
            Effect::JoinEngine { attempt, credentials, .. } => {
                assert!(self.joined_tokens.insert(credentials.token.0.clone()), "every join has a fresh token");
                self.engine_in = true;
                self.newest_join = Some(*attempt);
            }
            Effect::LeaveEngine => self.engine_in = false,
            Effect::PublishVideo(on) => {
                assert!(self.engine_in, "only an engine in the channel publishes");
                assert_eq!(*on, self.wanted.camera);
                self.engine_acts_on.0 = *on;
            }
            Effect::PublishAudio(on) => {
                assert_eq!(*on, self.wanted.microphone);
                self.engine_acts_on.1 = *on;
            }
            Effect::PublishScreen(on) => assert_eq!(*on, self.wanted.screen),
            Effect::WantRemoteVideo(wanted) => self.engine_acts_on.2 = !*wanted,
            Effect::SendState(state) => {
                assert!(!state.camera || self.wanted.camera);
                assert!(!state.microphone || self.wanted.microphone);
                assert!(!state.screen || self.wanted.screen);
            }
            Effect::SendCallLeave => self.server_bound = false,
            Effect::RelaySignal(_) => assert!(self.server_bound, "signals go by a bound socket"),
            Effect::GiveSignal(_) | Effect::RenewToken(_) => assert!(self.engine_in),
            Effect::FetchToken(_) | Effect::SendCallJoin(..) => {
                assert_eq!(self.ended, None, "nothing begins after the end")
            }
            _ => {}
        }
        let question = matches!(
            effect,
            Effect::SendAccept
                | Effect::SendDecline
                | Effect::SendCancel
                | Effect::SendEnd
                | Effect::FetchToken(_)
                | Effect::SendCallJoin(..)
        );
        if question {
            self.open.push(effect);
        }
    }

    fn check(&mut self) {
        let snapshot = self.machine.snapshot();
        assert!(!snapshot.camera.actual || self.wanted.camera, "no camera that nobody wants");
        assert!(!snapshot.microphone.actual || self.wanted.microphone, "no microphone that nobody wants");
        if self.engine_in {
            let (camera, microphone, _) = self.engine_acts_on;
            assert!(!camera || self.wanted.camera, "an engine hears at once that the camera is off");
            assert!(!microphone || self.wanted.microphone, "an engine hears at once that the microphone is off");
        }
        if snapshot.phase == Phase::Connected {
            let switches = (self.wanted.camera, self.wanted.microphone, self.hidden);
            assert_eq!(self.engine_acts_on, switches, "an engine in the channel acts on the present switches");
        }
        assert!(self.machine.deadline().is_none_or(|at| at > self.now), "a deadline lies in the future");
        if let Phase::Ended(ending) = snapshot.phase {
            assert!(!self.engine_in, "no engine in a call that is over");
            assert_eq!(*self.ended.get_or_insert(ending.why.clone()), ending.why, "an end is final");
        } else {
            assert_eq!(self.ended, None, "what is over stays over");
            assert!(!self.machine.is_finished());
        }
        assert!(self.open.len() < 200, "questions do not pile up");
    }

    fn answer(&mut self, which: usize, outcome: Outcome) {
        if self.open.is_empty() {
            return;
        }
        let question = self.open.swap_remove(which % self.open.len());
        let input = match question {
            Effect::SendAccept => Input::AcceptDone(outcome.of(())),
            Effect::SendDecline => Input::DeclineDone(outcome.of(())),
            Effect::SendCancel => Input::CancelDone(outcome.of(())),
            Effect::SendEnd => Input::EndDone(outcome.of(Some(5))),
            Effect::FetchToken(attempt) => Input::TokenFetched(attempt, outcome.of(self.fresh_grant())),
            Effect::SendCallJoin(attempt, _) => Input::CallJoined(attempt, outcome.of(())),
            other => unreachable!("{other:?} asks nothing"),
        };
        self.give(input);
    }

    fn fresh_grant(&mut self) -> Grant {
        self.tokens += 1;
        let mut grant = grant(self.tokens);
        grant.credentials.token = Token(self.tokens.to_string());
        grant
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.machine.deadline().filter(|&at| at <= until) {
            self.now = at;
            self.give(Input::TimePassed);
        }
        self.now = until;
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Pass(millis) => self.pass(Duration::from_millis(millis)),
            Step::Given(input) => self.give(input),
            Step::Answer(which, outcome) => self.answer(which, outcome),
            Step::Join(back, outcome) => {
                let Some(newest) = self.newest_join else { return };
                let attempt = Attempt(newest.0.saturating_sub(back));
                self.give(Input::Engine(match outcome {
                    Ok(()) => EngineEvent::Joined(attempt),
                    Err(error) => EngineEvent::JoinFailed(attempt, error),
                }));
            }
            Step::Tell(event) => self.give(Input::Engine(event)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn every_history_ends_clean(steps in prop::collection::vec(step(), 0..120)) {
        let mut world = World::default();
        for step in steps {
            world.take(step);
        }
        // In the end somebody hangs up, all questions are answered, and time passes.
        world.give(Input::HangUp);
        while !world.open.is_empty() {
            world.answer(0, Outcome::Good);
        }
        world.pass(Duration::from_secs(300));
        if world.ended.is_some() {
            prop_assert!(world.machine.is_finished());
            prop_assert!(!world.engine_in);
            let ours = matches!(world.ended, Some(Why::HungUp | Why::Cancelled | Why::Declined | Why::Left));
            prop_assert!(!(ours && world.server_bound), "what we left does not stay bound");
            prop_assert_eq!(world.machine.deadline(), None);
        } else {
            prop_assert_eq!(world.machine.snapshot().phase, Phase::Idle);
        }
    }
}
