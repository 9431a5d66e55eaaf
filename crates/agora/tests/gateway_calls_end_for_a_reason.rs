//! A join that fails and a call that ends say why, in the words of the engines.

#![cfg(target_os = "linux")]

mod common;

use common::{End, Rig};
use parley_call::{Attempt, EngineError, EngineEvent, MediaEngine, Token, suite::Side};

/// Why the first join of an engine fails.
fn failure(rig: &Rig, change: impl FnOnce(&mut parley_call::Credentials)) -> EngineError {
    let mut end = rig.end();
    let mut credentials = rig.credentials(Side::A);
    change(&mut credentials);
    end.engine.join(Attempt(5), credentials);
    why(&mut end)
}

fn why(end: &mut End) -> EngineError {
    match end.expect_some("a failure", |told| matches!(told, EngineEvent::JoinFailed(Attempt(5), _))) {
        EngineEvent::JoinFailed(_, error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tokens_are_refused_for_what_is_wrong_with_them() {
    let rig = Rig::new();
    let expired = failure(&rig, |credentials| credentials.token = rig.token(1_001, -60));
    assert_eq!(expired, EngineError::TokenExpired);
    let foreign = failure(&rig, |credentials| credentials.token = rig.token(9_999, 600));
    assert_eq!(foreign, EngineError::TokenRefused);
    let garbage = failure(&rig, |credentials| credentials.token = Token("007 garbage".to_owned()));
    assert_eq!(garbage, EngineError::TokenRefused);
    let zero = failure(&rig, |credentials| credentials.token = Token("a\0b".to_owned()));
    assert_eq!(zero, EngineError::Failed("the token holds a zero character".to_owned()));
}

#[test]
fn channels_and_apps_that_are_not_valid_are_told() {
    let rig = Rig::new();
    let channel = failure(&rig, |credentials| credentials.channel = "ä".to_owned());
    assert_eq!(channel, EngineError::Failed("the channel's name is not valid (102)".to_owned()));
    let app = failure(&rig, |credentials| credentials.app_id = "0123456789abcdef0123456789abcdef".to_owned());
    assert_eq!(app, EngineError::TokenRefused);
}

#[test]
fn every_reason_of_the_library_becomes_one_of_ours() {
    let rig = Rig::new();
    let reasons = [
        (8, EngineError::TokenRefused),
        (9, EngineError::TokenExpired),
        (4, EngineError::NoNetwork),
        (14, EngineError::NoNetwork),
        (3, EngineError::Removed),
        (10, EngineError::Failed("the server refused (10)".to_owned())),
        (19, EngineError::JoinedElsewhere),
        (21, EngineError::Failed("the licence was refused (21)".to_owned())),
        (77, EngineError::Failed("code 77".to_owned())),
    ];
    for (reason, error) in reasons {
        rig.misbehave("join_reason", reason);
        assert_eq!(failure(&rig, |_| {}), error);
    }
    rig.behave("join_reason");
    for (answer, error) in
        [(110, EngineError::TokenRefused), (109, EngineError::TokenExpired), (14, EngineError::NoNetwork)]
    {
        rig.misbehave("join_error", answer);
        assert_eq!(failure(&rig, |_| {}), error);
    }
}

#[test]
fn a_join_that_is_never_answered_is_given_up() {
    let rig = Rig::new();
    rig.misbehave("join_silent", 1);
    assert_eq!(failure(&rig, |_| {}), EngineError::TimedOut);
}

#[test]
fn an_engine_can_leave_while_it_waits_for_an_answer() {
    let rig = Rig::new();
    rig.misbehave("join_silent", 1);
    let mut end = rig.end();
    end.engine.join(Attempt(1), rig.credentials(Side::A));
    assert!(common::eventually(|| rig.standin().get("connections") == 1));
    end.engine.leave();
    assert_eq!(rig.standin().get("connections"), 0);
    assert_eq!(end.told(), &[]);
}

#[test]
fn who_is_banned_hears_it_and_can_come_back_when_it_is_over() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    rig.misbehave("kick", 1);
    a.expect(&EngineEvent::Lost(EngineError::Removed));
    b.expect(&EngineEvent::Lost(EngineError::Removed));
    rig.behave("kick");
    a.engine.join(Attempt(2), rig.credentials(Side::A));
    b.engine.join(Attempt(2), rig.credentials(Side::B));
    a.expect(&EngineEvent::Joined(Attempt(2)));
    b.expect(&EngineEvent::Joined(Attempt(2)));
    a.expect(&EngineEvent::PeerConnected);
}

#[test]
fn the_newest_device_of_a_person_takes_the_call() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    let mut elsewhere = rig.end();
    elsewhere.engine.join(Attempt(1), rig.credentials(Side::A));
    a.expect(&EngineEvent::Lost(EngineError::JoinedElsewhere));
    elsewhere.expect(&EngineEvent::PeerConnected);
    b.expect(&EngineEvent::PeerConnected);
}

#[test]
fn a_token_that_ends_is_announced_and_a_new_one_keeps_the_call() {
    let rig = Rig::new();
    rig.misbehave("token_expires_in", 10);
    let mut a = rig.end();
    a.engine.join(Attempt(1), rig.credentials(Side::A));
    a.expect(&EngineEvent::TokenExpiring);
    rig.behave("token_expires_in");
    a.engine.renew_token(rig.token(1_001, 3_600));
    // Longer than the old one was good for.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(11);
    common::eventually(|| std::time::Instant::now() > until);
    assert!(!a.told().iter().any(|told| matches!(told, EngineEvent::Lost(_))), "{:?}", a.told());
}

#[test]
fn a_token_that_was_not_renewed_ends_the_call() {
    let rig = Rig::new();
    rig.misbehave("token_expires_in", 2);
    let mut a = rig.end();
    a.engine.join(Attempt(1), rig.credentials(Side::A));
    a.expect(&EngineEvent::TokenExpiring);
    a.expect(&EngineEvent::Lost(EngineError::TokenExpired));
}

#[test]
fn a_service_that_does_not_start_fails_the_join() {
    let rig = Rig::new();
    rig.misbehave("init_result", -101);
    assert_eq!(failure(&rig, |_| {}), EngineError::TokenRefused);
    rig.misbehave("init_result", -7);
    assert_eq!(failure(&rig, |_| {}), EngineError::Failed("not initialised (7)".to_owned()));
}
