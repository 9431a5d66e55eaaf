//! What the SDK tells, on its threads: copied, sorted by participant, and gone.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use agora_sys::gateway::{agora_audio_frame, agora_rtc_stats, agora_video_frame};

use tokio::sync::mpsc;

use super::{
    Incoming, Listener,
    devices::{DeviceEvent, DeviceKind, permille},
    events::{self, Event, Stats},
    requests::engine::Connection,
};
use crate::{
    codes::{ChangedReason, ConnectionState, ErrorCode, OfflineReason, RemoteState, TrackState},
    gateway::{Event as Told, Track, context::Context},
};

/// The number under which pictures of our own camera go.
pub(super) const OURSELVES: u32 = 0;

/// Kinds of devices, by the SDK's list.
pub(super) const SPEAKER: i32 = 0;
pub(super) const MICROPHONE: i32 = 1;
pub(super) const CAMERA_DEVICE: i32 = 3;
/// The state of own sound and pictures that have failed (FACTS A7: remote/local state).
pub(super) const LOCAL_FAILED: i32 = 3;

/// Hears one engine.
pub(super) struct Receiver {
    /// The meeting's channel.
    channel: String,
    /// Each participant of ours, with what belongs to it: ourselves, and our shared screen.
    participants: Vec<(u32, Arc<Context>)>,
    /// What is told of nobody: errors, our own pictures.
    main: Arc<Context>,
    devices: Option<mpsc::Sender<DeviceEvent>>,
    unknown: AtomicU64,
    damaged: AtomicU64,
}

impl Receiver {
    /// Hears what concerns `participants` in `channel`; the first of them is ourselves.
    pub(super) fn new(channel: String, main: (u32, Arc<Context>), screen: Option<(u32, Arc<Context>)>) -> Self {
        let context = Arc::clone(&main.1);
        let participants = std::iter::once(main).chain(screen).collect();
        let (unknown, damaged) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { channel, participants, main: context, devices: None, unknown, damaged }
    }

    /// Tells `devices` what happens to the SDK's own devices; what finds no room there is left out.
    pub(super) fn with_devices(self, devices: mpsc::Sender<DeviceEvent>) -> Self {
        Self { devices: Some(devices), ..self }
    }

    fn tell_devices(&self, event: DeviceEvent) {
        if let Some(devices) = &self.devices
            && devices.try_send(event).is_err()
        {
            tracing::debug!("an event of a device was not taken in time");
        }
    }

    /// Events that we don't understand.
    pub(super) fn unknown_count(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    /// Events whose JSON is damaged.
    pub(super) fn damaged_count(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// What belongs to a participant of ours; an event of another channel is one of an earlier call.
    fn of(&self, connection: &Connection) -> Option<&Context> {
        if connection.channel_id != self.channel {
            return None;
        }
        let found = self.participants.iter().find(|(uid, _)| *uid == connection.local_uid);
        found.map(|(_, context)| &**context)
    }

    fn tell(&self, connection: &Connection, event: Told) {
        if let Some(context) = self.of(connection) {
            context.tell(event);
        }
    }

    fn sort(&self, event: Event, incoming: &Incoming<'_>) {
        match event {
            Event::Joined(of) => self.tell(&of.connection, Told::Connected),
            Event::Rejoined(of) => self.tell(&of.connection, Told::Reconnected),
            Event::StateChanged(of) => {
                if let Some(told) = state_changed(of.state.into(), of.reason.into()) {
                    self.tell(&of.connection, told);
                }
            }
            Event::Lost(of) => self.tell(&of.connection, Told::Lost),
            Event::TokenWillExpire(of) => self.tell(&of.connection, Told::TokenExpiring),
            Event::TokenExpired(of) => self.tell(&of.connection, Told::TokenExpired),
            Event::TokenRenewed(of) => {
                if of.code != 0 {
                    tracing::warn!(code = of.code, "Agora's servers did not take a new token");
                }
            }
            Event::LicenseRefused(of) => self.tell(&of.connection, Told::LicenseRefused(of.reason)),
            Event::Error(of) => self.main.tell(Told::Error(ErrorCode::from(of.err))),
            Event::UserJoined(of) => self.tell(&of.connection, Told::UserJoined(of.remote_uid)),
            Event::UserOffline(of) => {
                self.tell(&of.connection, Told::UserLeft(of.remote_uid, OfflineReason::from(of.reason)));
            }
            Event::RemoteVideo(of) => self.remote_state(&of, Track::Video),
            Event::RemoteAudio(of) => self.remote_state(&of, Track::Audio),
            Event::VideoPublished(of) => {
                if TrackState::from(of.new_state) == TrackState::Done {
                    tracing::debug!(source = of.source, "our pictures are being received by Agora's servers");
                    self.published(&of.channel, Track::Video);
                }
            }
            Event::AudioPublished(of) => {
                if TrackState::from(of.new_state) == TrackState::Done {
                    self.published(&of.channel, Track::Audio);
                }
            }
            Event::Stats(of) => {
                if let Some(context) = self.of(&of.connection) {
                    context.keep(&raw_stats(of.stats));
                }
            }
            Event::Message(of) => {
                let data = incoming.buffers[0].unwrap_or_default().to_vec();
                self.tell(&of.connection, Told::Message { from: of.remote_uid, stream: of.stream_id, data });
            }
            Event::MessagesLost(of) => {
                let (from, stream, count) = (of.remote_uid, of.stream_id, of.missed);
                self.tell(&of.connection, Told::MessagesLost { from, stream, count });
            }
            Event::LocalVideo(of) if of.state == LOCAL_FAILED => {
                self.tell_devices(DeviceEvent::PicturesFailed { source: of.source, reason: of.reason });
            }
            Event::LocalAudio(of) if of.state == LOCAL_FAILED => {
                self.tell_devices(DeviceEvent::SoundFailed { reason: of.reason });
            }
            Event::LocalVideo(_) | Event::LocalAudio(_) => {}
            Event::Picture(of) => {
                if of.channel_id == self.channel {
                    take_picture(&self.main, of.remote_uid, &of.video_frame, incoming);
                }
            }
            Event::OwnPicture(of) => take_picture(&self.main, OURSELVES, &of.video_frame, incoming),
            Event::Sound(of) => {
                if of.channel_id == self.channel {
                    take_sound(&self.main, of.uid, &of.audio_frame, incoming);
                }
            }
            Event::AudioDeviceChanged(of) | Event::VideoDeviceChanged(of) => {
                if let Some(kind) = device_kind(of.device_type) {
                    tracing::debug!(id = of.device_id, state = of.device_state, "a device has changed");
                    self.tell_devices(DeviceEvent::Changed(kind));
                }
            }
            Event::DeviceVolume(of) => {
                if let Some(kind) = device_kind(of.device_type) {
                    let (permille, muted) = (permille(of.volume), of.muted);
                    self.tell_devices(DeviceEvent::Volume { kind, permille, muted });
                }
            }
            Event::Volumes(of) => {
                if self.of(&of.connection).is_some() {
                    let loud = of.speakers.iter().map(|speaker| (speaker.uid, speaker.volume)).collect();
                    self.tell_devices(DeviceEvent::Loudness(loud));
                }
            }
        }
    }

    fn remote_state(&self, of: &events::RemoteState, track: Track) {
        // That it has begun is told by its first picture or sound.
        if matches!(RemoteState::from(of.state), RemoteState::Stopped | RemoteState::Failed) {
            self.tell(&of.connection, Told::Stopped(of.remote_uid, track));
        }
    }

    fn published(&self, channel: &str, track: Track) {
        if channel == self.channel {
            self.main.tell(Told::Published(track));
        }
    }
}

impl Listener for Receiver {
    fn on_event(&self, incoming: &Incoming<'_>) {
        match Event::parse(incoming.class, incoming.callback, incoming.data) {
            Ok(Some(event)) => self.sort(event, incoming),
            Ok(None) => {
                self.unknown.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                if self.damaged.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::warn!(callback = incoming.callback, %error, "a damaged event; more are only counted");
                }
            }
        }
    }
}

/// By the SDK's list of kinds (MediaDeviceType in its own sources).
fn device_kind(number: i32) -> Option<DeviceKind> {
    Some(match number {
        SPEAKER => DeviceKind::Speaker,
        MICROPHONE => DeviceKind::Microphone,
        CAMERA_DEVICE => DeviceKind::Camera,
        _ => return None,
    })
}

/// What a change of the connection means to us; joins are told by events of their own.
fn state_changed(state: ConnectionState, reason: ChangedReason) -> Option<Told> {
    match state {
        ConnectionState::Failed => Some(Told::Failed(reason)),
        ConnectionState::Disconnected if reason != ChangedReason::LeaveChannel => Some(Told::Disconnected(reason)),
        ConnectionState::Reconnecting => Some(Told::Reconnecting(reason)),
        _ => None,
    }
}

fn raw_stats(stats: Stats) -> agora_rtc_stats {
    agora_rtc_stats {
        tx_k_bit_rate: within_16_bits(stats.tx_k_bit_rate),
        rx_k_bit_rate: within_16_bits(stats.rx_k_bit_rate),
        lastmile_delay: within_16_bits(stats.lastmile_delay),
        gateway_rtt: stats.gateway_rtt.try_into().unwrap_or_default(),
        tx_packet_loss_rate: stats.tx_packet_loss_rate.try_into().unwrap_or_default(),
        ..agora_rtc_stats::default()
    }
}

fn within_16_bits(number: i64) -> u16 {
    u16::try_from(number.max(0)).unwrap_or(u16::MAX)
}

fn take_picture(context: &Context, uid: u32, frame: &events::VideoFrame, incoming: &Incoming<'_>) {
    let raw = lend_picture(frame, incoming);
    // SAFETY: `lend_picture` names planes only that are as long as the picture says, and they stay during the callback.
    unsafe { context.take_picture(uid, &raw) };
}

/// The picture as the other interface would lend it; a plane that is too short becomes a missing one.
fn lend_picture(frame: &events::VideoFrame, incoming: &Incoming<'_>) -> agora_video_frame {
    let chroma = (i64::from(frame.width) + 1) / 2;
    let chroma_rows = (i64::from(frame.height) + 1) / 2;
    let plane = |at: usize, stride: i32, width: i64, rows: i64| {
        let needed = i64::from(stride).saturating_mul(rows - 1).saturating_add(width);
        let enough = |bytes: &&[u8]| i64::try_from(bytes.len()).is_ok_and(|length| length >= needed);
        incoming.buffers[at].filter(enough).map_or(std::ptr::null_mut(), |bytes| bytes.as_ptr().cast_mut())
    };
    agora_video_frame {
        type_: frame.r#type,
        width: frame.width,
        height: frame.height,
        y_stride: frame.y_stride,
        u_stride: frame.u_stride,
        v_stride: frame.v_stride,
        y_buffer: plane(0, frame.y_stride, frame.width.into(), frame.height.into()),
        u_buffer: plane(1, frame.u_stride, chroma, chroma_rows),
        v_buffer: plane(2, frame.v_stride, chroma, chroma_rows),
        rotation: frame.rotation,
        ..agora_video_frame::default()
    }
}

fn take_sound(context: &Context, uid: u32, frame: &events::AudioFrame, incoming: &Incoming<'_>) {
    let sizes = [frame.samples_per_channel, frame.channels, frame.bytes_per_sample];
    let needed = sizes.into_iter().fold(1_i64, |product, size| product.saturating_mul(size.into()));
    let enough = |bytes: &&[u8]| i64::try_from(bytes.len()).is_ok_and(|length| length >= needed);
    let samples = incoming.buffers[0].filter(enough);
    let raw = agora_audio_frame {
        type_: frame.r#type,
        samples_per_channel: frame.samples_per_channel,
        bytes_per_sample: frame.bytes_per_sample,
        channels: frame.channels,
        samples_per_sec: frame.samples_per_sec,
        buffer: samples.map_or(std::ptr::null_mut(), |bytes| bytes.as_ptr().cast_mut().cast()),
        ..agora_audio_frame::default()
    };
    // SAFETY: the buffer is null or as long as these numbers say, and stays during the callback.
    unsafe { context.take_sound(uid, &raw) };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parley_call::{AudioQueue, I420Frame, LatestSlot};
    use proptest::prelude::*;

    use super::*;
    use crate::gateway::{Events, PictureSink, SoundSink};

    const US: u32 = 7;
    const OUR_SCREEN: u32 = 8;
    const PEER: u32 = 9;

    struct Bench {
        receiver: Receiver,
        ours: Arc<Events>,
        screens: Arc<Events>,
        pictures: Arc<LatestSlot<I420Frame>>,
        camera: Arc<PictureSink>,
        sound: Arc<AudioQueue>,
        devices: mpsc::Receiver<DeviceEvent>,
    }

    fn bench() -> Bench {
        let (ours, screens) = (Arc::new(Events::new()), Arc::new(Events::new()));
        let (pictures, sound) = (Arc::new(LatestSlot::new()), Arc::new(AudioQueue::new(8)));
        let camera = Arc::new(PictureSink::new(PEER, Arc::clone(&pictures)));
        let voice = Arc::new(SoundSink::new(PEER, Arc::clone(&sound)));
        let context = Context::new(Arc::clone(&ours), vec![Arc::clone(&camera)], Some(voice));
        let screen = Context::new(Arc::clone(&screens), Vec::new(), None);
        let (events, devices) = mpsc::channel(4);
        let receiver = Receiver::new("c".to_owned(), (US, context), Some((OUR_SCREEN, screen))).with_devices(events);
        Bench { receiver, ours, screens, pictures, camera, sound, devices }
    }

    fn hear(bench: &Bench, class: &str, callback: &str, data: &str, buffers: &[&[u8]]) {
        let mut lent = [None; 8];
        for (to, bytes) in lent.iter_mut().zip(buffers) {
            *to = Some(*bytes);
        }
        bench.receiver.on_event(&Incoming { class, callback, data: data.as_bytes(), buffers: lent });
    }

    fn engine_event(bench: &Bench, callback: &str, data: &str) {
        hear(bench, "RtcEngineEventHandler", callback, data, &[]);
    }

    fn next(events: &Events) -> Option<Told> {
        events.next(std::time::Instant::now())
    }

    #[test]
    fn each_participant_hears_its_own_and_other_channels_are_nobodys() {
        let bench = bench();
        let joined = |channel: &str, uid: u32| {
            let data = format!(r#"{{"connection":{{"channelId":"{channel}","localUid":{uid}}},"elapsed":1}}"#);
            engine_event(&bench, "onJoinChannelSuccess", &data);
        };
        joined("c", OUR_SCREEN);
        assert_eq!((next(&bench.ours), next(&bench.screens)), (None, Some(Told::Connected)));
        joined("c", US);
        assert_eq!((next(&bench.ours), next(&bench.screens)), (Some(Told::Connected), None));
        joined("before", US);
        joined("c", 4_711);
        assert_eq!((next(&bench.ours), next(&bench.screens)), (None, None));
    }

    #[test]
    fn leaving_by_ourselves_is_no_loss_and_everything_else_is() {
        let bench = bench();
        let changed = |state: i32, reason: i32| {
            let connection = r#"{"channelId":"c","localUid":7}"#;
            let data = format!(r#"{{"connection":{connection},"state":{state},"reason":{reason}}}"#);
            engine_event(&bench, "onConnectionStateChanged", &data);
            next(&bench.ours)
        };
        assert_eq!(changed(1, 5), None);
        assert_eq!(changed(2, 0), None);
        assert_eq!(changed(3, 1), None);
        assert_eq!(changed(1, 3), Some(Told::Disconnected(ChangedReason::BannedByServer)));
        assert_eq!(changed(4, 2), Some(Told::Reconnecting(ChangedReason::Interrupted)));
        assert_eq!(changed(5, 8), Some(Told::Failed(ChangedReason::InvalidToken)));
        assert_eq!(changed(5, 99), Some(Told::Failed(ChangedReason::Unknown(99))));
    }

    #[test]
    fn figures_that_are_not_known_yet_do_not_lose_the_others() {
        let bench = bench();
        let stats = r#"{"txKBitRate":70000,"rxKBitRate":-1,"lastmileDelay":40,"gatewayRtt":-1,"txPacketLossRate":-1}"#;
        let data = format!(r#"{{"connection":{{"channelId":"c","localUid":{US}}},"stats":{stats}}}"#);
        engine_event(&bench, "onRtcStats", &data);
        let told = bench.receiver.main.stats().expect("told");
        assert_eq!((told.send_bitrate, told.receive_bitrate, told.sent_loss), (65_535_000, 0, 0.0));
        assert_eq!(told.round_trip, std::time::Duration::from_millis(40));
    }

    #[test]
    fn devices_are_told_of_and_a_full_channel_loses_only_the_rest() {
        let mut bench = bench();
        for kind in [0, 1, 3, 2, -1, 77] {
            let data = format!(r#"{{"deviceId":"x","deviceType":{kind},"deviceState":1}}"#);
            engine_event(&bench, "onAudioDeviceStateChanged", &data);
        }
        let kinds = [DeviceKind::Speaker, DeviceKind::Microphone, DeviceKind::Camera];
        for kind in kinds {
            assert_eq!(bench.devices.try_recv().ok(), Some(DeviceEvent::Changed(kind)));
        }
        engine_event(&bench, "onAudioDeviceVolumeChanged", r#"{"deviceType":0,"volume":255,"muted":true}"#);
        let loud = DeviceEvent::Volume { kind: DeviceKind::Speaker, permille: 1_000, muted: true };
        assert_eq!(bench.devices.try_recv().ok(), Some(loud));
        engine_event(&bench, "onLocalVideoStateChanged", r#"{"source":0,"state":3,"reason":5}"#);
        engine_event(&bench, "onLocalVideoStateChanged", r#"{"source":0,"state":1,"reason":0}"#);
        engine_event(&bench, "onLocalAudioStateChanged", r#"{"connection":{},"state":3,"reason":2}"#);
        assert_eq!(bench.devices.try_recv().ok(), Some(DeviceEvent::PicturesFailed { source: 0, reason: 5 }));
        assert_eq!(bench.devices.try_recv().ok(), Some(DeviceEvent::SoundFailed { reason: 2 }));
        for _ in 0..50 {
            engine_event(
                &bench,
                "onAudioVolumeIndication",
                r#"{"connection":{"channelId":"c","localUid":7},"speakers":[{"uid":0,"volume":9,"vad":1}],"speakerNumber":1}"#,
            );
        }
        assert_eq!(bench.devices.try_recv().ok(), Some(DeviceEvent::Loudness(vec![(0, 9)])));
    }

    #[test]
    fn what_is_not_known_or_damaged_is_counted() {
        let bench = bench();
        engine_event(&bench, "onSomethingNew", "{}");
        engine_event(&bench, "onUserJoined", "{");
        engine_event(&bench, "onUserJoined", "");
        assert_eq!((bench.receiver.unknown_count(), bench.receiver.damaged_count()), (1, 2));
        assert_eq!(next(&bench.ours), None);
    }

    fn picture(width: i32, height: i32, strides: [i32; 3]) -> String {
        let [y, u, v] = strides;
        format!(
            r#"{{"channelId":"c","remoteUid":{PEER},"videoFrame":{{"type":1,"width":{width},"height":{height},
                "yStride":{y},"uStride":{u},"vStride":{v},"rotation":0}}}}"#
        )
    }

    #[test]
    fn a_plane_that_is_shorter_than_its_picture_is_not_read() {
        let bench = bench();
        let (luma, chroma) = (vec![90; 16 * 8], vec![128; 8 * 4]);
        let show = |y: &[u8], u: &[u8], v: &[u8]| {
            hear(&bench, "VideoFrameObserver", "onRenderVideoFrame", &picture(16, 8, [16, 8, 8]), &[y, u, v]);
            bench.pictures.try_take()
        };
        assert!(show(&luma, &chroma, &chroma).is_some());
        assert!(show(&luma[1..], &chroma, &chroma).is_none());
        assert!(show(&luma, &chroma[1..], &chroma).is_none());
        assert!(show(&luma, &chroma, &[]).is_none());
        assert_eq!(bench.camera.damaged_count(), 3);
        hear(&bench, "VideoFrameObserver", "onRenderVideoFrame", &picture(16, 8, [16, 8, 8]), &[]);
        assert_eq!(bench.camera.damaged_count(), 4);
    }

    #[test]
    fn sound_that_is_shorter_than_it_says_is_not_read() {
        let bench = bench();
        let data = format!(
            r#"{{"channelId":"c","uid":{PEER},"audioFrame":{{"type":0,"samplesPerChannel":480,"bytesPerSample":2,
                "channels":1,"samplesPerSec":48000}}}}"#
        );
        let play = |bytes: &[u8]| {
            hear(&bench, "AudioFrameObserver", "onPlaybackAudioFrameBeforeMixing", &data, &[bytes]);
            bench.sound.pop().is_some()
        };
        assert!(play(&[1; 960]));
        assert!(!play(&[1; 959]));
        assert!(!play(&[]));
    }

    proptest! {
        /// Reading beyond a buffer would end the process, or be seen by the address sanitizer.
        #[test]
        fn whatever_the_numbers_say_only_what_was_lent_is_read(
            width in any::<i32>(), height in any::<i32>(), strides in any::<[i32; 3]>(), small in 0..64_i32,
            lengths in proptest::array::uniform3(0..5_000_usize), sizes in any::<[i32; 4]>(), tiny in 0..600_i32,
        ) {
            let bench = bench();
            let planes = lengths.map(|length| vec![1_u8; length]);
            let lent = [&planes[0][..], &planes[1][..], &planes[2][..]];
            for text in [picture(width, height, strides), picture(small, small, [small, small, small])] {
                hear(&bench, "VideoFrameObserver", "onRenderVideoFrame", &text, &lent);
            }
            for [samples, channels, bytes, rate] in [sizes, [tiny, 1, 2, 48_000], [tiny, 2, 2, 48_000]] {
                let data = format!(
                    r#"{{"channelId":"c","uid":{PEER},"audioFrame":{{"type":0,"samplesPerChannel":{samples},
                        "bytesPerSample":{bytes},"channels":{channels},"samplesPerSec":{rate}}}}}"#
                );
                hear(&bench, "AudioFrameObserver", "onPlaybackAudioFrameBeforeMixing", &data, &lent);
            }
        }
    }
}
