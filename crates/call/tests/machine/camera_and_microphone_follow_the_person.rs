//! Wanted and actual are two things, and no reconnect turns anything on that the person did not.

use parley_call::{
    Attempt, EngineError, EngineEvent, MediaState, PeerMedia, Switched,
    machine::{Effect, Input},
};

use crate::driver::{Driver, asked_token};

/// What an engine that joins is told: it may still hold what was wanted in an earlier join.
fn switches(remote_video: bool, camera: bool, microphone: bool) -> [Effect; 3] {
    [Effect::WantRemoteVideo(remote_video), Effect::PublishVideo(camera), Effect::PublishAudio(microphone)]
}

const OFF: MediaState = MediaState { camera: false, microphone: false, screen: false };
const SOUND: MediaState = MediaState { microphone: true, ..OFF };
const BOTH: MediaState = MediaState { camera: true, microphone: true, screen: false };

#[test]
fn what_is_wanted_before_the_join_becomes_actual_with_it() {
    let mut driver = Driver::new();
    driver.give(Input::Placed);
    assert_eq!(driver.give(Input::SetCamera(true)), []);
    assert_eq!(driver.give(Input::SetMicrophone(true)), []);
    assert_eq!(driver.machine.snapshot().camera, Switched { wanted: true, actual: false });
    driver.give(Input::Started);
    assert_eq!(driver.bind(Attempt(1))[1..], switches(true, true, true));
    assert_eq!(driver.machine.snapshot().camera, Switched { wanted: true, actual: false });
    assert_eq!(driver.tell(EngineEvent::Joined(Attempt(1))), [Effect::SendState(BOTH)]);
    assert_eq!(driver.machine.snapshot().camera, Switched { wanted: true, actual: true });
}

#[test]
fn nothing_is_on_unless_it_was_switched_on() {
    let mut driver = Driver::new();
    driver.give(Input::Resumed);
    assert_eq!(driver.bind(Attempt(1))[1..], switches(true, false, false));
    assert_eq!(driver.tell(EngineEvent::Joined(Attempt(1))), [Effect::SendState(OFF)]);
}

#[test]
fn a_reconnect_turns_on_only_what_is_still_wanted() {
    let mut driver = Driver::connected();
    driver.give(Input::SetCamera(true));
    driver.give(Input::SetMicrophone(true));
    driver.tell(EngineEvent::Lost(EngineError::NoNetwork));
    assert_eq!(driver.machine.snapshot().camera, Switched { wanted: true, actual: false });
    // Switched off while the path is away: the engine hears it at once, in case that it still sends.
    assert_eq!(driver.give(Input::SetCamera(false)), [Effect::PublishVideo(false)]);
    let attempt = asked_token(&driver.pass_seconds(1));
    assert_eq!(driver.bind(attempt)[1..], switches(true, false, true));
    assert_eq!(driver.tell(EngineEvent::Joined(attempt)), [Effect::SendState(SOUND)]);
}

#[test]
fn what_is_switched_while_the_engine_joins_reaches_it_at_once() {
    let mut driver = Driver::connected();
    driver.give(Input::SetCamera(true));
    driver.tell(EngineEvent::Lost(EngineError::NoNetwork));
    let attempt = asked_token(&driver.pass_seconds(1));
    assert_eq!(driver.bind(attempt)[1..], switches(true, true, false));
    assert_eq!(driver.give(Input::SetCamera(false)), [Effect::PublishVideo(false)]);
    assert_eq!(driver.give(Input::SetMicrophone(true)), [Effect::PublishAudio(true)]);
    assert_eq!(driver.machine.snapshot().microphone, Switched { wanted: true, actual: false });
    assert_eq!(driver.tell(EngineEvent::Joined(attempt)), [Effect::SendState(SOUND)]);
}

#[test]
fn another_source_is_published_although_the_camera_is_on() {
    let mut driver = Driver::connected();
    driver.give(Input::SetCamera(true));
    assert_eq!(driver.give(Input::SetCamera(true)), [Effect::PublishVideo(true)]);
}

#[test]
fn the_other_side_is_told_each_change_once_and_all_after_a_gap() {
    let mut driver = Driver::connected();
    assert_eq!(driver.give(Input::SetMicrophone(true)), [Effect::PublishAudio(true), Effect::SendState(SOUND)]);
    driver.give(Input::SocketDown);
    assert_eq!(driver.give(Input::SetCamera(true)), [Effect::PublishVideo(true)]);
    let attempt = asked_token(&driver.give(Input::SocketUp));
    assert!(driver.bind(attempt).contains(&Effect::SendState(BOTH)));
}

#[test]
fn a_hidden_picture_stays_hidden_over_a_new_join() {
    let mut driver = Driver::connected();
    assert_eq!(driver.give(Input::WantRemoteVideo(false)), [Effect::WantRemoteVideo(false)]);
    assert_eq!(driver.give(Input::WantRemoteVideo(false)), []);
    driver.tell(EngineEvent::Lost(EngineError::NoNetwork));
    let attempt = asked_token(&driver.pass_seconds(1));
    let effects = driver.bind(attempt);
    assert!(matches!(effects[0], Effect::JoinEngine { .. }));
    assert_eq!(effects[1..], switches(false, false, false));
}

#[test]
fn a_picture_that_is_shown_again_while_the_path_is_away_comes_with_the_new_join() {
    let mut driver = Driver::connected();
    driver.give(Input::WantRemoteVideo(false));
    driver.tell(EngineEvent::Lost(EngineError::NoNetwork));
    assert_eq!(driver.give(Input::WantRemoteVideo(true)), [Effect::WantRemoteVideo(true)]);
    let attempt = asked_token(&driver.pass_seconds(1));
    assert_eq!(driver.bind(attempt)[1..], switches(true, false, false));
}

#[test]
fn what_the_other_side_says_and_what_arrives_are_two_things() {
    let mut driver = Driver::connected();
    driver.give(Input::PeerState(BOTH));
    let silent = PeerMedia { present: true, camera: true, microphone: true, ..PeerMedia::default() };
    assert_eq!(driver.machine.snapshot().peer, silent);
    driver.tell(EngineEvent::RemoteVideo(true));
    assert_eq!(driver.machine.snapshot().peer, PeerMedia { video_flowing: true, ..silent });
}

#[test]
fn after_the_end_nothing_is_on() {
    let mut driver = Driver::connected();
    driver.give(Input::SetCamera(true));
    driver.give(Input::HangUp);
    assert!(!driver.machine.snapshot().camera.actual);
    assert_eq!(driver.give(Input::SetCamera(true)), []);
    assert_eq!(driver.give(Input::PeerState(BOTH)), []);
    assert_eq!(driver.machine.snapshot().peer, PeerMedia::default());
}
