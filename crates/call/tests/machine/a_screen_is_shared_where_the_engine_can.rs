//! A shared screen is a second picture beside the camera; only Agora's engines carry it.

use parley_call::{
    EngineEvent, MediaState, ScreenPass, Token,
    machine::{Effect, Input},
};
use parley_domain::{AgoraUid, EngineKind};

use crate::driver::{Driver, asked_token, grant};

const SHARING: MediaState = MediaState { camera: false, microphone: false, screen: true };

fn pass() -> ScreenPass {
    ScreenPass { uid: AgoraUid::new(3).expect("above 0"), token: Token("screen".into()) }
}

/// In a call that Agora carries.
fn with_agora() -> Driver {
    let mut driver = Driver::new();
    let attempt = asked_token(&driver.give(Input::Resumed));
    let mut agora = grant(1);
    agora.engine = EngineKind::Agora;
    driver.give(Input::TokenFetched(attempt, Ok(agora)));
    driver.give(Input::CallJoined(attempt, Ok(())));
    driver.tell(EngineEvent::Joined(attempt));
    driver.tell(EngineEvent::PeerConnected);
    driver
}

#[test]
fn it_is_shared_and_told_and_taken_back() {
    let mut driver = with_agora();
    assert_eq!(driver.give(Input::SetScreen(true)), [Effect::PublishScreen(true), Effect::SendState(SHARING)]);
    assert!(driver.machine.snapshot().screen.actual);
    let off = [Effect::PublishScreen(false), Effect::SendState(MediaState::default())];
    assert_eq!(driver.give(Input::SetScreen(false)), off);
}

#[test]
fn an_engine_that_can_not_is_never_said_to_share() {
    let mut driver = Driver::connected();
    assert_eq!(driver.give(Input::SetScreen(true)), [Effect::PublishScreen(true)]);
    let screen = driver.machine.snapshot().screen;
    assert!(screen.wanted && !screen.actual);
}

#[test]
fn it_comes_back_with_the_next_join_and_its_pass_is_renewed() {
    let mut driver = with_agora();
    driver.give(Input::SetScreen(true));
    let attempt = asked_token(&driver.tell(EngineEvent::TokenExpiring));
    let mut fresh = grant(2);
    fresh.engine = EngineKind::Agora;
    fresh.credentials.screen = Some(pass());
    assert!(driver.give(Input::TokenFetched(attempt, Ok(fresh))).contains(&Effect::RenewScreen(pass())));
    driver.tell(EngineEvent::Lost(parley_call::EngineError::NoNetwork));
    let attempt = asked_token(&driver.pass_seconds(1));
    let mut agora = grant(3);
    agora.engine = EngineKind::Agora;
    driver.give(Input::TokenFetched(attempt, Ok(agora)));
    assert!(driver.give(Input::CallJoined(attempt, Ok(()))).contains(&Effect::PublishScreen(true)));
}

#[test]
fn the_other_sides_screen_goes_with_the_other_side() {
    let mut driver = with_agora();
    driver.tell(EngineEvent::RemoteScreen(true));
    assert!(driver.machine.snapshot().peer.screen_flowing);
    driver.tell(EngineEvent::PeerLeft);
    assert!(!driver.machine.snapshot().peer.screen_flowing);
}
