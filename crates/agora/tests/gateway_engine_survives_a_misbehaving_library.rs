//! Whatever the library tells and brings, the engine goes on and the call comes through.

#![cfg(target_os = "linux")]

mod common;

use std::sync::Arc;

use common::{End, Grey, Rig, eventually};
use parley_agora::gateway::{Connection, Encoding, Prefer, Receiving, Service, faults, panics};
use parley_call::{
    Attempt, AudioBlock, AudioQueue, EngineError, EngineEvent, MediaEngine, MediaTime, VideoProfile, suite::Side,
};

fn publish(end: &mut End, grey: &Grey) {
    end.engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
}

/// How often that event was told.
fn count(end: &mut End, event: &EngineEvent) -> usize {
    end.told().iter().filter(|told| *told == event).count()
}

#[test]
fn everything_that_comes_twenty_times_is_told_once() {
    let rig = Rig::new();
    rig.misbehave("burst", 20);
    let (mut a, mut b) = (rig.end(), rig.end());
    a.engine.join(Attempt(1), rig.credentials(Side::A));
    b.engine.join(Attempt(1), rig.credentials(Side::B));
    let grey = Grey::start(64, 36, 100);
    publish(&mut a, &grey);
    b.expect_grey(100);
    b.expect(&EngineEvent::RemoteVideo(true));
    a.engine.leave();
    b.expect(&EngineEvent::PeerLeft);
    b.expect(&EngineEvent::PeerConnected);
    assert_eq!((count(&mut b, &EngineEvent::PeerConnected), count(&mut b, &EngineEvent::PeerLeft)), (0, 0));
    assert_eq!(count(&mut b, &EngineEvent::Joined(Attempt(1))), 1);
}

#[test]
fn people_without_names_are_nobody() {
    let rig = Rig::new();
    rig.misbehave("null_strings", 1);
    let (mut a, mut b) = (rig.end(), rig.end());
    a.engine.join(Attempt(1), rig.credentials(Side::A));
    b.engine.join(Attempt(1), rig.credentials(Side::B));
    a.expect(&EngineEvent::Joined(Attempt(1)));
    b.expect(&EngineEvent::Joined(Attempt(1)));
    let grey = Grey::start(64, 36, 100);
    publish(&mut a, &grey);
    assert!(eventually(|| rig.standin().get("frames_delivered") > 5));
    assert_eq!(count(&mut b, &EngineEvent::PeerConnected), 0);
    // With names again the next call works.
    rig.behave("null_strings");
    b.engine.join(Attempt(2), rig.credentials(Side::B));
    b.expect(&EngineEvent::PeerConnected);
    b.expect_grey(100);
}

#[test]
fn long_rows_and_odd_sizes_are_pictures() {
    let rig = Rig::new();
    for knob in ["huge_strides", "odd_sizes"] {
        rig.misbehave(knob, 1);
        let (mut a, mut b) = rig.call();
        let grey = Grey::start(66, 38, 120);
        publish(&mut a, &grey);
        b.expect_grey(120);
        rig.behave(knob);
        drop((a, b));
    }
}

#[test]
fn an_odd_picture_of_ours_is_sent_without_its_last_column() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    let grey = Grey::start(65, 37, 130);
    publish(&mut a, &grey);
    let slot = Arc::clone(&b.ports.remote_video);
    let mut size = None;
    assert!(eventually(|| {
        size = slot.try_take().map(|frame| (frame.width(), frame.height()));
        size.is_some()
    }));
    assert_eq!(size, Some((64, 36)));
    b.expect(&EngineEvent::RemoteVideo(true));
}

#[test]
fn pictures_and_sound_that_can_not_be_are_left_out_and_good_ones_come_after() {
    let rig = Rig::new();
    for knob in ["zero_frames", "garbage_frames"] {
        rig.misbehave(knob, 1);
        let (mut a, mut b) = rig.call();
        let grey = Grey::start(64, 36, 90);
        publish(&mut a, &grey);
        let blocks = Arc::new(AudioQueue::new(20));
        a.engine.publish_audio(Some(Arc::clone(&blocks)));
        let (frames, pcm) = (rig.standin().get("frames_delivered"), rig.standin().get("pcm_delivered"));
        assert!(eventually(|| {
            blocks.push(AudioBlock { samples: [2_000; 480], time: MediaTime::now() });
            rig.standin().get("frames_delivered") > frames + 5 && rig.standin().get("pcm_delivered") > pcm + 5
        }));
        assert!(b.ports.remote_audio.is_empty() && b.ports.remote_video.try_take().is_none(), "{knob}");
        rig.behave(knob);
        b.expect_grey(90);
        assert!(eventually(|| {
            blocks.push(AudioBlock { samples: [2_000; 480], time: MediaTime::now() });
            b.ports.remote_audio.pop().is_some()
        }));
        drop((a, b));
    }
}

#[test]
fn pictures_are_sent_although_their_publishing_is_never_confirmed() {
    let rig = Rig::new();
    rig.misbehave("publish_silent", 1);
    let (mut a, _b) = rig.call();
    let grey = Grey::start(64, 36, 90);
    publish(&mut a, &grey);
    // Nobody but the engine takes them.
    assert!(eventually(|| grey.frames.put_count() > grey.frames.dropped_count() + 5));
}

#[test]
fn a_lost_connection_comes_back_with_its_media() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    // Not before they have heard of each other, however long that took.
    rig.misbehave("lose_connection", 1);
    let grey = Grey::start(64, 36, 90);
    publish(&mut a, &grey);
    a.expect(&EngineEvent::Reconnecting);
    a.expect_some("back again", |told| matches!(told, EngineEvent::Reconnected | EngineEvent::PeerConnected));
    b.ports.remote_video.try_take();
    b.expect_grey(90);
    assert!(!a.told().iter().any(|told| matches!(told, EngineEvent::Lost(_))), "{:?}", a.told());
}

#[test]
fn a_picture_that_is_shown_again_while_its_person_is_away_comes_back_with_them() {
    let rig = Rig::new();
    rig.misbehave("lasting_refusal", 1);
    let (mut a, mut b) = rig.call();
    let grey = Grey::start(64, 36, 90);
    publish(&mut a, &grey);
    b.expect(&EngineEvent::RemoteVideo(true));
    b.engine.want_remote_video(false);
    b.expect(&EngineEvent::RemoteVideo(false));
    a.engine.leave();
    b.expect(&EngineEvent::PeerLeft);
    b.engine.want_remote_video(true);
    b.ports.remote_video.try_take();
    a.engine.join(Attempt(2), rig.credentials(Side::A));
    b.expect(&EngineEvent::PeerConnected);
    b.expect_grey(90);
}

#[test]
fn strangers_and_late_callbacks_change_nothing() {
    let rig = Rig::new();
    rig.misbehave("late_callbacks", 1);
    let (mut a, mut b) = rig.call();
    let service = Service::acquire(rig.library(), common::APP_ID).expect("the same");
    let mut stranger = Connection::open(&service, Receiving::default()).expect("opened");
    stranger.connect(&rig.token(77, 600), rig.channel(), 77).expect("joining");
    let grey = Grey::start(64, 36, 200);
    let frames = rig.standin().get("frames_sent");
    let encoding = Encoding { width: 64, height: 36, fps: 30, bitrate: 500_000, prefer: Prefer::Smoothness };
    let mut sender = None;
    assert!(eventually(|| {
        sender = sender.take().or_else(|| stranger.publish_video(&encoding).ok());
        if let (Some(sender), Some(frame)) = (&sender, grey.frames.try_take()) {
            sender.send(&frame).expect("sent");
        }
        rig.standin().get("frames_sent") > frames + 10
    }));
    drop(stranger);
    drop(service);
    let mine = Grey::start(64, 36, 60);
    publish(&mut a, &mine);
    b.expect(&EngineEvent::RemoteVideo(true));
    // The first picture that comes is the other person's, not the stranger's.
    b.expect_grey(60);
    b.engine.leave();
    a.expect(&EngineEvent::PeerLeft);
    b.engine.join(Attempt(2), rig.credentials(Side::B));
    a.expect(&EngineEvent::PeerConnected);
    b.expect_grey(60);
}

#[test]
fn panics_in_callbacks_end_no_call() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    let grey = Grey::start(64, 36, 90);
    publish(&mut a, &grey);
    b.expect_grey(90);
    let (hook, before) = (std::panic::take_hook(), panics());
    std::panic::set_hook(Box::new(|_| {}));
    faults::panic_in_callbacks(true);
    let panicked = eventually(|| panics() > before + 10);
    faults::panic_in_callbacks(false);
    std::panic::set_hook(hook);
    assert!(panicked);
    b.ports.remote_video.try_take();
    b.expect_grey(90);
}

#[test]
fn the_quality_is_told_about_once_a_second() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    let grey = Grey::start(320, 240, 90);
    publish(&mut a, &grey);
    let flows = |told: &EngineEvent| matches!(told, EngineEvent::Quality(quality) if quality.receive_fps > 3.0);
    let EngineEvent::Quality(quality) = b.expect_some("a report with pictures", flows) else { panic!("it is one") };
    assert!(quality.receive_fps < 60.0 && (0.0..=1.0).contains(&quality.loss), "{quality:?}");
    b.expect_some("the next report", flows);
}

#[test]
fn an_engine_for_another_app_waits_for_the_end_of_the_first() {
    let rig = Rig::new();
    let (a, b) = rig.call();
    let mut third = rig.end();
    let mut other = rig.credentials(Side::A);
    other.app_id = "0123456789abcdef0123456789abcdef".to_owned();
    third.engine.join(Attempt(1), other.clone());
    let failed = third.expect_some("a refusal", |told| matches!(told, EngineEvent::JoinFailed(..)));
    let EngineEvent::JoinFailed(Attempt(1), EngineError::Failed(why)) = failed else { panic!("{failed:?}") };
    assert_eq!(why, "a call with another App ID is still running in this process");
    drop((a, b));
    // Now it is this App ID that the stand-in doesn't know.
    third.engine.join(Attempt(2), other);
    let failed = third.expect_some("a refusal", |told| matches!(told, EngineEvent::JoinFailed(Attempt(2), _)));
    assert!(!format!("{failed:?}").contains("another App ID"), "{failed:?}");
}

#[test]
fn a_silent_source_stops_the_picture_at_the_other_side() {
    let rig = Rig::new();
    let (mut a, mut b) = rig.call();
    {
        let grey = Grey::start(64, 36, 90);
        publish(&mut a, &grey);
        b.expect(&EngineEvent::RemoteVideo(true));
    }
    // It is still published, but nothing comes.
    b.expect(&EngineEvent::RemoteVideo(false));
    let grey = Grey::start(64, 36, 95);
    publish(&mut a, &grey);
    b.expect(&EngineEvent::RemoteVideo(true));
}
