//! Whatever is dropped or closed when: nothing is used after its end, nothing is left.

#![cfg(target_os = "linux")]

mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use common::{APP_ID, Grey, PATIENCE, Rig, eventually};
use parley_agora::gateway::{
    Connection, Encoding, Event, Events, GatewayError, PictureSink, Prefer, Receiving, Service, SoundSink, faults,
    late_callbacks, panics,
};
use parley_call::{AudioBlock, AudioQueue, FramePool, I420Frame, LatestSlot, MediaTime, Token};

const ENCODING: Encoding = Encoding { width: 64, height: 36, fps: 30, bitrate: 500_000, prefer: Prefer::Smoothness };

/// A connection with what it tells.
struct Person {
    connection: Connection,
    events: Arc<Events>,
    pictures: Arc<LatestSlot<I420Frame>>,
}

impl Person {
    /// Joined, and receiving the pictures of `peer`.
    fn joined(rig: &Rig, service: &Arc<Service>, uid: u32, peer: u32) -> Self {
        let (events, pictures) = (Arc::new(Events::new()), Arc::default());
        let receiving = Receiving {
            events: Arc::clone(&events),
            pictures: vec![Arc::new(PictureSink::new(peer, Arc::clone(&pictures)))],
            sound: None,
        };
        let mut connection = Connection::open(service, receiving).expect("opened");
        connection.connect(&rig.token(uid, 600), rig.channel(), uid).expect("joining");
        let person = Self { connection, events, pictures };
        person.expect(&Event::Connected);
        person
    }

    fn expect(&self, wanted: &Event) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.events.next(deadline).as_ref() == Some(wanted) {
                return;
            }
        }
        panic!("{wanted:?} was not told");
    }
}

fn picture() -> I420Frame {
    FramePool::new().frame(64, 36, MediaTime::now(), |y, u, v| {
        y.fill(90);
        u.fill(128);
        v.fill(128);
    })
}

fn block() -> AudioBlock {
    AudioBlock { samples: [1_000; 480], time: MediaTime::now() }
}

#[test]
fn a_service_is_one_for_its_app_and_can_come_again() {
    let rig = Rig::new();
    let service = Service::acquire(rig.library(), APP_ID).expect("started");
    let again = Service::acquire(rig.library(), APP_ID).expect("the same");
    assert!(Arc::ptr_eq(&service, &again));
    let other = "0123456789abcdef0123456789abcdef";
    assert_eq!(Service::acquire(rig.library(), other).expect_err("taken"), GatewayError::OtherAppId);
    drop(service);
    assert_eq!(Service::acquire(rig.library(), other).expect_err("taken"), GatewayError::OtherAppId);
    drop(again);
    rig.expect_nothing_in_use();
    drop(Service::acquire(rig.library(), other).expect("free now"));
    assert!(matches!(Service::acquire(rig.library(), "a\0b"), Err(GatewayError::ZeroInText { .. })));
}

#[test]
fn many_threads_take_and_leave_the_service() {
    let rig = Rig::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let service = Service::acquire(rig.library(), APP_ID).expect("one or the other");
                    drop(Connection::open(&service, Receiving::default()).expect("opened"));
                }
            });
        }
    });
}

#[test]
fn a_service_that_does_not_start_leaves_nothing() {
    let rig = Rig::new();
    rig.misbehave("init_result", -7);
    let refused = Service::acquire(rig.library(), APP_ID).expect_err("refused");
    assert_eq!(refused.to_string(), "Agora's library refused to start: not initialised (7)");
    rig.expect_nothing_in_use();
    rig.behave("init_result");
    drop(Service::acquire(rig.library(), APP_ID).expect("started"));
}

#[test]
fn every_order_of_dropping_is_safe() {
    let rig = Rig::new();
    // Which of service, first person, second person, picture sender, sound sender, slot goes when.
    for order in 0..720_usize {
        // Each order costs two joins: a part of them, spread over all.
        if order % 37 != 0 {
            continue;
        }
        let service = Service::acquire(rig.library(), APP_ID).expect("started");
        let mut a = Person::joined(&rig, &service, 11, 22);
        let b = Person::joined(&rig, &service, 22, 11);
        let video = a.connection.publish_video(&ENCODING).expect("published");
        let audio = a.connection.publish_audio().expect("published");
        video.send(&picture()).expect("sent");
        audio.send(&block()).expect("sent");
        let slot = Arc::clone(&b.pictures);
        let mut parts: Vec<Box<dyn std::any::Any>> = vec![
            Box::new(service),
            Box::new(a),
            Box::new(b),
            Box::new(Arc::clone(&video)),
            Box::new(Arc::clone(&audio)),
            Box::new(slot),
        ];
        let mut rest = order;
        while !parts.is_empty() {
            let next = rest % parts.len();
            rest /= parts.len();
            drop(parts.remove(next));
        }
        assert_eq!(video.send(&picture()), Err(GatewayError::Closed));
        assert_eq!(audio.send(&block()), Err(GatewayError::Closed));
        rig.expect_nothing_in_use();
    }
}

#[test]
fn closing_twice_is_closing_once_and_a_closed_one_refuses() {
    let rig = Rig::new();
    let service = Service::acquire(rig.library(), APP_ID).expect("started");
    let mut person = Person::joined(&rig, &service, 11, 22);
    person.connection.close();
    person.connection.close();
    assert_eq!(person.connection.publish_audio().err(), Some(GatewayError::Closed));
    assert_eq!(person.connection.renew_token(&Token("007".into())), Err(GatewayError::Closed));
    assert_eq!(person.connection.connect(&rig.token(11, 60), rig.channel(), 11), Err(GatewayError::Closed));
    assert_eq!(rig.standin().get("connections"), 0);
}

#[test]
fn a_connection_that_never_joined_is_closed_like_one_that_did() {
    let rig = Rig::new();
    let service = Service::acquire(rig.library(), APP_ID).expect("started");
    drop(Connection::open(&service, Receiving::default()).expect("opened"));
    let mut refused = Connection::open(&service, Receiving::default()).expect("opened");
    let zero = refused.connect(&Token("a\0b".into()), rig.channel(), 11);
    assert_eq!(zero, Err(GatewayError::ZeroInText { what: "the token" }));
}

#[test]
fn senders_are_used_while_the_connection_closes() {
    let rig = Rig::new();
    for _ in 0..20 {
        let service = Service::acquire(rig.library(), APP_ID).expect("started");
        let mut person = Person::joined(&rig, &service, 11, 22);
        let video = person.connection.publish_video(&ENCODING).expect("published");
        let audio = person.connection.publish_audio().expect("published");
        std::thread::scope(|scope| {
            scope.spawn(|| while video.send(&picture()) != Err(GatewayError::Closed) {});
            scope.spawn(|| while audio.send(&block()) != Err(GatewayError::Closed) {});
            assert!(eventually(|| video.sent_count() > 5));
            person.connection.close();
        });
    }
}

#[test]
fn callbacks_race_with_the_close_and_come_after_it() {
    let rig = Rig::new();
    rig.misbehave("late_callbacks", 1);
    rig.misbehave("burst", 20);
    let service = Service::acquire(rig.library(), APP_ID).expect("started");
    let mut sending = Person::joined(&rig, &service, 22, 11);
    let video = sending.connection.publish_video(&ENCODING).expect("published");
    sending.expect(&Event::Published(parley_agora::gateway::Track::Video));
    let before = late_callbacks();
    for _ in 0..20 {
        let mut person = Person::joined(&rig, &service, 11, 22);
        assert!(eventually(|| {
            video.send(&picture()).expect("sent");
            person.pictures.try_take().is_some()
        }));
        person.connection.close();
        // What waits was told before; nothing is told any more.
        person.events.clear();
        person.pictures.try_take();
        assert_eq!(person.events.next(Instant::now() + Duration::from_millis(20)), None);
        assert!(person.pictures.try_take().is_none());
    }
    assert!(eventually(|| late_callbacks() > before), "late ones came and found nothing");
    drop((sending, video, service));
}

/// What the stand-in's late callbacks tell of.
const GHOST: u32 = 4_242;

#[test]
fn a_late_callback_does_not_reach_the_next_connection_of_the_same_handle() {
    let rig = Rig::new();
    rig.misbehave("late_callbacks", 1);
    rig.misbehave("reuse_handles", 1);
    let service = Service::acquire(rig.library(), APP_ID).expect("started");
    let mut late = 0;
    assert!(eventually(|| {
        let (events, pictures) = (Arc::new(Events::new()), Arc::default());
        let sound = Arc::new(AudioQueue::new(100));
        let receiving = || Receiving {
            events: Arc::clone(&events),
            pictures: vec![Arc::new(PictureSink::new(GHOST, Arc::clone(&pictures)))],
            sound: Some(Arc::new(SoundSink::new(GHOST, Arc::clone(&sound)))),
        };
        drop(Connection::open(&service, receiving()).expect("opened"));
        let before = late_callbacks();
        // It is made of the same handles, and what is told of the first one while it is open is not for it.
        let next = Connection::open(&service, receiving()).expect("opened");
        assert_eq!(events.next(Instant::now() + Duration::from_millis(100)), None);
        assert_eq!((pictures.try_take().is_some(), sound.pop().is_some()), (false, false));
        drop(next);
        late += late_callbacks() - before;
        late > 20
    }));
}

#[test]
fn a_panic_in_a_callback_stays_inside() {
    let rig = Rig::new();
    let service = Service::acquire(rig.library(), APP_ID).expect("started");
    let mut sending = Person::joined(&rig, &service, 22, 11);
    let video = sending.connection.publish_video(&ENCODING).expect("published");
    let person = Person::joined(&rig, &service, 11, 22);
    let before = panics();
    // The panics would fill the log.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    faults::panic_in_callbacks(true);
    let grey = Grey::start(64, 36, 90);
    let panicked = eventually(|| {
        if let Some(frame) = grey.frames.try_take() {
            video.send(&frame).expect("sent");
        }
        panics() > before + 20
    });
    faults::panic_in_callbacks(false);
    std::panic::set_hook(hook);
    assert!(panicked);
    // Everything goes on.
    assert!(eventually(|| {
        if let Some(frame) = grey.frames.try_take() {
            video.send(&frame).expect("sent");
        }
        person.pictures.try_take().is_some()
    }));
}

#[test]
fn data_messages_arrive_in_order_and_within_the_limits() {
    let rig = Rig::new();
    let service = Service::acquire(rig.library(), APP_ID).expect("started");
    let mut a = Person::joined(&rig, &service, 11, 22);
    let b = Person::joined(&rig, &service, 22, 11);
    a.expect(&Event::UserJoined(22));
    let streams: Vec<_> = (0..5).map(|_| a.connection.open_stream().expect("opened")).collect();
    assert_eq!(a.connection.open_stream(), Err(GatewayError::TooManyStreams { limit: 5 }));
    let stream = streams[0];
    for data in [&b"one"[..], b"2", b"three \xff\x00"] {
        a.connection.send_message(stream, data).expect("sent");
    }
    let deadline = Instant::now() + PATIENCE;
    let mut messages = Vec::new();
    while messages.len() < 3 && Instant::now() < deadline {
        if let Some(Event::Message { from, data, .. }) = b.events.next(deadline) {
            messages.push((from, data));
        }
    }
    assert_eq!(messages, [(11, b"one".to_vec()), (11, b"2".to_vec()), (11, b"three \xff\x00".to_vec())]);
    let long = GatewayError::MessageTooLong { bytes: 1_025, limit: 1_024 };
    assert_eq!(a.connection.send_message(stream, &[0; 1_025]), Err(long));
    // How many a second has room for is another test's business: this machine may be slow.
    let refusal = (0..10_000).find_map(|_| a.connection.send_message(stream, b"x").err());
    assert_eq!(refusal, Some(GatewayError::TooManyMessages));
}
