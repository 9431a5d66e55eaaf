//! The library is told to misbehave: the engine says what happened, keeps the call where there is one, and leaves
//! nothing behind.
#![cfg(target_os = "linux")]

#[path = "common/iris_standin.rs"]
mod iris_standin;

use std::{sync::Arc, time::Duration};

use iris_standin::{A, Buzz, CHANNEL, End, Grey, World, credentials, is_grey, token, until};
use parley_agora::iris::IrisEngine;
use parley_call::{
    Attempt, EngineError, EngineEvent, MediaEngine, VideoProfile,
    suite::{LIMIT, Side},
};

/// Both in the channel, and each has heard of the other.
async fn connected(world: &World) -> (End, End) {
    let (mut a, mut b) = (End::new(world), End::new(world));
    connect(&mut a, &mut b).await;
    (a, b)
}

async fn connect(a: &mut End, b: &mut End) {
    a.join(1, Side::A);
    b.join(1, Side::B);
    a.expect(EngineEvent::PeerConnected).await;
    b.expect(EngineEvent::PeerConnected).await;
}

/// Pictures of B reach A, in the colour that they were sent in.
async fn expect_pictures(a: &mut End, b: &mut End) {
    let grey = Grey::start(150, 320, 240);
    b.engine().publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    let video = Arc::clone(&a.video);
    until("A sees B", || video.try_take().is_some_and(|frame| is_grey(&frame, 150))).await;
    b.engine().publish_video(None, VideoProfile::default());
}

async fn expect_failed(knob: &str, value: i64, error: EngineError) {
    let world = World::new();
    let mut a = End::new(&world);
    a.copy.set(knob, value);
    a.join(4, Side::A);
    a.expect(EngineEvent::JoinFailed(Attempt(4), error)).await;
    assert_eq!(a.told, []);
    a.copy.set(knob, 0);
    a.join(5, Side::A);
    a.expect(EngineEvent::Joined(Attempt(5))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_that_nothing_follows_fails_by_our_own_time_limit() {
    expect_failed("join_silent", 1, EngineError::TimedOut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_told_as_such() {
    expect_failed("join_reason", 8, EngineError::TokenRefused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_token_is_told_as_such() {
    expect_failed("join_reason", 9, EngineError::TokenExpired).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_that_is_refused_at_once_fails() {
    let refused = EngineError::Failed("joining was refused (17), RtcEngine_joinChannel_cdbb747".to_owned());
    expect_failed("join_error", 17, refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sdk_that_does_not_begin_fails_the_join() {
    let refused = EngineError::Failed("not initialised (7), RtcEngine_initialize_0320339".to_owned());
    expect_failed("init_result", -7, refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sdk_that_is_too_old_is_refused() {
    let world = World::new();
    let mut a = End::new(&world);
    a.copy.set_text("version", "4.2.6");
    a.join(1, Side::A);
    let too_old = "the SDK's version is 4.2.6; 4.5 or newer is needed".to_owned();
    a.expect(EngineEvent::JoinFailed(Attempt(1), EngineError::Failed(too_old))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_banned_or_came_in_elsewhere_has_lost_the_call() {
    for (knob, error) in [("kick", EngineError::Removed), ("same_uid", EngineError::JoinedElsewhere)] {
        let world = World::new();
        let (mut a, _b) = connected(&world).await;
        a.copy.set(knob, 1);
        a.expect(EngineEvent::Lost(error)).await;
        a.copy.set(knob, 0);
        a.join(2, Side::A);
        a.expect(EngineEvent::Joined(Attempt(2))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interruption_is_told_and_the_call_goes_on() {
    let world = World::new();
    let (mut a, mut b) = (End::new(&world), End::new(&world));
    a.copy.set("lose_connection", 300);
    connect(&mut a, &mut b).await;
    a.expect(EngineEvent::Reconnecting).await;
    a.expect(EngineEvent::Reconnected).await;
    expect_pictures(&mut a, &mut b).await;
    assert!(!a.told.iter().any(|event| matches!(event, EngineEvent::Lost(_))), "{:?}", a.told);
}

/// Twenty seconds are enough for a slow machine to renew, and little enough to wait for their end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_is_told_before_and_a_new_one_keeps_the_call() {
    let world = World::new();
    let (mut a, mut b) = (End::new(&world), End::new(&world));
    a.copy.set("token_expires_in", 20);
    connect(&mut a, &mut b).await;
    a.expect(EngineEvent::TokenExpiring).await;
    a.copy.set("token_expires_in", 0);
    a.engine().renew_token(token(CHANNEL, A, Duration::from_secs(600)));
    // About one a second.
    for _ in 0..21 {
        a.expect_some("a report", |event| matches!(event, EngineEvent::Quality(_))).await;
    }
    expect_pictures(&mut a, &mut b).await;
    assert!(!a.told.iter().any(|event| matches!(event, EngineEvent::Lost(_))), "{:?}", a.told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_has_ended_loses_the_call() {
    let world = World::new();
    let (mut a, mut b) = (End::new(&world), End::new(&world));
    a.copy.set("token_expires_in", 1);
    connect(&mut a, &mut b).await;
    a.expect(EngineEvent::Lost(EngineError::TokenExpired)).await;
}

/// What is told or shown wrongly is left out, and the call goes on once the library behaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_left_out_and_the_call_goes_on() {
    for (knob, value) in [("null_strings", 1), ("zero_frames", 1), ("garbage_frames", 1), ("burst", 20)] {
        let world = World::new();
        let (mut a, mut b) = connected(&world).await;
        a.copy.set(knob, value);
        let (grey, buzz) = (Grey::start(60, 320, 240), Buzz::start());
        b.engine().publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
        b.engine().publish_audio(Some(Arc::clone(&buzz.blocks)));
        let copy = Arc::clone(&a.copy);
        until(&format!("pictures and sound come in spite of {knob}"), || {
            copy.get("frames_delivered") > 5 && copy.get("pcm_delivered") > 20
        })
        .await;
        b.engine().publish_video(None, VideoProfile::default());
        a.copy.set(knob, 0);
        expect_pictures(&mut a, &mut b).await;
        assert!(!a.told.iter().any(|event| matches!(event, EngineEvent::Lost(_))), "{knob}: {:?}", a.told);
    }
}

/// What the SDK does not begin to send is tried again from the start, instead of being pushed to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_and_a_sound_that_were_refused_once_are_sent_when_asked_again() {
    let world = World::new();
    let (mut a, mut b) = (End::new(&world), End::new(&world));
    let mut engine = IrisEngine::new(b.ports(), Arc::clone(&b.copy.library));
    a.join(1, Side::A);
    engine.join(Attempt(1), credentials(Side::B));
    b.expect(EngineEvent::PeerConnected).await;
    let tracks = b.copy.get("tracks");
    b.copy.set("update_error", 1);
    let (grey, buzz) = (Grey::start(60, 320, 240), Buzz::start());
    engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    engine.publish_audio(Some(Arc::clone(&buzz.blocks)));
    // The first may be done before what was asked above, the second is done after it.
    engine.with_sdk(|_| ()).await.expect("in a call");
    engine.with_sdk(|_| ()).await.expect("in a call");
    assert_eq!(b.copy.get("tracks"), tracks, "the refused ones are gone");
    b.copy.set("update_error", 0);
    engine.publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    engine.publish_audio(Some(Arc::clone(&buzz.blocks)));
    let (video, audio) = (Arc::clone(&a.video), Arc::clone(&a.audio));
    until("A sees B", || video.try_take().is_some_and(|frame| is_grey(&frame, 60))).await;
    until("A hears B", || audio.pop().is_some_and(|block| block.samples.iter().any(|sample| *sample != 0))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_limits_for_the_same_pictures_reach_the_encoder() {
    let world = World::new();
    let (mut a, _b) = connected(&world).await;
    let grey = Grey::start(60, 320, 240);
    let copy = Arc::clone(&a.copy);
    a.engine().publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    until("pictures are sent", || copy.get("frames_sent") > 3).await;
    let before = copy.get("encoders_set");
    a.engine().publish_video(Some(Arc::clone(&grey.frames)), VideoProfile { max_fps: 10, max_bitrate: 300_000 });
    until("the encoder is set again", || copy.get("encoders_set") > before).await;
}

/// The thread of the earlier call is held up by something that it was asked to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_again_does_not_wait_for_the_end_of_the_call_before() {
    let world = World::new();
    let mut a = End::new(&world);
    let mut engine = IrisEngine::new(a.ports(), Arc::clone(&a.copy.library));
    engine.join(Attempt(1), credentials(Side::A));
    a.expect(EngineEvent::Joined(Attempt(1))).await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (open, gate) = std::sync::mpsc::channel();
    let held_up = engine.with_sdk(move |_| {
        begun.send(()).expect("somebody waits");
        gate.recv_timeout(LIMIT)
    });
    has_begun.await.expect("the thread is held up");
    engine.join(Attempt(2), credentials(Side::A));
    open.send(()).expect("it still waits, since nobody waited for it");
    assert_eq!(held_up.await.expect("in a call"), Ok(()));
    a.expect(EngineEvent::Joined(Attempt(2))).await;
    assert_eq!(a.told, []);
    engine.leave();
}

/// Publishing that never comes to its end is nothing that the call waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_never_taken_can_be_withdrawn() {
    let world = World::new();
    let (mut a, mut b) = connected(&world).await;
    b.copy.set("publish_silent", 1);
    let copy = Arc::clone(&b.copy);
    let before = copy.get("tracks");
    let grey = Grey::start(60, 320, 240);
    b.engine().publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    until("the track is made", || copy.get("tracks") > before).await;
    let with_it = copy.get("tracks");
    b.engine().publish_video(None, VideoProfile::default());
    until("the track is gone", || copy.get("tracks") < with_it).await;
    b.copy.set("publish_silent", 0);
    expect_pictures(&mut a, &mut b).await;
}

/// Rows with padding, and sides that don't come in pairs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_of_any_shape_are_seen_as_they_are() {
    for knob in ["huge_strides", "odd_sizes"] {
        let world = World::new();
        let (mut a, mut b) = connected(&world).await;
        a.copy.set(knob, 1);
        expect_pictures(&mut a, &mut b).await;
    }
}

/// Ours with an odd side go out a line smaller.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_picture_of_ours_is_sent_without_its_last_line() {
    let world = World::new();
    let (mut a, b) = connected(&world).await;
    let grey = Grey::start(200, 161, 121);
    a.engine().publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
    let video = Arc::clone(&b.video);
    until("B sees A", || {
        video.try_take().is_some_and(|frame| (frame.width(), frame.height()) == (160, 120) && is_grey(&frame, 200))
    })
    .await;
}

/// Each event twenty times, and what was unregistered is called on: nobody is told twice, and nothing crashes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bursts_are_told_once_and_late_callbacks_meet_nobody() {
    let world = World::new();
    let (mut a, mut b) = (End::new(&world), End::new(&world));
    for copy in [&a.copy, &b.copy] {
        copy.set("burst", 20);
        copy.set("late_callbacks", 1);
    }
    for attempt in 1..=3 {
        a.join(attempt, Side::A);
        a.expect(EngineEvent::Joined(Attempt(attempt))).await;
        b.join(attempt, Side::B);
        a.expect(EngineEvent::PeerConnected).await;
        b.expect(EngineEvent::PeerConnected).await;
        b.engine().leave();
        a.expect(EngineEvent::PeerLeft).await;
        a.engine().leave();
        while a.events.try_recv().is_ok() {}
        while b.events.try_recv().is_ok() {}
        assert_eq!(a.told, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engines_end_in_any_order_and_in_the_middle_of_anything() {
    let world = World::new();
    for round in 0..6 {
        let (mut a, mut b) = (End::new(&world), End::new(&world));
        let (grey, buzz) = (Grey::start(90, 320, 240), Buzz::start());
        a.join(1, Side::A);
        b.join(1, Side::B);
        a.engine().publish_video(Some(Arc::clone(&grey.frames)), VideoProfile::default());
        b.engine().publish_audio(Some(Arc::clone(&buzz.blocks)));
        match round {
            // Before anything has come of the joins.
            0 => {}
            1 => a.expect(EngineEvent::Joined(Attempt(1))).await,
            2 => b.expect(EngineEvent::RemoteVideo(true)).await,
            3 => drop(grey),
            // Nobody hears the events any more.
            4 => drop(std::mem::replace(&mut a.events, tokio::sync::mpsc::channel(1).1)),
            _ => a.join(2, Side::A),
        }
        let (first, second) = if round % 2 == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
        drop(first.engine.take());
        drop(second.engine.take());
    }
}

/// One copy of the library carries one call. Who hangs up and calls again at once has a second engine while the first
/// one is still ending; a second one beside a call that goes on is told so, and may try again later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_engine_in_the_same_copy_waits_for_the_end_of_the_first() {
    let world = World::new();
    let mut a = End::new(&world);
    a.join(1, Side::A);
    a.expect(EngineEvent::Joined(Attempt(1))).await;
    let mut second = End::new(&world);
    second.engine = Some(Box::new(IrisEngine::new(second.ports(), Arc::clone(&a.copy.library))));
    second.join(1, Side::B);
    let in_use = "another call uses this library already; it carries one at a time".to_owned();
    second.expect(EngineEvent::JoinFailed(Attempt(1), EngineError::Failed(in_use))).await;
    second.join(2, Side::B);
    second.engine().leave();
    second.join(3, Side::B);
    drop(a.engine.take());
    second.expect(EngineEvent::Joined(Attempt(3))).await;
    assert_eq!(second.told, [], "who left while waiting is told nothing");
}

/// The screen goes beside the camera, as somebody of its own, and comes back to nobody of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_is_shared_beside_the_camera() {
    let world = World::new();
    let (mut a, mut b) = connected(&world).await;
    let (camera, screen) = (Grey::start(60, 320, 240), Grey::start(190, 640, 360));
    a.engine().publish_video(Some(Arc::clone(&camera.frames)), VideoProfile::default());
    a.engine().publish_screen(Some(Arc::clone(&screen.frames)), VideoProfile::default());
    b.expect_some("camera and screen", |event| *event == EngineEvent::RemoteScreen(true)).await;
    let (video, shown) = (Arc::clone(&b.video), Arc::clone(&b.screen));
    until("B sees A's screen", || shown.try_take().is_some_and(|frame| is_grey(&frame, 190) && frame.width() == 640))
        .await;
    until("B sees A's camera", || video.try_take().is_some_and(|frame| is_grey(&frame, 60) && frame.width() == 320))
        .await;
    let pass = credentials(Side::A).screen.expect("a pass");
    a.engine().renew_screen(pass);
    until("B still sees A's screen", || shown.try_take().is_some_and(|frame| is_grey(&frame, 190))).await;
    a.engine().publish_screen(None, VideoProfile::default());
    b.expect(EngineEvent::RemoteScreen(false)).await;
    until("B still sees A's camera", || video.try_take().is_some_and(|frame| is_grey(&frame, 60))).await;
    assert!(a.screen.try_take().is_none() && a.video.try_take().is_none(), "our own screen doesn't come back");
    assert!(!b.told.iter().any(|event| matches!(event, EngineEvent::PeerLeft)), "{:?}", b.told);
}
