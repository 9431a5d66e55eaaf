//! What lies between the library's threads and ours: a panic stays where it is, nobody is called after the end, and the
//! SDK ends in its order whatever was going on.
#![cfg(target_os = "linux")]

#[path = "common/iris_standin.rs"]
mod iris_standin;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use iris_standin::{A, APP_ID, B, CHANNEL, World, token, until};
use parley_agora::iris::{
    Api, Attachment, Incoming, IrisError, Listener, Rtc, SoundPath,
    requests::{
        engine::{ChannelMediaOptions, Connection, EnableVideo, GetVersion},
        media::{ExternalVideoFrame, PushVideoFrame},
    },
};

/// Counts what it hears; panics if it is told to.
#[derive(Default)]
struct Ears {
    heard: AtomicU64,
    panics: AtomicBool,
}

impl Listener for Ears {
    fn on_event(&self, _event: &Incoming<'_>) {
        self.heard.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics.load(Ordering::Relaxed), "as the test wants it");
    }
}

fn ears() -> (Arc<Ears>, Arc<dyn Listener>) {
    let ears = Arc::new(Ears::default());
    (Arc::clone(&ears), ears)
}

fn join(rtc: &Rtc, uid: u32) {
    let connection = Connection { channel_id: CHANNEL.to_owned(), local_uid: uid };
    let options = ChannelMediaOptions {
        client_role_type: Some(1),
        channel_profile: Some(1),
        auto_subscribe_audio: Some(true),
        auto_subscribe_video: Some(true),
        ..ChannelMediaOptions::default()
    };
    rtc.join(connection, token(CHANNEL, uid, std::time::Duration::from_secs(600)), options).expect("begun");
}

/// The whole program would end if a panic left a callback.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_a_callback_stays_there_and_the_sdk_goes_on() {
    let world = World::new();
    let (copy, other) = (world.copy(), world.copy());
    let (ears, listener) = ears();
    ears.panics.store(true, Ordering::Relaxed);
    let rtc = Rtc::start(&copy.library, APP_ID, SoundPath::Ours, &listener).expect("it begins");
    join(&rtc, A);
    until("some callbacks have panicked", || rtc.callback_panics() > 1).await;
    let second = Rtc::start(&other.library, APP_ID, SoundPath::Ours, &ears_of_nobody()).expect("it begins");
    join(&second, B);
    let before = rtc.callback_panics();
    until("more callbacks have panicked", || rtc.callback_panics() > before).await;
    ears.panics.store(false, Ordering::Relaxed);
    let heard = ears.heard.load(Ordering::Relaxed);
    drop(second);
    until("the rest is heard", || ears.heard.load(Ordering::Relaxed) > heard).await;
    assert_eq!(rtc.api().call(&GetVersion {}).expect("it still answers").result, "4.6.2");
}

fn ears_of_nobody() -> Arc<dyn Listener> {
    ears().1
}

/// With the stand-in calling on for 200 ms after everything was unregistered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_anything_after_the_end() {
    for _ in 0..3 {
        let world = World::new();
        let copy = world.copy();
        copy.set("late_callbacks", 1);
        let (ears, listener) = ears();
        let rtc = Rtc::start(&copy.library, APP_ID, SoundPath::Ours, &listener).expect("it begins");
        join(&rtc, A);
        until("something is heard", || ears.heard.load(Ordering::Relaxed) > 0).await;
        drop(rtc);
        drop(listener);
        // Ours is the last one: whoever is called now finds nobody.
        let ears = Arc::into_inner(ears).expect("nobody else has it");
        let heard = ears.heard.load(Ordering::Relaxed);
        let (_, next) = self::ears();
        let again = Rtc::start(&copy.library, APP_ID, SoundPath::Ours, &next).expect("it begins again");
        drop(again);
        assert_eq!(ears.heard.load(Ordering::Relaxed), heard);
        copy.set("late_callbacks", 0);
    }
}

#[test]
fn one_copy_holds_one_engine_at_a_time() {
    let world = World::new();
    let copy = world.copy();
    let first = Api::create(&copy.library).expect("made");
    assert!(matches!(Api::create(&copy.library), Err(IrisError::InUse)));
    drop(first);
    drop(Api::create(&copy.library).expect("made again"));
}

#[test]
fn calls_in_a_wrong_state_are_errors() {
    let world = World::new();
    let copy = world.copy();
    let api = Api::create(&copy.library).expect("made");
    assert!(matches!(api.call(&EnableVideo {}), Err(IrisError::Refused { code: 7, .. })), "not initialised");
    drop(api);
    let (_, listener) = ears();
    let rtc = Rtc::start(&copy.library, APP_ID, SoundPath::Ours, &listener).expect("it begins");
    let frame = ExternalVideoFrame { r#type: 1, format: 1, stride: 4, height: 2, rotation: 0, timestamp: 0 };
    let push = PushVideoFrame { frame, video_track_id: 4_711 };
    let mut attachments = [12, 0, 0, 0, 0].map(|length| Attachment::Bytes(&[0; 12][..length]));
    assert!(
        matches!(rtc.api().call_with(&push, &mut attachments), Err(IrisError::Refused { code: 2, .. })),
        "no track"
    );
    let wrong_app = Rtc::start(&world.copy().library, "not an app id", SoundPath::Ours, &listener);
    assert!(matches!(wrong_app, Err(IrisError::Refused { code: 101, .. })));
    let complaints = world.last().complaints();
    assert!(complaints.contains("appId"), "{complaints}");
}
