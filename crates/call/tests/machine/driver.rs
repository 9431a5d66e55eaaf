//! Gives the machine inputs at times of our choice and keeps what it wants done.

use std::time::Duration;

use parley_call::{
    Attempt, Credentials, EngineEvent, Grant, Phase, SignallingError, Token, Why,
    machine::{CallMachine, Effect, Input},
};
use parley_domain::{AgoraUid, EngineKind};

/// The life of the tokens that [`Driver::grant`] hands out.
pub(crate) const LIFE: Duration = Duration::from_secs(3_600);

#[derive(Default)]
pub(crate) struct Driver {
    pub(crate) machine: CallMachine,
    pub(crate) now: Duration,
    granted: u32,
}

impl Driver {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn give(&mut self, input: Input) -> Vec<Effect> {
        self.machine.handle(self.now, input)
    }

    pub(crate) fn tell(&mut self, event: EngineEvent) -> Vec<Effect> {
        self.give(Input::Engine(event))
    }

    /// Moves the clock on and lets every deadline on the way pass at its time.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<Effect> {
        let until = self.now + time;
        let mut effects = Vec::new();
        while let Some(deadline) = self.machine.deadline().filter(|&at| at <= until) {
            assert!(deadline > self.now, "a deadline lies in the future");
            self.now = deadline;
            effects.extend(self.give(Input::TimePassed));
        }
        self.now = until;
        effects
    }

    pub(crate) fn pass_seconds(&mut self, seconds: u64) -> Vec<Effect> {
        self.pass(Duration::from_secs(seconds))
    }

    pub(crate) fn phase(&self) -> Phase {
        self.machine.snapshot().phase
    }

    pub(crate) fn why(&self) -> Option<Why> {
        match self.phase() {
            Phase::Ended(ending) => Some(ending.why),
            _ => None,
        }
    }

    /// A grant with a token of its own.
    pub(crate) fn grant(&mut self) -> Grant {
        self.granted += 1;
        grant(self.granted)
    }

    /// Answers a token question and the `call:join` that follows; what the machine wants then.
    pub(crate) fn bind(&mut self, attempt: Attempt) -> Vec<Effect> {
        let grant = self.grant();
        let token = grant.credentials.token.clone();
        assert_eq!(self.give(Input::TokenFetched(attempt, Ok(grant))), [Effect::SendCallJoin(attempt, token)]);
        self.give(Input::CallJoined(attempt, Ok(())))
    }

    /// A driver in a connected call, joined under attempt 1.
    pub(crate) fn connected() -> Self {
        let mut driver = Self::new();
        assert_eq!(driver.give(Input::Resumed), [Effect::FetchToken(Attempt(1))]);
        assert!(matches!(driver.bind(Attempt(1))[..], [Effect::JoinEngine { attempt: Attempt(1), .. }, ..]));
        driver.tell(EngineEvent::Joined(Attempt(1)));
        driver.tell(EngineEvent::PeerConnected);
        assert_eq!(driver.phase(), Phase::Connected);
        driver
    }
}

pub(crate) fn grant(number: u32) -> Grant {
    let uid = |number| AgoraUid::new(number).expect("above 0");
    Grant {
        engine: EngineKind::Direct,
        credentials: Credentials {
            app_id: "app".into(),
            channel: "channel".into(),
            uid: uid(1),
            peer: uid(2),
            token: Token(format!("token {number}")),
            screen: None,
            peer_screen: None,
            ice_servers: Vec::new(),
        },
        life: LIFE,
    }
}

/// The attempt of the one token question among the effects.
pub(crate) fn asked_token(effects: &[Effect]) -> Attempt {
    let mut asked = effects.iter().filter_map(|effect| match effect {
        Effect::FetchToken(attempt) => Some(*attempt),
        _ => None,
    });
    let attempt = asked.next().unwrap_or_else(|| panic!("no token is asked for in {effects:?}"));
    assert_eq!(asked.next(), None, "one token is asked for in {effects:?}");
    attempt
}

pub(crate) const UNREACHABLE: SignallingError = SignallingError::Unreachable;
