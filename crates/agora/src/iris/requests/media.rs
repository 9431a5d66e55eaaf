//! Pictures and sound that we push in or take out ourselves.

use serde::{Deserialize, Serialize};

use super::{Answer, Done, methods};

/// From now on pictures go to the handler that comes as attachment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterVideoFrameObserver {}

/// No more pictures to that handler.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnregisterVideoFrameObserver {}

/// From now on sound goes to the handler that comes as attachment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterAudioFrameObserver {}

/// No more sound to that handler.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnregisterAudioFrameObserver {}

/// Makes a track for pictures of ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateCustomVideoTrack {}

/// Makes a track for sound of ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateCustomAudioTrack {
    /// 0 is mixed with the microphone, 1 stands in its place.
    pub track_type: i32,
    /// How.
    pub config: AudioTrackConfig,
}

/// What becomes of our sound here.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioTrackConfig {
    /// Whether it is also played here.
    pub enable_local_playback: bool,
    /// Whether echo and noise are taken out of it.
    pub enable_audio_processing: bool,
}

/// The number of a new track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTrack {
    /// As an unsigned number; [`NewTrack::id`] says which are none.
    pub result: i64,
}

impl Answer for NewTrack {}

impl NewTrack {
    /// The number, if it is one: a failure is 0xffffffff.
    pub fn id(self) -> Option<u32> {
        u32::try_from(self.result).ok().filter(|&id| id != u32::MAX)
    }
}

/// Ends a track for pictures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DestroyCustomVideoTrack {
    /// Its number.
    pub video_track_id: u32,
}

/// Ends a track for sound.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DestroyCustomAudioTrack {
    /// Its number.
    pub track_id: u32,
}

/// Pushes one picture. Attachments: the picture, then four that stay empty (graphics context, metadata, transparency,
/// texture).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushVideoFrame {
    /// What the first attachment is.
    pub frame: ExternalVideoFrame,
    /// On which track.
    pub video_track_id: u32,
}

/// How a picture lies in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalVideoFrame {
    /// 1: plain bytes.
    pub r#type: i32,
    /// 1: I420.
    pub format: i32,
    /// Pixels from one row to the next.
    pub stride: u32,
    /// Rows.
    pub height: u32,
    /// Degrees that it has to be turned.
    pub rotation: i32,
    /// Milliseconds on the sender's clock.
    pub timestamp: i64,
}

/// Pushes one block of sound, which comes as attachment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushAudioFrame {
    /// What the attachment is.
    pub frame: AudioFrame,
    /// On which track.
    pub track_id: u32,
}

/// Takes 10 ms of everyone's mixed sound into the attachment, and moves the SDK's mixer on by as much.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PullAudioFrame {
    /// What is wanted.
    pub frame: AudioFrame,
}

/// How sound lies in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioFrame {
    /// 0: signed samples of 16 bits.
    pub r#type: i32,
    /// Samples of one channel.
    pub samples_per_channel: u32,
    /// 2.
    pub bytes_per_sample: u32,
    /// Channels, one sample of each in turn.
    pub channels: u32,
    /// Samples a second.
    pub samples_per_sec: u32,
    /// Milliseconds on the sender's clock.
    pub render_time_ms: i64,
}

/// We play remote sound ourselves: the SDK opens no loudspeaker. Before the join.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetExternalAudioSink {
    /// Whether.
    pub enabled: bool,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
}

/// How one person's sound is handed out. Before the join.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetPlaybackAudioFrameBeforeMixingParameters {
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channel: u32,
    /// Samples of one block.
    pub samples_per_call: u32,
}

methods! {
    RegisterVideoFrameObserver = MediaEngine.registerVideoFrameObserver("agora::media::IVideoFrameObserver*") -> Done;
    UnregisterVideoFrameObserver = MediaEngine.unregisterVideoFrameObserver() -> Done;
    RegisterAudioFrameObserver = MediaEngine.registerAudioFrameObserver("agora::media::IAudioFrameObserver*") -> Done;
    UnregisterAudioFrameObserver = MediaEngine.unregisterAudioFrameObserver() -> Done;
    CreateCustomVideoTrack = RtcEngine.createCustomVideoTrack() -> NewTrack;
    CreateCustomAudioTrack = MediaEngine.createCustomAudioTrack(
        "rtc::AUDIO_TRACK_TYPE", "rtc::AudioTrackConfig const&") -> NewTrack;
    DestroyCustomVideoTrack = RtcEngine.destroyCustomVideoTrack("agora::rtc::video_track_id_t") -> Done;
    DestroyCustomAudioTrack = MediaEngine.destroyCustomAudioTrack("rtc::track_id_t") -> Done;
    PushVideoFrame = MediaEngine.pushVideoFrame("base::ExternalVideoFrame*", "unsigned int") -> Done;
    PushAudioFrame = MediaEngine.pushAudioFrame("IAudioFrameObserverBase::AudioFrame*", "rtc::track_id_t") -> Done;
    PullAudioFrame = MediaEngine.pullAudioFrame("IAudioFrameObserverBase::AudioFrame*") -> Done;
    SetExternalAudioSink = MediaEngine.setExternalAudioSink("bool", "int", "int") -> Done;
    SetPlaybackAudioFrameBeforeMixingParameters =
        RtcEngine.setPlaybackAudioFrameBeforeMixingParameters("int", "int", "int") -> Done;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_track_has_no_number() {
        assert_eq!(NewTrack { result: 3 }.id(), Some(3));
        assert_eq!(NewTrack { result: 0 }.id(), Some(0));
        assert_eq!(NewTrack { result: 0xffff_ffff }.id(), None);
        assert_eq!(NewTrack { result: -1 }.id(), None);
        assert_eq!(NewTrack { result: i64::MAX }.id(), None);
    }
}
