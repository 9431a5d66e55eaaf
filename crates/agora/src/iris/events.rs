//! The events that we understand, each with the keys that we read (FACTS B2, "Events").

use serde::{Deserialize, Serialize};

use super::{keys::keys_of, requests::engine::Connection};

/// What one event is called and which JSON keys we read of it, for the comparison with Agora's own sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribedEvent {
    /// The observer's class, as `RtcEngineEventHandler`.
    pub class: &'static str,
    /// The callback.
    pub callback: &'static str,
    /// Keys.
    pub keys: &'static [&'static str],
}

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $event:ident($payload:ty) = $class:ident.$callback:ident;)+) => {
        /// An event, typed.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum Event {
            $($(#[doc = $doc])+ $event($payload),)+
        }

        impl Event {
            /// Reads an event; `None` for one that we don't understand.
            ///
            /// # Errors
            /// When its JSON is damaged or lacks what we need.
            pub(crate) fn parse(class: &str, callback: &str, data: &[u8]) -> Result<Option<Self>, serde_json::Error> {
                Ok(Some(match (class, callback) {
                    $((stringify!($class), stringify!($callback)) => Self::$event(serde_json::from_slice(data)?),)+
                    _ => return Ok(None),
                }))
            }
        }

        /// Every event that there is.
        pub fn described() -> Vec<DescribedEvent> {
            vec![$(DescribedEvent {
                class: stringify!($class),
                callback: stringify!($callback),
                keys: keys_of::<$payload>(),
            }),+]
        }
    };
}

events! {
    /// We are in.
    Joined(OfConnection) = RtcEngineEventHandler.onJoinChannelSuccess;
    /// We are in again, after an interruption.
    Rejoined(OfConnection) = RtcEngineEventHandler.onRejoinChannelSuccess;
    /// The connection has changed.
    StateChanged(StateChanged) = RtcEngineEventHandler.onConnectionStateChanged;
    /// No connection for ten seconds; the SDK goes on trying.
    Lost(OfConnection) = RtcEngineEventHandler.onConnectionLost;
    /// The token ends within thirty seconds.
    TokenWillExpire(OfConnection) = RtcEngineEventHandler.onTokenPrivilegeWillExpire;
    /// The token has ended.
    TokenExpired(OfConnection) = RtcEngineEventHandler.onRequestToken;
    /// What became of a new token.
    TokenRenewed(TokenRenewed) = RtcEngineEventHandler.onRenewTokenResult;
    /// The licence of the App ID was refused.
    LicenseRefused(LicenseRefused) = RtcEngineEventHandler.onLicenseValidationFailure;
    /// Something went wrong.
    Error(ErrorTold) = RtcEngineEventHandler.onError;
    /// Somebody came.
    UserJoined(OfUser) = RtcEngineEventHandler.onUserJoined;
    /// Somebody went.
    UserOffline(UserOffline) = RtcEngineEventHandler.onUserOffline;
    /// Somebody's picture begins, stops or stands still.
    RemoteVideo(RemoteState) = RtcEngineEventHandler.onRemoteVideoStateChanged;
    /// Somebody's sound begins, stops or stands still.
    RemoteAudio(RemoteState) = RtcEngineEventHandler.onRemoteAudioStateChanged;
    /// How far our picture has come.
    VideoPublished(VideoPublished) = RtcEngineEventHandler.onVideoPublishStateChanged;
    /// How far our sound has come.
    AudioPublished(AudioPublished) = RtcEngineEventHandler.onAudioPublishStateChanged;
    /// How the path does, every two seconds.
    Stats(StatsTold) = RtcEngineEventHandler.onRtcStats;
    /// A short message; its bytes are in the first buffer.
    Message(Message) = RtcEngineEventHandler.onStreamMessage;
    /// Messages were lost.
    MessagesLost(MessagesLost) = RtcEngineEventHandler.onStreamMessageError;
    /// The SDK's own camera or screen capture began, stopped or failed.
    LocalVideo(LocalVideo) = RtcEngineEventHandler.onLocalVideoStateChanged;
    /// The SDK's own microphone began, stopped or failed.
    LocalAudio(LocalAudio) = RtcEngineEventHandler.onLocalAudioStateChanged;
    /// A microphone or loudspeaker was plugged in or out.
    AudioDeviceChanged(DeviceChanged) = RtcEngineEventHandler.onAudioDeviceStateChanged;
    /// A camera was plugged in or out.
    VideoDeviceChanged(DeviceChanged) = RtcEngineEventHandler.onVideoDeviceStateChanged;
    /// Somebody turned a device's volume.
    DeviceVolume(DeviceVolume) = RtcEngineEventHandler.onAudioDeviceVolumeChanged;
    /// How loud everyone is.
    Volumes(Volumes) = RtcEngineEventHandler.onAudioVolumeIndication;
    /// A picture of somebody else; its planes are in the first three buffers.
    Picture(RemotePicture) = VideoFrameObserver.onRenderVideoFrame;
    /// A picture of our own camera; its planes are in the first three buffers.
    OwnPicture(OwnPicture) = VideoFrameObserver.onCaptureVideoFrame;
    /// Sound of somebody else; its samples are in the first buffer.
    Sound(RemoteSound) = AudioFrameObserver.onPlaybackAudioFrameBeforeMixing;
}

/// Of one participant of ours.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct OfConnection {
    pub(crate) connection: Connection,
}

/// See [`Event::StateChanged`]; `state` and `reason` by FACTS A7.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct StateChanged {
    pub(crate) connection: Connection,
    pub(crate) state: i32,
    pub(crate) reason: i32,
}

/// See [`Event::TokenRenewed`]; 0 is well.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct TokenRenewed {
    pub(crate) connection: Connection,
    pub(crate) code: i32,
}

/// See [`Event::LicenseRefused`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct LicenseRefused {
    pub(crate) connection: Connection,
    pub(crate) reason: i32,
}

/// See [`Event::Error`]. The text that comes with it is not read: it may contain anything.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct ErrorTold {
    pub(crate) err: i32,
}

/// Of somebody.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OfUser {
    pub(crate) connection: Connection,
    pub(crate) remote_uid: u32,
}

/// See [`Event::UserOffline`]; `reason` by FACTS A7.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserOffline {
    pub(crate) connection: Connection,
    pub(crate) remote_uid: u32,
    pub(crate) reason: i32,
}

/// What somebody's track does; `state` by FACTS A7.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoteState {
    pub(crate) connection: Connection,
    pub(crate) remote_uid: u32,
    pub(crate) state: i32,
}

/// See [`Event::VideoPublished`]; 3 is done.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VideoPublished {
    pub(crate) channel: String,
    pub(crate) source: i32,
    pub(crate) new_state: i32,
}

/// See [`Event::AudioPublished`]; 3 is done.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AudioPublished {
    pub(crate) channel: String,
    pub(crate) new_state: i32,
}

/// See [`Event::Stats`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct StatsTold {
    pub(crate) connection: Connection,
    pub(crate) stats: Stats,
}

/// How the path does. Signed, since what is not known yet may be -1, and one such number must not lose the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Stats {
    /// Kbit/s that we send.
    pub(crate) tx_k_bit_rate: i64,
    /// Kbit/s that we receive.
    pub(crate) rx_k_bit_rate: i64,
    /// Milliseconds to the server and back.
    pub(crate) lastmile_delay: i64,
    /// Milliseconds to the gateway and back.
    pub(crate) gateway_rtt: i64,
    /// Per cent of our packets that got lost.
    pub(crate) tx_packet_loss_rate: i64,
}

/// See [`Event::Message`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) connection: Connection,
    pub(crate) remote_uid: u32,
    pub(crate) stream_id: i32,
}

/// See [`Event::MessagesLost`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessagesLost {
    pub(crate) connection: Connection,
    pub(crate) remote_uid: u32,
    pub(crate) stream_id: i32,
    pub(crate) missed: i32,
}

/// See [`Event::LocalVideo`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct LocalVideo {
    pub(crate) source: i32,
    pub(crate) state: i32,
    pub(crate) reason: i32,
}

/// See [`Event::LocalAudio`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct LocalAudio {
    pub(crate) state: i32,
    pub(crate) reason: i32,
}

/// See [`Event::AudioDeviceChanged`] and [`Event::VideoDeviceChanged`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceChanged {
    pub(crate) device_id: String,
    pub(crate) device_type: i32,
    pub(crate) device_state: i32,
}

/// See [`Event::DeviceVolume`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceVolume {
    pub(crate) device_type: i32,
    pub(crate) volume: i32,
    pub(crate) muted: bool,
}

/// See [`Event::Volumes`]. Our own number is 0.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Volumes {
    pub(crate) connection: Connection,
    pub(crate) speakers: Vec<Speaker>,
}

/// How loud somebody is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Speaker {
    /// Whose sound; 0 is ours.
    pub(crate) uid: u32,
    /// 0…255.
    pub(crate) volume: u32,
    /// 1 when our own microphone hears a voice.
    #[serde(default)]
    pub(crate) vad: u32,
}

/// See [`Event::Picture`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemotePicture {
    pub(crate) channel_id: String,
    pub(crate) remote_uid: u32,
    pub(crate) video_frame: VideoFrame,
}

/// See [`Event::OwnPicture`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnPicture {
    pub(crate) source_type: i32,
    pub(crate) video_frame: VideoFrame,
}

/// How a picture lies in its three buffers.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VideoFrame {
    /// 1: I420.
    pub(crate) r#type: i32,
    /// In pixels.
    pub(crate) width: i32,
    /// In pixels.
    pub(crate) height: i32,
    /// Bytes from one row to the next.
    pub(crate) y_stride: i32,
    /// Bytes from one row to the next.
    pub(crate) u_stride: i32,
    /// Bytes from one row to the next.
    pub(crate) v_stride: i32,
    /// Degrees that it has to be turned clockwise.
    #[serde(default)]
    pub(crate) rotation: i32,
}

/// See [`Event::Sound`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoteSound {
    pub(crate) channel_id: String,
    pub(crate) uid: u32,
    pub(crate) audio_frame: AudioFrame,
}

/// How sound lies in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AudioFrame {
    /// 0: signed samples of 16 bits.
    #[serde(default)]
    pub(crate) r#type: i32,
    /// Samples of one channel.
    pub(crate) samples_per_channel: i32,
    /// 2.
    pub(crate) bytes_per_sample: i32,
    /// Channels, one sample of each in turn.
    pub(crate) channels: i32,
    /// Samples a second.
    pub(crate) samples_per_sec: i32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(class: &str, callback: &str, data: &str) -> Option<Event> {
        Event::parse(class, callback, data.as_bytes()).expect("valid JSON")
    }

    #[test]
    fn events_are_typed_and_what_is_not_known_is_left() {
        let text = r#"{"connection":{"channelId":"c","localUid":7},"remoteUid":9,"reason":1,"elapsed":12}"#;
        let connection = Connection { channel_id: "c".to_owned(), local_uid: 7 };
        assert_eq!(
            parse("RtcEngineEventHandler", "onUserOffline", text),
            Some(Event::UserOffline(UserOffline { connection, remote_uid: 9, reason: 1 }))
        );
        assert_eq!(parse("RtcEngineEventHandler", "onSomethingNew", "{"), None);
        assert_eq!(parse("OtherHandler", "onUserOffline", text), None);
        let stats =
            r#"{"connection":{"channelId":"c","localUid":7},"stats":{"txKBitRate":800,"lastmileDelay":40,"x":1}}"#;
        let Some(Event::Stats(told)) = parse("RtcEngineEventHandler", "onRtcStats", stats) else { panic!("no stats") };
        assert_eq!((told.stats.tx_k_bit_rate, told.stats.lastmile_delay, told.stats.rx_k_bit_rate), (800, 40, 0));
    }

    #[test]
    fn each_event_has_keys_and_a_name_of_its_own() {
        let described = described();
        let names: std::collections::HashSet<_> = described.iter().map(|one| (one.class, one.callback)).collect();
        assert_eq!(names.len(), described.len());
        assert!(described.iter().all(|one| !one.keys.is_empty()));
        // A token in an event is never read: what is not there can't be logged.
        assert!(described.iter().all(|one| !one.keys.contains(&"token")));
    }

    proptest! {
        #[test]
        fn garbage_is_an_error_and_never_a_panic(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            for event in described() {
                let _ = Event::parse(event.class, event.callback, &data);
            }
        }

        #[test]
        fn values_of_another_kind_are_an_error_and_never_a_panic(value in "(-?[0-9]{1,30}|\"x\"|null|\\[\\]|\\{\\}|1e400)") {
            for event in described() {
                let members: Vec<String> = event.keys.iter().map(|key| format!("{key:?}:{value}")).collect();
                let _ = Event::parse(event.class, event.callback, format!("{{{}}}", members.join(",")).as_bytes());
            }
        }
    }
}
