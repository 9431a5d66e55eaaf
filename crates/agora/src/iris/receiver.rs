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
            Event::LocalVideo(of) => {
                tracing::debug!(source = of.source, state = of.state, reason = of.reason, "own video")
            }
            Event::LocalAudio(of) => tracing::debug!(state = of.state, reason = of.reason, "own sound"),
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
        tx_k_bit_rate: stats.tx_k_bit_rate.try_into().unwrap_or_default(),
        rx_k_bit_rate: stats.rx_k_bit_rate.try_into().unwrap_or_default(),
        lastmile_delay: stats.lastmile_delay.try_into().unwrap_or_default(),
        gateway_rtt: stats.gateway_rtt.try_into().unwrap_or_default(),
        tx_packet_loss_rate: stats.tx_packet_loss_rate.try_into().unwrap_or_default(),
        ..agora_rtc_stats::default()
    }
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
