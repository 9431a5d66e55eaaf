//! The SDK's own cameras, microphones and loudspeakers.

use serde::{Deserialize, Serialize};

use super::{Answer, Done, methods};

/// Asks for the cameras.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnumerateVideoDevices {}

/// The cameras.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoDevices {
    /// In the system's order.
    pub result: Vec<VideoDevice>,
}

impl Answer for VideoDevices {}

/// A camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoDevice {
    /// Names it to the SDK.
    pub device_id: String,
    /// Names it to people.
    pub device_name: String,
}

/// Chooses the camera.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetVideoDevice {
    /// Its id.
    #[serde(rename = "deviceIdUTF8")]
    pub device: String,
}

/// Asks which camera is chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetVideoDevice {}

/// The camera that is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenVideoDevice {
    /// Its id.
    #[serde(rename = "deviceIdUTF8")]
    pub device: String,
}

impl Answer for ChosenVideoDevice {}

/// Asks for the loudspeakers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnumeratePlaybackDevices {}

/// Asks for the microphones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnumerateRecordingDevices {}

/// Loudspeakers or microphones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioDevices {
    /// In the system's order.
    pub result: Vec<AudioDevice>,
}

impl Answer for AudioDevices {}

/// A loudspeaker or a microphone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioDevice {
    /// Names it to the SDK.
    pub device_id: String,
    /// Names it to people.
    pub device_name: String,
}

/// Chooses the loudspeaker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetPlaybackDevice {
    /// Its id.
    pub device_id: String,
}

/// Chooses the microphone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetRecordingDevice {
    /// Its id.
    pub device_id: String,
}

/// Asks which loudspeaker is chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetPlaybackDevice {}

/// Asks which microphone is chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetRecordingDevice {}

/// The loudspeaker or microphone that is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChosenAudioDevice {
    /// Its id.
    pub device_id: String,
}

impl Answer for ChosenAudioDevice {}

/// Sets how loud the loudspeaker is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetPlaybackDeviceVolume {
    /// 0…255.
    pub volume: i32,
}

/// Sets how sensitive the microphone is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetRecordingDeviceVolume {
    /// 0…255.
    pub volume: i32,
}

/// Asks how loud the loudspeaker is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetPlaybackDeviceVolume {}

/// Asks how sensitive the microphone is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetRecordingDeviceVolume {}

/// How loud or sensitive a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// 0…255.
    pub volume: i32,
}

impl Answer for Volume {}

/// Opens or closes the SDK's own camera.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnableLocalVideo {
    /// Whether it is open.
    pub enabled: bool,
}

/// Opens or closes the SDK's own microphone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnableLocalAudio {
    /// Whether it is open.
    pub enabled: bool,
}

/// Begins to hand out our own pictures, in a channel or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartPreview {
    /// 0 the camera, 2 the screen.
    pub source_type: i32,
}

/// No more of that.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopPreview {
    /// As in [`StartPreview`].
    pub source_type: i32,
}

methods! {
    EnumerateVideoDevices = VideoDeviceManager.enumerateVideoDevices() -> VideoDevices;
    SetVideoDevice = VideoDeviceManager.setDevice("char const[512]") -> Done;
    GetVideoDevice = VideoDeviceManager.getDevice("char[512]") -> ChosenVideoDevice;
    EnumeratePlaybackDevices = AudioDeviceManager.enumeratePlaybackDevices() -> AudioDevices;
    EnumerateRecordingDevices = AudioDeviceManager.enumerateRecordingDevices() -> AudioDevices;
    SetPlaybackDevice = AudioDeviceManager.setPlaybackDevice("char const[512]") -> Done;
    SetRecordingDevice = AudioDeviceManager.setRecordingDevice("char const[512]") -> Done;
    GetPlaybackDevice = AudioDeviceManager.getPlaybackDevice("char[512]") -> ChosenAudioDevice;
    GetRecordingDevice = AudioDeviceManager.getRecordingDevice("char[512]") -> ChosenAudioDevice;
    SetPlaybackDeviceVolume = AudioDeviceManager.setPlaybackDeviceVolume("int") -> Done;
    SetRecordingDeviceVolume = AudioDeviceManager.setRecordingDeviceVolume("int") -> Done;
    GetPlaybackDeviceVolume = AudioDeviceManager.getPlaybackDeviceVolume("int*") -> Volume;
    GetRecordingDeviceVolume = AudioDeviceManager.getRecordingDeviceVolume("int*") -> Volume;
    EnableLocalVideo = RtcEngine.enableLocalVideo("bool") -> Done;
    EnableLocalAudio = RtcEngine.enableLocalAudio("bool") -> Done;
    StartPreview = RtcEngine.startPreview("agora::rtc::VIDEO_SOURCE_TYPE") -> Done;
    StopPreview = RtcEngine.stopPreview("agora::rtc::VIDEO_SOURCE_TYPE") -> Done;
}
