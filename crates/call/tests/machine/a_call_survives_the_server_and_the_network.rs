//! Server gone, socket gone, path gone, other side gone: what goes on, what is tried again, and when it is enough.

use parley_call::{
    Attempt, CallFailure, EngineError, EngineEvent, Phase, SignallingError, Trouble, Why,
    machine::{Effect, Input},
};

use crate::driver::{Driver, UNREACHABLE, asked_token};

#[test]
fn media_goes_on_without_the_server_and_the_socket_is_bound_again() {
    let mut driver = Driver::connected();
    assert_eq!(driver.give(Input::SocketDown), []);
    assert_eq!(driver.phase(), Phase::Connected);
    assert!(!driver.machine.snapshot().server_bound);
    // What the engine says meanwhile waits.
    assert_eq!(driver.tell(EngineEvent::Signal("first".into())), []);
    assert_eq!(driver.tell(EngineEvent::Signal("second".into())), []);
    driver.pass_seconds(600);
    assert_eq!(driver.phase(), Phase::Connected);

    let attempt = asked_token(&driver.give(Input::SocketUp));
    let effects = driver.bind(attempt);
    // Bound anew with a fresh token; the engine stays where it is.
    assert!(matches!(effects[0], Effect::RenewToken(_)), "{effects:?}");
    assert!(effects.contains(&Effect::SendState(Default::default())), "{effects:?}");
    assert_eq!(effects[effects.len() - 2..], ["first", "second"].map(|data| Effect::RelaySignal(data.into())));
    assert!(driver.machine.snapshot().server_bound);
    assert_eq!(driver.phase(), Phase::Connected);
}

#[test]
fn binding_is_tried_until_the_server_is_back() {
    let mut driver = Driver::connected();
    driver.give(Input::SocketDown);
    let mut attempt = asked_token(&driver.give(Input::SocketUp));
    for _ in 0..40 {
        assert_eq!(driver.give(Input::TokenFetched(attempt, Err(UNREACHABLE))), []);
        attempt = asked_token(&driver.pass_seconds(4));
        assert_eq!(driver.phase(), Phase::Connected);
    }
    driver.bind(attempt);
    assert!(driver.machine.snapshot().server_bound);
}

#[test]
fn a_call_that_was_ended_while_the_server_was_away_ends_here_too() {
    let mut driver = Driver::connected();
    driver.give(Input::SocketDown);
    let attempt = asked_token(&driver.give(Input::SocketUp));
    let effects = driver.give(Input::TokenFetched(attempt, Err(SignallingError::WrongState)));
    assert_eq!(effects, [Effect::LeaveEngine]);
    assert_eq!(driver.why(), Some(Why::Gone));
}

#[test]
fn an_interruption_that_the_engine_mends_is_only_shown() {
    let mut driver = Driver::connected();
    assert_eq!(driver.tell(EngineEvent::Reconnecting), []);
    assert_eq!(driver.phase(), Phase::Reconnecting(Trouble::Media));
    assert_eq!(driver.pass_seconds(10), []);
    assert_eq!(driver.tell(EngineEvent::Reconnected), []);
    assert_eq!(driver.phase(), Phase::Connected);
    assert_eq!(driver.pass_seconds(600), []);
}

#[test]
fn a_lost_path_is_joined_anew_with_a_fresh_token() {
    let mut driver = Driver::connected();
    assert_eq!(driver.tell(EngineEvent::Lost(EngineError::NoNetwork)), []);
    assert_eq!(driver.phase(), Phase::Reconnecting(Trouble::Media));
    let attempt = asked_token(&driver.pass_seconds(1));
    let effects = driver.bind(attempt);
    assert!(matches!(&effects[0], Effect::JoinEngine { attempt: joined, .. } if *joined == attempt), "{effects:?}");
    driver.tell(EngineEvent::Joined(attempt));
    assert_eq!(driver.phase(), Phase::Reconnecting(Trouble::Media));
    driver.tell(EngineEvent::PeerConnected);
    assert_eq!(driver.phase(), Phase::Connected);
}

#[test]
fn an_engine_that_interrupts_for_too_long_is_joined_anew() {
    let mut driver = Driver::connected();
    driver.tell(EngineEvent::Reconnecting);
    let attempt = asked_token(&driver.pass_seconds(31));
    assert!(matches!(driver.bind(attempt)[0], Effect::JoinEngine { .. }));
}

#[test]
fn a_call_that_never_gets_in_fails_and_is_ended() {
    let mut driver = Driver::new();
    let mut asked = driver.give(Input::Resumed);
    let mut joins = 0;
    while driver.why().is_none() {
        let attempt = asked_token(&asked);
        driver.bind(attempt);
        joins += 1;
        driver.tell(EngineEvent::JoinFailed(attempt, EngineError::TimedOut));
        asked = driver.pass_seconds(5);
    }
    assert_eq!(driver.why(), Some(Why::Failed(CallFailure::Media(EngineError::TimedOut))));
    assert!((5..30).contains(&joins), "{joins} joins");
    assert!(asked.contains(&Effect::LeaveEngine) && asked.contains(&Effect::SendEnd), "{asked:?}");
}

#[test]
fn a_silent_engine_counts_as_failed() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    driver.bind(Attempt(1));
    assert_eq!(asked_token(&driver.pass_seconds(21)), Attempt(2));
}

#[test]
fn a_missing_engine_ends_the_call_at_once_and_says_so() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    driver.bind(Attempt(1));
    let error = EngineError::Failed("libagora_rtc_sdk.so is not installed".into());
    let effects = driver.give(Input::NoEngine(Attempt(1), error.clone()));
    assert_eq!(driver.why(), Some(Why::Failed(CallFailure::EngineMissing(error))));
    assert!(effects.contains(&Effect::SendEnd), "{effects:?}");
}

#[test]
fn an_unreachable_server_fails_a_call_that_is_not_in_yet() {
    let mut driver = Driver::new();
    let mut asked = driver.give(Input::Resumed);
    while driver.why().is_none() {
        let attempt = asked_token(&asked);
        driver.give(Input::TokenFetched(attempt, Err(UNREACHABLE)));
        asked = driver.pass_seconds(4);
    }
    assert_eq!(driver.why(), Some(Why::Failed(CallFailure::ServerUnreachable)));
}

#[test]
fn a_refused_token_is_replaced_by_a_fresh_one() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    let grant = driver.grant();
    driver.give(Input::TokenFetched(Attempt(1), Ok(grant)));
    assert_eq!(driver.give(Input::CallJoined(Attempt(1), Err(SignallingError::TokenRefused))), []);
    assert_eq!(asked_token(&driver.pass_seconds(1)), Attempt(2));
}

#[test]
fn a_refusal_for_good_is_not_repeated() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    driver.give(Input::TokenFetched(Attempt(1), Err(SignallingError::Refused("not yours".into()))));
    assert_eq!(driver.why(), Some(Why::Failed(CallFailure::Refused("not yours".into()))));
}

#[test]
fn who_was_removed_does_not_come_back_by_itself() {
    let mut driver = Driver::connected();
    let effects = driver.tell(EngineEvent::Lost(EngineError::Removed));
    assert_eq!(effects, [Effect::LeaveEngine, Effect::SendCallLeave, Effect::SendEnd]);
    assert_eq!(driver.why(), Some(Why::Failed(CallFailure::Media(EngineError::Removed))));
}

#[test]
fn a_person_who_joined_elsewhere_goes_on_there_and_not_here() {
    let mut driver = Driver::connected();
    // Neither is the other device's socket unbound nor the call ended.
    assert_eq!(driver.tell(EngineEvent::Lost(EngineError::JoinedElsewhere)), [Effect::LeaveEngine]);
    assert_eq!(driver.why(), Some(Why::AnsweredElsewhere));
    assert!(driver.machine.is_finished());
}

#[test]
fn the_other_side_may_go_and_come_back() {
    let mut driver = Driver::connected();
    driver.tell(EngineEvent::RemoteVideo(true));
    assert_eq!(driver.tell(EngineEvent::PeerLeft), []);
    assert_eq!(driver.phase(), Phase::Reconnecting(Trouble::PeerGone));
    assert!(!driver.machine.snapshot().peer.video_flowing);
    assert_eq!(driver.pass_seconds(100), []);
    driver.tell(EngineEvent::PeerConnected);
    assert_eq!(driver.phase(), Phase::Connected);
    assert_eq!(driver.pass_seconds(600), []);
}

#[test]
fn the_other_side_is_not_waited_for_for_ever() {
    let mut driver = Driver::connected();
    driver.tell(EngineEvent::PeerLeft);
    let effects = driver.pass_seconds(121);
    assert_eq!(effects[..3], [Effect::LeaveEngine, Effect::SendCallLeave, Effect::SendEnd]);
    assert_eq!(driver.why(), Some(Why::Failed(CallFailure::PeerGone)));
}

#[test]
fn signals_that_come_before_our_engine_wait_for_it() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    assert_eq!(driver.give(Input::PeerSignal("offer".into())), []);
    let effects = driver.bind(Attempt(1));
    assert!(matches!(effects[0], Effect::JoinEngine { .. }));
    assert_eq!(effects.last(), Some(&Effect::GiveSignal("offer".into())));
}

#[test]
fn a_flood_of_signals_is_bounded() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    for number in 0..10_000 {
        driver.give(Input::PeerSignal(number.to_string()));
    }
    let effects = driver.bind(Attempt(1));
    assert_eq!(effects.iter().filter(|effect| matches!(effect, Effect::GiveSignal(_))).count(), 64);
    assert_eq!(effects.last(), Some(&Effect::GiveSignal("9999".into())));
}
