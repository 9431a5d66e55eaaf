//! A token is fetched for each join, and replaced long before it ends.

use std::time::Duration;

use parley_call::{
    Attempt, CallFailure, EngineError, EngineEvent, Phase, Token, Why,
    machine::{Effect, Input},
};

use crate::driver::{Driver, LIFE, UNREACHABLE, asked_token};

#[test]
fn it_is_renewed_after_three_quarters_of_its_life() {
    let mut driver = Driver::connected();
    assert_eq!(driver.pass(LIFE / 4 * 3 - Duration::from_secs(1)), []);
    let attempt = asked_token(&driver.pass_seconds(1));
    let grant = driver.grant();
    let token = grant.credentials.token.clone();
    assert_eq!(driver.give(Input::TokenFetched(attempt, Ok(grant))), [Effect::RenewToken(token)]);
    // And again.
    asked_token(&driver.pass(LIFE / 4 * 3));
}

#[test]
fn the_engine_may_ask_earlier_and_is_answered_once() {
    let mut driver = Driver::connected();
    let attempt = asked_token(&driver.tell(EngineEvent::TokenExpiring));
    assert_eq!(driver.tell(EngineEvent::TokenExpiring), []);
    let grant = driver.grant();
    driver.give(Input::TokenFetched(attempt, Ok(grant)));
    assert_eq!(driver.pass_seconds(60), []);
}

#[test]
fn a_failed_renewal_is_repeated_while_the_call_goes_on() {
    let mut driver = Driver::connected();
    let mut attempt = asked_token(&driver.pass(LIFE / 4 * 3));
    for _ in 0..5 {
        assert_eq!(driver.give(Input::TokenFetched(attempt, Err(UNREACHABLE))), []);
        attempt = asked_token(&driver.pass_seconds(5));
    }
    let grant = driver.grant();
    assert!(matches!(driver.give(Input::TokenFetched(attempt, Ok(grant)))[..], [Effect::RenewToken(_)]));
}

#[test]
fn a_token_that_seems_to_have_no_life_makes_no_storm() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    let mut grant = driver.grant();
    grant.life = Duration::ZERO;
    driver.give(Input::TokenFetched(Attempt(1), Ok(grant)));
    driver.give(Input::CallJoined(Attempt(1), Ok(())));
    driver.tell(EngineEvent::Joined(Attempt(1)));
    assert_eq!(driver.pass_seconds(9), []);
    asked_token(&driver.pass_seconds(1));
}

#[test]
fn no_token_is_used_for_two_joins() {
    let mut driver = Driver::connected();
    let mut used = vec![Token("token 1".into())];
    for _ in 0..3 {
        driver.tell(EngineEvent::Lost(EngineError::TokenExpired));
        let attempt = asked_token(&driver.pass_seconds(1));
        let effects = driver.bind(attempt);
        let Effect::JoinEngine { credentials, .. } = &effects[0] else { panic!("it joins: {effects:?}") };
        assert!(!used.contains(&credentials.token));
        used.push(credentials.token.clone());
        driver.tell(EngineEvent::Joined(attempt));
        driver.tell(EngineEvent::PeerConnected);
    }
}

#[test]
fn a_fresh_token_that_is_refused_too_ends_the_call_and_is_named() {
    for refusal in [EngineError::TokenRefused, EngineError::TokenExpired] {
        let mut driver = Driver::new();
        driver.give(Input::Resumed);
        driver.bind(Attempt(1));
        assert_eq!(driver.tell(EngineEvent::JoinFailed(Attempt(1), refusal.clone())), []);
        let attempt = asked_token(&driver.pass_seconds(1));
        driver.bind(attempt);
        let effects = driver.tell(EngineEvent::JoinFailed(attempt, refusal.clone()));
        assert_eq!(effects, [Effect::LeaveEngine, Effect::SendCallLeave, Effect::SendEnd]);
        assert_eq!(driver.why(), Some(Why::Failed(CallFailure::Media(refusal))));
    }
}

#[test]
fn other_failures_in_between_give_a_refused_token_no_further_try() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    let mut attempt = Attempt(1);
    for failure in [EngineError::TokenRefused, EngineError::TimedOut, EngineError::NoNetwork] {
        driver.bind(attempt);
        driver.tell(EngineEvent::JoinFailed(attempt, failure));
        attempt = asked_token(&driver.pass_seconds(1));
    }
    driver.bind(attempt);
    driver.tell(EngineEvent::JoinFailed(attempt, EngineError::TokenRefused));
    assert_eq!(driver.why(), Some(Why::Failed(CallFailure::Media(EngineError::TokenRefused))));
}

#[test]
fn a_token_that_ran_out_in_a_call_is_replaced_as_often_as_that_helps() {
    let mut driver = Driver::connected();
    for _ in 0..5 {
        assert_eq!(driver.tell(EngineEvent::Lost(EngineError::TokenRefused)), []);
        let attempt = asked_token(&driver.pass_seconds(1));
        driver.bind(attempt);
        driver.tell(EngineEvent::Joined(attempt));
        driver.tell(EngineEvent::PeerConnected);
        assert_eq!(driver.phase(), Phase::Connected);
    }
}
