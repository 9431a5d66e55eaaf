//! Engine, channel and tracks.

use parley_call::Token;
use serde::{Deserialize, Serialize, Serializer};

use super::{Answer, Done, Nothing, methods};

/// Begins. The first call of all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Initialize {
    /// How.
    pub context: Context,
}

/// `RtcEngineContext`; what is absent keeps the SDK's own default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// The project at Agora.
    pub app_id: String,
    /// The kind of channel. Everyone in a channel needs the same.
    pub channel_profile: i32,
    /// What the sound is for.
    pub audio_scenario: i32,
    /// Regions whose servers may be used, bit by bit.
    pub area_code: u32,
}

/// Ends the engine. `sync`: it has ended when the call returns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Release {
    /// Whether to wait.
    pub sync: bool,
}

/// Tells Agora's statistics what kind of program this is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetAppType {
    /// 11 for programs in Rust.
    pub app_type: i32,
}

/// Asks which SDK it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetVersion {}

/// The SDK's version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// As `4.6.2`.
    pub result: String,
    /// Number of its build.
    pub build: i64,
}

impl Answer for Version {}

/// Asks the SDK's clock, which stamps pictures and sound.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetCurrentMonotonicTimeInMs {}

/// What the SDK's clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milliseconds {
    /// Since some moment of its own.
    pub result: i64,
}

impl Answer for Milliseconds {}

/// From now on events go to the handler that comes as attachment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterEventHandler {}

/// No more events to that handler.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnregisterEventHandler {}

/// Turns on everything about video; sound is on by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnableVideo {}

/// How pictures are encoded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetVideoEncoderConfiguration {
    /// How.
    pub config: VideoEncoderConfiguration,
}

/// How a second participant's pictures are encoded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetVideoEncoderConfigurationEx {
    /// How.
    pub config: VideoEncoderConfiguration,
    /// Whose.
    pub connection: Connection,
}

/// Size and limits of what is sent; what is absent keeps the SDK's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoEncoderConfiguration {
    /// In pixels.
    pub dimensions: Dimensions,
    /// Pictures a second.
    pub frame_rate: u32,
    /// Kbit/s at most.
    pub bitrate: u32,
    /// 0 keeps the picture as it stands.
    pub orientation_mode: i32,
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimensions {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// Which participant of ours: a second one shares the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// The meeting's channel.
    pub channel_id: String,
    /// Our number.
    pub local_uid: u32,
}

/// Goes into a channel. 0 means begun: the outcome comes as an event.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinChannel {
    /// Lets us in.
    pub token: Secret,
    /// The channel.
    pub channel_id: String,
    /// Our number.
    pub uid: u32,
    /// What is sent and received.
    pub options: ChannelMediaOptions,
}

/// Goes into a channel as one more participant.
#[derive(Clone, Serialize, Deserialize)]
pub struct JoinChannelEx {
    /// Lets it in.
    pub token: Secret,
    /// As whom.
    pub connection: Connection,
    /// What it sends and receives.
    pub options: ChannelMediaOptions,
}

/// A token on its way into JSON; its text appears nowhere else.
#[derive(Clone, Deserialize)]
pub struct Secret(String);

impl From<Token> for Secret {
    fn from(token: Token) -> Self {
        Self(token.0)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What is sent and received in a channel; what is absent stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChannelMediaOptions {
    /// The SDK's own camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_camera_track: Option<bool>,
    /// The SDK's own microphone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_microphone_track: Option<bool>,
    /// The SDK's own capture of the screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_screen_track: Option<bool>,
    /// Pictures that we push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_custom_video_track: Option<bool>,
    /// On which track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_video_track_id: Option<u32>,
    /// Sound that we push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_custom_audio_track: Option<bool>,
    /// On which track.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_custom_audio_track_id: Option<u32>,
    /// Whether everyone's sound is received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_subscribe_audio: Option<bool>,
    /// Whether everyone's pictures are received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_subscribe_video: Option<bool>,
    /// Whether the SDK uses microphone and loudspeaker for this participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_audio_recording_or_playout: Option<bool>,
    /// 1 may send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_role_type: Option<i32>,
    /// The kind of channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_profile: Option<i32>,
    /// A newer token of this participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}

/// Changes what is sent and received.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateChannelMediaOptions {
    /// What changes.
    pub options: ChannelMediaOptions,
}

/// Changes what a second participant sends and receives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateChannelMediaOptionsEx {
    /// What changes.
    pub options: ChannelMediaOptions,
    /// Whose.
    pub connection: Connection,
}

/// Goes out of the channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeaveChannel {
    /// How.
    pub options: LeaveOptions,
}

/// Lets a second participant go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeaveChannelEx {
    /// Whom.
    pub connection: Connection,
    /// How.
    pub options: LeaveOptions,
}

/// What ends together with being in the channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaveOptions {
    /// Whether the microphone is closed, too.
    pub stop_microphone_recording: bool,
}

/// Replaces the token.
#[derive(Clone, Serialize, Deserialize)]
pub struct RenewToken {
    /// The newer one.
    pub token: Secret,
}

/// Whether somebody's pictures are received.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MuteRemoteVideoStream {
    /// Whose.
    pub uid: u32,
    /// `true`: not received.
    pub mute: bool,
}

/// What the sound is for: it chooses echo cancelling, noise suppression and bit rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetAudioScenario {
    /// 8: a meeting.
    pub scenario: i32,
}

/// The stronger noise suppression.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetAinsMode {
    /// Whether.
    pub enabled: bool,
    /// 0 balanced, 1 aggressive, 2 aggressive with little delay.
    pub mode: i32,
}

/// How loud everyone is, as events.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnableAudioVolumeIndication {
    /// Milliseconds between two events; 0 turns it off.
    pub interval: i32,
    /// How much the value is smoothed, 1…10.
    pub smooth: i32,
    /// Whether it says that our own microphone hears a voice.
    pub report_vad: bool,
}

/// A channel for short messages beside sound and pictures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateDataStream {
    /// How.
    pub config: DataStreamConfig,
}

/// How messages travel.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataStreamConfig {
    /// In step with the sound.
    pub sync_with_audio: bool,
    /// In the order in which they were sent.
    pub ordered: bool,
}

/// The channel's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataStream {
    /// For [`SendStreamMessage`].
    pub stream_id: i32,
}

impl Answer for DataStream {}

/// Sends the message that comes as attachment: 1 KB at most, 60 a second, 30 KB a second in all.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendStreamMessage {
    /// On which channel.
    pub stream_id: i32,
    /// Bytes of the attachment.
    pub length: u64,
}

methods! {
    Initialize = RtcEngine.initialize("agora::rtc::RtcEngineContext const&") -> Done;
    Release = RtcEngine.release() -> Nothing;
    SetAppType = RtcEngine.setAppType() -> Nothing;
    GetVersion = RtcEngine.getVersion("int*") -> Version;
    GetCurrentMonotonicTimeInMs = RtcEngine.getCurrentMonotonicTimeInMs() -> Milliseconds;
    RegisterEventHandler = RtcEngine.registerEventHandler("agora::rtc::IRtcEngineEventHandler*") -> Done;
    UnregisterEventHandler = RtcEngine.unregisterEventHandler("agora::rtc::IRtcEngineEventHandler*") -> Done;
    EnableVideo = RtcEngine.enableVideo() -> Done;
    SetVideoEncoderConfiguration =
        RtcEngine.setVideoEncoderConfiguration("agora::rtc::VideoEncoderConfiguration const&") -> Done;
    SetVideoEncoderConfigurationEx = RtcEngineEx.setVideoEncoderConfigurationEx(
        "agora::rtc::VideoEncoderConfiguration const&", "agora::rtc::RtcConnection const&") -> Done;
    JoinChannel = RtcEngine.joinChannel(
        "char const*", "char const*", "agora::rtc::uid_t", "agora::rtc::ChannelMediaOptions const&") -> Done;
    JoinChannelEx = RtcEngineEx.joinChannelEx(
        "char const*", "agora::rtc::RtcConnection const&", "agora::rtc::ChannelMediaOptions const&",
        "agora::rtc::IRtcEngineEventHandler*") -> Done;
    UpdateChannelMediaOptions =
        RtcEngine.updateChannelMediaOptions("agora::rtc::ChannelMediaOptions const&") -> Done;
    UpdateChannelMediaOptionsEx = RtcEngineEx.updateChannelMediaOptionsEx(
        "agora::rtc::ChannelMediaOptions const&", "agora::rtc::RtcConnection const&") -> Done;
    LeaveChannel = RtcEngine.leaveChannel("agora::rtc::LeaveChannelOptions const&") -> Done;
    LeaveChannelEx = RtcEngineEx.leaveChannelEx(
        "agora::rtc::RtcConnection const&", "agora::rtc::LeaveChannelOptions const&") -> Done;
    RenewToken = RtcEngine.renewToken("char const*") -> Done;
    MuteRemoteVideoStream = RtcEngine.muteRemoteVideoStream("agora::rtc::uid_t", "bool") -> Done;
    SetAudioScenario = RtcEngine.setAudioScenario("agora::rtc::AUDIO_SCENARIO_TYPE") -> Done;
    SetAinsMode = RtcEngine.setAINSMode("bool", "agora::rtc::AUDIO_AINS_MODE") -> Done;
    EnableAudioVolumeIndication = RtcEngine.enableAudioVolumeIndication("int", "int", "bool") -> Done;
    CreateDataStream = RtcEngine.createDataStream("int*", "agora::rtc::DataStreamConfig const&") -> DataStream;
    SendStreamMessage = RtcEngine.sendStreamMessage("int", "char const*", "size_t") -> Done;
}
