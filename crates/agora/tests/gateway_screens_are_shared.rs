//! A screen is a second participant of the person who shares it.

#![cfg(target_os = "linux")]

mod common;

use std::sync::Arc;

use common::{End, Grey, Rig, eventually, is_grey, number};
use parley_call::{Attempt, EngineEvent, MediaEngine, ScreenPass, VideoProfile, suite::Side};

fn share(end: &mut End, grey: &Grey) {
    end.engine.publish_screen(Some(Arc::clone(&grey.frames)), VideoProfile::default());
}

fn expect_screen(end: &mut End, luma: u8) {
    let slot = Arc::clone(&end.ports.remote_screen);
    assert!(eventually(|| is_grey(&slot, luma)), "a screen of grey {luma} comes; told were {:?}", end.told());
}

#[test]
fn camera_and_screen_come_side_by_side_and_the_screen_goes_alone() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    let (camera, screen) = (Grey::start(64, 36, 60), Grey::start(160, 90, 220));
    a.engine.publish_video(Some(Arc::clone(&camera.frames)), VideoProfile::default());
    share(&mut a, &screen);
    b.expect(&EngineEvent::RemoteScreen(true));
    expect_screen(&mut b, 220);
    b.expect_grey(60);
    assert_eq!(rig.standin().get("connections"), 3);
    a.engine.publish_screen(None, VideoProfile::default());
    b.expect(&EngineEvent::RemoteScreen(false));
    assert!(eventually(|| rig.standin().get("connections") == 2));
    // The person is still there, and nobody left.
    b.expect_grey(60);
    let left = |told: &EngineEvent| matches!(told, EngineEvent::PeerLeft | EngineEvent::RemoteVideo(false));
    assert!(!b.told().iter().any(left), "{:?}", b.told());
}

#[test]
fn a_standing_picture_stays_shared() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    let screen = Grey::start(64, 36, 220);
    share(&mut a, &screen);
    b.expect(&EngineEvent::RemoteScreen(true));
    // A screen on which nothing moves brings no pictures.
    drop(screen);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(3);
    eventually(|| std::time::Instant::now() > until);
    assert!(!b.told().contains(&EngineEvent::RemoteScreen(false)), "{:?}", b.told());
    drop(a);
    b.expect(&EngineEvent::RemoteScreen(false));
}

#[test]
fn what_was_shared_before_the_join_is_shared_after_every_join() {
    let rig = Rig::new();
    let (mut a, mut b) = (rig.end(), rig.end());
    let screen = Grey::start(64, 36, 210);
    share(&mut a, &screen);
    a.engine.join(Attempt(1), rig.credentials(Side::A));
    b.engine.join(Attempt(1), rig.credentials(Side::B));
    expect_screen(&mut b, 210);
    a.engine.join(Attempt(2), rig.credentials(Side::A));
    b.expect(&EngineEvent::PeerLeft);
    b.ports.remote_screen.try_take();
    expect_screen(&mut b, 210);
}

#[test]
fn a_refused_pass_leaves_the_call_alone_and_the_next_one_helps() {
    let rig = Rig::new();
    let (mut a, mut b) = (rig.end(), rig.end());
    let mut credentials = rig.credentials(Side::A);
    credentials.screen = Some(ScreenPass { uid: number(1_008), token: rig.token(4, 600) });
    a.engine.join(Attempt(1), credentials);
    b.engine.join(Attempt(1), rig.credentials(Side::B));
    let (camera, screen) = (Grey::start(64, 36, 60), Grey::start(64, 36, 210));
    share(&mut a, &screen);
    a.engine.publish_video(Some(Arc::clone(&camera.frames)), VideoProfile::default());
    b.expect_grey(60);
    assert!(b.ports.remote_screen.try_take().is_none());
    a.engine.renew_screen(ScreenPass { uid: number(1_008), token: rig.token(1_008, 600) });
    expect_screen(&mut b, 210);
    a.engine.renew_screen(ScreenPass { uid: number(1_008), token: rig.token(1_008, 900) });
    b.ports.remote_screen.try_take();
    expect_screen(&mut b, 210);
}

#[test]
fn a_server_without_screens_is_no_trouble() {
    let rig = Rig::new();
    let (mut a, mut b) = (rig.end(), rig.end());
    for (end, side) in [(&mut a, Side::A), (&mut b, Side::B)] {
        let mut credentials = rig.credentials(side);
        (credentials.screen, credentials.peer_screen) = (None, None);
        end.engine.join(Attempt(1), credentials);
    }
    let (camera, screen) = (Grey::start(64, 36, 60), Grey::start(64, 36, 210));
    share(&mut a, &screen);
    a.engine.publish_video(Some(Arc::clone(&camera.frames)), VideoProfile::default());
    b.expect_grey(60);
    assert!(b.ports.remote_screen.try_take().is_none());
}
