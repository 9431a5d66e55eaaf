//! The way in, and in again: a fresh token, `call:join`, the engine; and the token's renewal while in.

use std::time::Duration;

use super::{CallMachine, Effect, Stage};
use crate::{
    engine::{Attempt, EngineError, EngineEvent},
    signalling::{Grant, MediaState, SignallingError},
    snapshot::{CallFailure, PeerMedia, Why},
};

/// Waits between failed tries; the last one repeats.
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// An engine has its own time-out; one that says nothing at all for this long is taken as failed.
const ENGINE_SILENCE: Duration = Duration::from_secs(20);
/// So long without an engine in the channel, and the call has failed.
const OUT_LIMIT: Duration = Duration::from_secs(60);
/// So often an engine may refuse the token before the call has failed. Each join brings a token that is seconds old, so
/// the second refusal in a row comes of what the server makes them with, and the third would be the same.
const MOST_REFUSALS: u32 = 2;
/// So long an engine may try by itself before we join anew.
const INTERRUPTION_LIMIT: Duration = Duration::from_secs(30);
/// So long we wait for the other side to come (back): as long as the server takes for `abandoned` (`CONTRACT.md` §5).
const PEER_LIMIT: Duration = Duration::from_secs(120);
/// A renewal that failed is tried again after this long.
const RENEWAL_RETRY: Duration = Duration::from_secs(5);
/// A token whose life we were told as shorter is renewed no sooner than this: a clock that is off must not make a storm.
const SOONEST_RENEWAL: Duration = Duration::from_secs(10);

/// The way to being bound; the engine follows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Approach {
    Resting,
    Waiting { until: Duration },
    Token(Attempt),
    Binding(Attempt, Box<Grant>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum EngineState {
    Out,
    Joining { attempt: Attempt, until: Duration },
    In(Attempt),
}

impl EngineState {
    pub(super) fn is_in(self) -> bool {
        matches!(self, Self::In(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Renewal {
    None,
    At(Duration),
    Fetching(Attempt),
}

impl CallMachine {
    fn next_attempt(&mut self) -> Attempt {
        self.last_attempt = Attempt(self.last_attempt.0.wrapping_add(1));
        self.last_attempt
    }

    /// Begins anew with a fresh token. What an earlier approach still answers is late from now on.
    pub(super) fn begin_approach(&mut self) {
        let attempt = self.next_attempt();
        self.approach = Approach::Token(attempt);
        self.renewal = Renewal::None;
        self.effects.push(Effect::FetchToken(attempt));
    }

    pub(super) fn on_socket_up(&mut self, _now: Duration) {
        self.bound = false;
        if self.stage == Stage::InCall {
            self.begin_approach();
        }
    }

    pub(super) fn on_token_fetched(&mut self, now: Duration, attempt: Attempt, result: Result<Grant, SignallingError>) {
        if self.approach == Approach::Token(attempt) {
            match result {
                Ok(grant) => {
                    self.effects.push(Effect::SendCallJoin(attempt, grant.credentials.token.clone()));
                    self.approach = Approach::Binding(attempt, Box::new(grant));
                }
                Err(error) => self.on_approach_failed(now, error),
            }
        } else if self.renewal == Renewal::Fetching(attempt) {
            match result {
                Ok(grant) => {
                    self.plan_renewal(now, grant.life);
                    self.effects.push(Effect::RenewToken(grant.credentials.token));
                    self.effects.extend(grant.credentials.screen.map(Effect::RenewScreen));
                }
                // Whether the call is over comes by `meeting:ended`; the token in use may still be good.
                Err(_) => self.renewal = Renewal::At(now + RENEWAL_RETRY),
            }
        }
    }

    pub(super) fn on_call_joined(&mut self, now: Duration, attempt: Attempt, result: Result<(), SignallingError>) {
        let grant = match &self.approach {
            Approach::Binding(awaited, grant) if *awaited == attempt => grant.clone(),
            _ => {
                // Hung up in the meantime: what was joined late is left again.
                if result.is_ok() && self.left_or_failed() {
                    self.effects.push(Effect::SendCallLeave);
                }
                return;
            }
        };
        if let Err(error) = result {
            return self.on_approach_failed(now, error);
        }
        self.approach = Approach::Resting;
        self.bound = true;
        self.told = None;
        self.engine_kind = Some(grant.engine);
        self.plan_renewal(now, grant.life);
        if self.engine == EngineState::Out {
            self.engine = EngineState::Joining { attempt, until: now + ENGINE_SILENCE };
            self.engine_used = true;
            self.effects.push(Effect::JoinEngine { attempt, kind: grant.engine, credentials: grant.credentials });
            self.give_switches();
            self.give_waiting_signals();
        } else {
            self.failures = 0;
            self.effects.push(Effect::RenewToken(grant.credentials.token));
            self.effects.extend(grant.credentials.screen.map(Effect::RenewScreen));
        }
        self.tell();
        self.relay_waiting_signals();
    }

    pub(super) fn on_no_engine(&mut self, now: Duration, attempt: Attempt, error: EngineError) {
        if matches!(self.engine, EngineState::Joining { attempt: awaited, .. } if awaited == attempt) {
            self.fail(now, CallFailure::EngineMissing(error));
        }
    }

    pub(super) fn on_engine(&mut self, now: Duration, event: EngineEvent) {
        match (self.engine, event) {
            (EngineState::Joining { attempt, .. }, EngineEvent::Joined(joined)) if attempt == joined => {
                self.engine = EngineState::In(attempt);
                self.out_since = None;
                self.alone_until = Some(now + PEER_LIMIT);
                self.published = MediaState { screen: self.wanted.screen && self.shares_screens(), ..self.wanted };
                self.tell();
            }
            (EngineState::Joining { attempt, .. }, EngineEvent::JoinFailed(failed, error)) if attempt == failed => {
                self.on_engine_out(now, error);
            }
            // Left while it was still joining: what was joined late is left again.
            (EngineState::Out, EngineEvent::Joined(_)) if self.stage != Stage::InCall => {
                self.effects.push(Effect::LeaveEngine);
            }
            (_, EngineEvent::Joined(_) | EngineEvent::JoinFailed(..)) | (EngineState::Out, _) => {}
            (_, EngineEvent::Signal(data)) => self.relay(data),
            (EngineState::Joining { .. }, _) => {}
            (EngineState::In(_), event) => self.on_engine_in(now, event),
        }
    }

    fn on_engine_in(&mut self, now: Duration, event: EngineEvent) {
        match event {
            EngineEvent::PeerConnected | EngineEvent::Reconnected => {
                self.peer.present = true;
                self.was_connected = true;
                self.peer_gone = false;
                (self.failures, self.refusals) = (0, 0);
                (self.interrupted_until, self.alone_until) = (None, None);
            }
            EngineEvent::PeerLeft => {
                self.peer = PeerMedia::default();
                self.peer_gone = true;
                self.interrupted_until = None;
                self.alone_until = Some(now + PEER_LIMIT);
            }
            EngineEvent::Reconnecting => {
                self.interrupted_until.get_or_insert(now + INTERRUPTION_LIMIT);
            }
            EngineEvent::Lost(error) => self.on_engine_out(now, error),
            EngineEvent::RemoteVideo(flowing) => self.peer.video_flowing = flowing,
            EngineEvent::RemoteScreen(flowing) => self.peer.screen_flowing = flowing,
            EngineEvent::RemoteAudio(flowing) => self.peer.audio_flowing = flowing,
            EngineEvent::TokenExpiring => self.renew(),
            EngineEvent::Quality(quality) => self.quality = Some(quality),
            EngineEvent::Joined(_) | EngineEvent::JoinFailed(..) | EngineEvent::Signal(_) => {}
        }
    }

    /// The engine is no longer (or did not get) in the channel: the whole way again, after a pause that grows; but not
    /// where that can't help or would take the call from somebody.
    fn on_engine_out(&mut self, now: Duration, error: EngineError) {
        match error {
            EngineError::Removed => return self.fail(now, CallFailure::Media(error)),
            EngineError::JoinedElsewhere => {
                // The call goes on there, and it is that device that the server has bound.
                self.bound = false;
                return self.finish(Why::AnsweredElsewhere);
            }
            EngineError::TokenRefused | EngineError::TokenExpired => {
                self.refusals += 1;
                if self.refusals >= MOST_REFUSALS {
                    return self.fail(now, CallFailure::Media(error));
                }
            }
            _ => {}
        }
        self.engine = EngineState::Out;
        self.out_since.get_or_insert(now);
        (self.interrupted_until, self.alone_until) = (None, None);
        self.published = MediaState::default();
        (self.peer.present, self.peer.video_flowing, self.peer.audio_flowing) = (false, false, false);
        self.peer.screen_flowing = false;
        self.last_failure = Some(CallFailure::Media(error));
        if matches!(self.approach, Approach::Resting) {
            self.wait_before_approach(now);
        }
    }

    fn on_approach_failed(&mut self, now: Duration, error: SignallingError) {
        match error {
            SignallingError::WrongState => self.finish(Why::Gone),
            SignallingError::Refused(why) if !self.engine.is_in() => self.fail(now, CallFailure::Refused(why)),
            error => {
                self.last_failure = Some(match error {
                    SignallingError::Unreachable => CallFailure::ServerUnreachable,
                    error => CallFailure::Refused(error.to_string()),
                });
                self.wait_before_approach(now);
            }
        }
    }

    fn wait_before_approach(&mut self, now: Duration) {
        let pause = BACKOFF[(self.failures as usize).min(BACKOFF.len() - 1)];
        self.failures = self.failures.saturating_add(1);
        self.approach = Approach::Waiting { until: now + pause };
    }

    /// Ends a call that can't work, for the other side too: it would wait for us in vain.
    fn fail(&mut self, now: Duration, failure: CallFailure) {
        self.finish(Why::Failed(failure));
        self.say_last_word(now, super::LastWord::End);
    }

    fn left_or_failed(&self) -> bool {
        let Stage::Over { ending, .. } = &self.stage else { return false };
        // After the server's own end (or a move to another device) there is nothing of ours to unbind.
        !matches!(ending.why, Why::Told(_) | Why::Gone | Why::AnsweredElsewhere)
    }

    fn plan_renewal(&mut self, now: Duration, life: Duration) {
        self.renewal = Renewal::At(now + (life / 4 * 3).max(SOONEST_RENEWAL));
    }

    fn renew(&mut self) {
        // An approach under way brings a fresh token anyway.
        if self.approach != Approach::Resting || matches!(self.renewal, Renewal::Fetching(_)) {
            return;
        }
        let attempt = self.next_attempt();
        self.renewal = Renewal::Fetching(attempt);
        self.effects.push(Effect::FetchToken(attempt));
    }

    pub(super) fn joining_deadline(&self) -> Option<Duration> {
        let approach = match self.approach {
            Approach::Waiting { until } => Some(until),
            _ => None,
        };
        let engine = match self.engine {
            EngineState::Joining { until, .. } => Some(until),
            _ => None,
        };
        let renewal = match self.renewal {
            Renewal::At(at) if self.approach == Approach::Resting => Some(at),
            _ => None,
        };
        let out = self.out_since.map(|since| since + OUT_LIMIT);
        [approach, engine, renewal, out, self.interrupted_until, self.alone_until].into_iter().flatten().min()
    }

    pub(super) fn on_joining_time(&mut self, now: Duration) {
        if self.out_since.is_some_and(|since| since + OUT_LIMIT <= now) {
            let failure = self.last_failure.take().unwrap_or(CallFailure::Media(EngineError::TimedOut));
            return self.fail(now, failure);
        }
        if self.alone_until.is_some_and(|until| until <= now) {
            return self.fail(now, CallFailure::PeerGone);
        }
        if self.interrupted_until.is_some_and(|until| until <= now) {
            self.on_engine_out(now, EngineError::NoNetwork);
        }
        if matches!(self.engine, EngineState::Joining { until, .. } if until <= now) {
            self.on_engine_out(now, EngineError::TimedOut);
        }
        if matches!(self.renewal, Renewal::At(at) if at <= now) {
            self.renew();
        }
        if matches!(self.approach, Approach::Waiting { until } if until <= now) {
            self.begin_approach();
        }
    }
}
