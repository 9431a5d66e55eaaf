//! A token is fetched for each join, and replaced long before it ends.

use std::time::Duration;

use parley_call::{
    Attempt, EngineEvent, Token,
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
        driver.tell(EngineEvent::Lost(parley_call::EngineError::TokenExpired));
        let attempt = asked_token(&driver.pass_seconds(1));
        let effects = driver.bind(attempt);
        let Effect::JoinEngine { credentials, .. } = &effects[0] else { panic!("it joins: {effects:?}") };
        assert!(!used.contains(&credentials.token));
        used.push(credentials.token.clone());
        driver.tell(EngineEvent::Joined(attempt));
        driver.tell(EngineEvent::PeerConnected);
    }
}
