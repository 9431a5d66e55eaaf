//! What we call things, for the comparison with Agora's own sources.

use serde::Serialize;

use super::{
    events,
    keys::keys_of,
    receiver,
    requests::{devices, engine, media, screens},
    rtc, session,
};

/// A structure within a request, an answer or an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribedStructure {
    /// What Agora's TypeScript calls it.
    pub name: &'static str,
    /// Keys that we write or read.
    pub keys: &'static [&'static str],
}

/// Every structure that there is.
pub fn described_structures() -> Vec<DescribedStructure> {
    [
        ("RtcEngineContext", keys_of::<engine::Context>()),
        ("VideoEncoderConfiguration", keys_of::<engine::VideoEncoderConfiguration>()),
        ("VideoDimensions", keys_of::<engine::Dimensions>()),
        ("RtcConnection", keys_of::<engine::Connection>()),
        ("ChannelMediaOptions", keys_of::<engine::ChannelMediaOptions>()),
        ("LeaveChannelOptions", keys_of::<engine::LeaveOptions>()),
        ("DataStreamConfig", keys_of::<engine::DataStreamConfig>()),
        ("AudioTrackConfig", keys_of::<media::AudioTrackConfig>()),
        ("ExternalVideoFrame", keys_of::<media::ExternalVideoFrame>()),
        ("AudioFrame", keys_of::<media::AudioFrame>()),
        ("AudioFrame", keys_of::<events::AudioFrame>()),
        ("VideoFrame", keys_of::<events::VideoFrame>()),
        ("RtcStats", keys_of::<events::Stats>()),
        ("AudioVolumeInfo", keys_of::<events::Speaker>()),
        ("VideoDeviceInfo", keys_of::<devices::VideoDevice>()),
        ("AudioDeviceInfo", keys_of::<devices::AudioDevice>()),
        ("ScreenCaptureSourceInfo", keys_of::<screens::Source>()),
        ("ThumbImageBuffer", keys_of::<screens::NativeImage>()),
        ("Size", keys_of::<engine::Dimensions>()),
        ("Rectangle", keys_of::<screens::Rectangle>()),
        ("ScreenCaptureParameters", keys_of::<screens::ScreenCaptureParameters>()),
    ]
    .into_iter()
    .map(|(name, keys)| DescribedStructure { name, keys })
    .collect()
}

/// Single numbers that we send: Agora's list, Agora's word, our number.
pub const NUMBERS: &[(&str, &str, i64)] = &[
    ("ChannelProfileType", "ChannelProfileLiveBroadcasting", rtc::CHANNEL_PROFILE as i64),
    ("ClientRoleType", "ClientRoleBroadcaster", rtc::BROADCASTER as i64),
    ("AudioScenarioType", "AudioScenarioMeeting", rtc::MEETING as i64),
    ("AreaCode", "AreaCodeGlob", rtc::EVERYWHERE as i64),
    ("AudioTrackType", "AudioTrackDirect", session::DIRECT_TRACK as i64),
    ("VideoBufferType", "VideoBufferRawData", super::feeder::RAW as i64),
    ("VideoPixelFormat", "VideoPixelI420", super::feeder::I420 as i64),
    ("VideoSourceType", "VideoSourceCamera", super::devices::CAMERA as i64),
    ("MediaDeviceType", "AudioPlayoutDevice", receiver::SPEAKER as i64),
    ("MediaDeviceType", "AudioRecordingDevice", receiver::MICROPHONE as i64),
    ("MediaDeviceType", "VideoCaptureDevice", receiver::CAMERA_DEVICE as i64),
    ("LocalVideoStreamState", "LocalVideoStreamStateFailed", receiver::LOCAL_FAILED as i64),
    ("LocalAudioStreamState", "LocalAudioStreamStateFailed", receiver::LOCAL_FAILED as i64),
    ("AudioFrameType", "FrameTypePcm16", super::feeder::PCM_16 as i64),
];
