//! Cameras, microphones, loudspeakers and screens of the SDK's own, as the stand-in makes them up.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(target_os = "linux")]

#[path = "common/iris_standin.rs"]
mod iris_standin;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use iris_standin::{APP_ID, Buzz, End, World, credentials, until};
use parley_agora::iris::{
    DeviceKind, Incoming, IrisEngine, IrisError, LONGEST_MESSAGE, Listener, NoiseSuppression, OwnDevices, Rtc, Sharing,
    SoundPath, SourceId, SourceKind,
};
use parley_call::{Attempt, AudioQueue, EngineEvent, MediaEngine, suite::Side};

#[derive(Default)]
struct Ears {
    pictures: AtomicU64,
    last: Mutex<String>,
}

impl Listener for Ears {
    fn on_event(&self, event: &Incoming<'_>) {
        if event.callback == "onCaptureVideoFrame" {
            self.pictures.fetch_add(1, Ordering::Relaxed);
            *self.last.lock().expect("nobody panics with it") = String::from_utf8_lossy(event.data).into_owned();
        }
    }
}

fn start(world: &World) -> (Rtc, Arc<Ears>) {
    let ears = Arc::new(Ears::default());
    let listener: Arc<dyn Listener> = Arc::<Ears>::clone(&ears);
    let rtc = Rtc::start(&world.copy().library, APP_ID, SoundPath::Devices, &listener).expect("it begins");
    (rtc, ears)
}

#[test]
fn devices_are_listed_and_chosen() {
    let world = World::new();
    let (rtc, _) = start(&world);
    let devices = rtc.devices();
    for (kind, second) in
        [(DeviceKind::Camera, "camera-2"), (DeviceKind::Microphone, "microphone-2"), (DeviceKind::Speaker, "speaker-2")]
    {
        let listed = devices.list(kind).expect("a list");
        assert_eq!(listed.len(), 2, "{kind:?}");
        assert!(listed.iter().any(|device| device.id == second && !device.name.is_empty()));
        assert_ne!(devices.chosen(kind).expect("one"), second);
        devices.choose(kind, second).expect("chosen");
        assert_eq!(devices.chosen(kind).expect("one"), second);
        let unknown = devices.choose(kind, "no such device");
        assert!(matches!(unknown, Err(IrisError::Refused { code: 2, .. })), "{unknown:?}");
    }
    for kind in [DeviceKind::Microphone, DeviceKind::Speaker] {
        devices.set_volume(kind, 1_000).expect("set");
        assert_eq!(devices.volume(kind).expect("told"), Some(1_000));
        devices.set_volume(kind, 0).expect("set");
        assert_eq!(devices.volume(kind).expect("told"), Some(0));
    }
    assert_eq!(devices.volume(DeviceKind::Camera).expect("told"), None);
    for how in [NoiseSuppression::Strong, NoiseSuppression::Balanced, NoiseSuppression::Usual] {
        devices.suppress_noise(how).expect("set");
    }
    devices.enable_microphone(false).expect("closed");
    devices.enable_microphone(true).expect("open");
    devices.watch_loudness(Some(std::time::Duration::from_millis(200))).expect("watched");
    devices.watch_loudness(None).expect("no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_camera_brings_pictures_and_a_closed_one_none() {
    let world = World::new();
    let (rtc, ears) = start(&world);
    rtc.devices().open_camera().expect("open");
    until("pictures come", || ears.pictures.load(Ordering::Relaxed) > 3).await;
    assert!(ears.last.lock().unwrap().contains("\"sourceType\":0"));
    rtc.devices().close_camera().expect("closed");
}

#[test]
fn messages_need_a_channel_and_have_a_length() {
    let world = World::new();
    let (rtc, _) = start(&world);
    let stream = rtc.devices().open_messages();
    assert!(matches!(stream, Err(IrisError::Refused { code: 113, .. })), "not in a channel: {stream:?}");
    assert_eq!(LONGEST_MESSAGE, 1_024);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn screens_and_windows_are_listed_with_thumbnails_and_shared() {
    let world = World::new();
    let (rtc, ears) = start(&world);
    let listed = rtc.screens().list((160, 90)).expect("a list");
    let kinds: Vec<SourceKind> = listed.iter().map(|one| one.id.kind).collect();
    assert_eq!(kinds, [SourceKind::Screen, SourceKind::Screen, SourceKind::Window]);
    assert!(listed[0].is_primary && !listed[1].is_primary);
    // More than a floating-point number holds.
    assert_eq!(listed[2].id.number, 9_007_199_254_740_993);
    assert_eq!(listed[2].name, "notes – Editor");
    for (turn, one) in listed.iter().enumerate() {
        let thumbnail = one.thumbnail.as_ref().expect("a picture");
        assert_eq!((thumbnail.width, thumbnail.height, thumbnail.pixels.len()), (160, 90, 160 * 90 * 4));
        // Copied before the list was given back: the stand-in poisons it then.
        let first: Vec<u8> = thumbnail.pixels.chunks(4).map(|pixel| pixel[0]).collect();
        assert!(first.iter().all(|value| usize::from(*value) == 60 * (turn + 1)), "{turn}");
        assert!(thumbnail.pixels.chunks(4).all(|pixel| pixel[3] == 255));
    }
    let without = rtc.screens().list((0, 0)).expect("a list");
    assert!(without.iter().all(|one| one.thumbnail.is_none()));
    let how = Sharing { width: 1_280, height: 720, fps: 15, with_pointer: true };
    for one in &listed {
        rtc.screens().start(one.id, how).expect("it begins");
        let before = ears.pictures.load(Ordering::Relaxed);
        until("it is captured", || ears.pictures.load(Ordering::Relaxed) > before + 1).await;
        assert!(ears.last.lock().unwrap().contains("\"sourceType\":2"));
        rtc.screens().stop().expect("it ends");
    }
    let gone = rtc.screens().start(SourceId { kind: SourceKind::Window, number: 9_007_199_254_740_992 }, how);
    assert!(matches!(gone, Err(IrisError::Refused { code: 2, .. })), "{gone:?}");
}

/// Sound goes from the SDK's microphone to the other side, and what that one says is played by the SDK and not by us.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_can_use_the_sdks_own_devices() {
    let world = World::new();
    let (mut a, mut b) = (End::new(&world), End::new(&world));
    let (events, _happened) = tokio::sync::mpsc::channel(64);
    let pictures = Arc::new(parley_call::LatestSlot::new());
    let own = OwnDevices { events, pictures: Arc::clone(&pictures) };
    let mut engine = IrisEngine::with_own_devices(a.ports(), Arc::clone(&a.copy.library), own);
    assert!(engine.with_sdk(|_| ()).await.is_err(), "no call, no SDK");
    engine.join(Attempt(1), credentials(Side::A));
    b.join(1, Side::B);
    a.expect(EngineEvent::PeerConnected).await;
    b.expect(EngineEvent::PeerConnected).await;

    engine.publish_audio(Some(Arc::new(AudioQueue::new(1))));
    b.expect(EngineEvent::RemoteAudio(true)).await;
    let heard = Arc::clone(&b.audio);
    until("B hears A's microphone", || {
        heard.pop().is_some_and(|block| block.samples.iter().any(|sample| sample.unsigned_abs() > 1_000))
    })
    .await;
    let buzz = Buzz::start();
    b.engine().publish_audio(Some(Arc::clone(&buzz.blocks)));
    a.expect(EngineEvent::RemoteAudio(true)).await;
    assert!(a.audio.is_empty(), "the SDK plays it");

    let opened = engine.with_sdk(|rtc| rtc.devices().open_camera().and_then(|()| rtc.devices().publish_camera(true)));
    opened.await.expect("in a call").expect("opened");
    until("we see ourselves", || pictures.try_take().is_some()).await;
    let video = Arc::clone(&b.video);
    until("B sees A's own camera", || video.try_take().is_some_and(|frame| frame.width() == 640)).await;
    let shared = engine.with_sdk(|rtc| {
        let screens = rtc.screens();
        let first = screens.list((32, 18))?.first().map(|one| one.id);
        let how = Sharing { width: 1_280, height: 720, fps: 15, with_pointer: true };
        rtc.devices().publish_camera(false)?;
        screens.start(first.expect("a screen"), how)?;
        screens.publish(true)
    });
    shared.await.expect("in a call").expect("shared");
    until("B sees A's screen", || video.try_take().is_some_and(|frame| frame.width() == 1_280)).await;

    engine.publish_audio(None);
    b.expect(EngineEvent::RemoteAudio(false)).await;
    let sent = engine.with_sdk(|rtc| {
        let stream = rtc.devices().open_messages()?;
        let too_long = rtc.devices().send_message(stream, &[7; LONGEST_MESSAGE + 1]);
        assert!(matches!(too_long, Err(IrisError::TooLong { .. })));
        rtc.devices().send_message(stream, b"hello")
    });
    sent.await.expect("in a call").expect("sent");
    drop(engine);
    b.expect(EngineEvent::PeerLeft).await;
}
