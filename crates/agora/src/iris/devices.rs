//! The SDK's own devices: cameras, microphones, loudspeakers, and what it does for voices.

use std::time::Duration;

use super::{
    Attachment, IrisError,
    requests::{
        devices::{
            AudioDevice, EnableLocalAudio, EnableLocalVideo, EnumeratePlaybackDevices, EnumerateRecordingDevices,
            EnumerateVideoDevices, GetPlaybackDevice, GetPlaybackDeviceVolume, GetRecordingDevice,
            GetRecordingDeviceVolume, GetVideoDevice, SetPlaybackDevice, SetPlaybackDeviceVolume, SetRecordingDevice,
            SetRecordingDeviceVolume, SetVideoDevice, StartPreview, StopPreview, VideoDevice,
        },
        engine::{
            ChannelMediaOptions, CreateDataStream, DataStreamConfig, EnableAudioVolumeIndication, SendStreamMessage,
            SetAinsMode, UpdateChannelMediaOptions,
        },
    },
    rtc::Rtc,
};

/// The camera as a source of pictures, and the screen (FACTS B2, video source types).
pub(super) const CAMERA: i32 = 0;
/// The longest short message (FACTS A3.14).
pub const LONGEST_MESSAGE: usize = 1_024;
/// As the SDK counts volumes of devices.
const LOUDEST: i32 = 255;
/// The SDK refuses shorter intervals between two reports of volumes.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// How much reports of volumes are smoothed, by Agora's advice.
const SMOOTH: i32 = 3;

/// What kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// Takes pictures.
    Camera,
    /// Takes sound.
    Microphone,
    /// Plays sound.
    Speaker,
}

/// A device of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Names it to the SDK.
    pub id: String,
    /// Names it to people.
    pub name: String,
}

impl From<VideoDevice> for Device {
    fn from(device: VideoDevice) -> Self {
        Self { id: device.device_id, name: device.device_name }
    }
}

impl From<AudioDevice> for Device {
    fn from(device: AudioDevice) -> Self {
        Self { id: device.device_id, name: device.device_name }
    }
}

/// How strongly noise is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseSuppression {
    /// What the scenario of a meeting does by itself.
    Usual,
    /// More of it, at the price of computing time.
    Balanced,
    /// As much as possible; voices may suffer.
    Strong,
}

/// A channel for short messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageStream(i32);

/// What happened to devices or to what they bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceEvent {
    /// One was plugged in or out, or turned on or off: ask for the list again.
    Changed(DeviceKind),
    /// Somebody turned a volume, here or in the system.
    Volume {
        /// Of which device in use.
        kind: DeviceKind,
        /// 0…1,000 of the loudest.
        permille: u32,
        /// Whether it is silent nevertheless.
        muted: bool,
    },
    /// How loud everyone is, by number; 0 is ourselves.
    Loudness(Vec<(u32, u32)>),
    /// The camera or the screen capture could not begin or had to stop: the SDK's number of the reason.
    PicturesFailed {
        /// 0 the camera, 2 the screen.
        source: i32,
        /// By the SDK's list of reasons.
        reason: i32,
    },
    /// The microphone could not begin or had to stop.
    SoundFailed {
        /// By the SDK's list of reasons.
        reason: i32,
    },
}

/// The devices of an SDK at work.
pub struct Devices<'a> {
    pub(super) rtc: &'a Rtc,
}

impl Devices<'_> {
    /// Every device of that kind.
    ///
    /// # Errors
    /// As [`Api::call`](super::Api::call), here and in all that follows.
    pub fn list(&self, kind: DeviceKind) -> Result<Vec<Device>, IrisError> {
        let api = self.rtc.api();
        Ok(match kind {
            DeviceKind::Camera => api.call(&EnumerateVideoDevices {})?.result.into_iter().map(Device::from).collect(),
            DeviceKind::Microphone => {
                api.call(&EnumerateRecordingDevices {})?.result.into_iter().map(Device::from).collect()
            }
            DeviceKind::Speaker => {
                api.call(&EnumeratePlaybackDevices {})?.result.into_iter().map(Device::from).collect()
            }
        })
    }

    /// Uses that one from now on.
    ///
    /// # Errors
    /// Also when there is no such device.
    pub fn choose(&self, kind: DeviceKind, id: &str) -> Result<(), IrisError> {
        let (api, id) = (self.rtc.api(), id.to_owned());
        match kind {
            DeviceKind::Camera => api.call(&SetVideoDevice { device: id }),
            DeviceKind::Microphone => api.call(&SetRecordingDevice { device_id: id }),
            DeviceKind::Speaker => api.call(&SetPlaybackDevice { device_id: id }),
        }
        .map(drop)
    }

    /// The id of the one in use.
    ///
    /// # Errors
    /// See [`Devices::list`].
    pub fn chosen(&self, kind: DeviceKind) -> Result<String, IrisError> {
        let api = self.rtc.api();
        Ok(match kind {
            DeviceKind::Camera => api.call(&GetVideoDevice {})?.device,
            DeviceKind::Microphone => api.call(&GetRecordingDevice {})?.device_id,
            DeviceKind::Speaker => api.call(&GetPlaybackDevice {})?.device_id,
        })
    }

    /// How loud the loudspeaker or how sensitive the microphone in use is, in thousandths; `None` for cameras.
    ///
    /// # Errors
    /// See [`Devices::list`].
    pub fn volume(&self, kind: DeviceKind) -> Result<Option<u32>, IrisError> {
        let api = self.rtc.api();
        Ok(match kind {
            DeviceKind::Camera => None,
            DeviceKind::Microphone => Some(permille(api.call(&GetRecordingDeviceVolume {})?.volume)),
            DeviceKind::Speaker => Some(permille(api.call(&GetPlaybackDeviceVolume {})?.volume)),
        })
    }

    /// Sets it, in thousandths; nothing to do for cameras.
    ///
    /// # Errors
    /// See [`Devices::list`].
    pub fn set_volume(&self, kind: DeviceKind, permille: u32) -> Result<(), IrisError> {
        let (api, volume) = (self.rtc.api(), of_permille(permille));
        match kind {
            DeviceKind::Camera => return Ok(()),
            DeviceKind::Microphone => api.call(&SetRecordingDeviceVolume { volume }),
            DeviceKind::Speaker => api.call(&SetPlaybackDeviceVolume { volume }),
        }
        .map(drop)
    }

    /// Opens the camera; its pictures come from now on, in a channel or not.
    ///
    /// # Errors
    /// See [`Devices::list`]. Then it is closed again.
    pub fn open_camera(&self) -> Result<(), IrisError> {
        self.rtc.api().call(&EnableLocalVideo { enabled: true })?;
        let shown = self.rtc.api().call(&StartPreview { source_type: CAMERA }).map(drop);
        if shown.is_err() {
            // What failed first is told.
            let _ = self.rtc.api().call(&EnableLocalVideo { enabled: false });
        }
        shown
    }

    /// Closes it.
    ///
    /// # Errors
    /// See [`Devices::list`]. Both steps are done whatever comes of the first.
    pub fn close_camera(&self) -> Result<(), IrisError> {
        let hidden = self.rtc.api().call(&StopPreview { source_type: CAMERA }).map(drop);
        self.rtc.api().call(&EnableLocalVideo { enabled: false })?;
        hidden
    }

    /// Sends the camera's pictures to the channel that we are in, or no longer. One picture a person: those of ours
    /// stop.
    ///
    /// # Errors
    /// See [`Devices::list`].
    pub fn publish_camera(&self, published: bool) -> Result<(), IrisError> {
        let options = ChannelMediaOptions { publish_camera_track: Some(published), ..ChannelMediaOptions::default() };
        self.rtc.api().call(&UpdateChannelMediaOptions { options }).map(drop)
    }

    /// Opens or closes the microphone.
    ///
    /// # Errors
    /// See [`Devices::list`].
    pub fn enable_microphone(&self, enabled: bool) -> Result<(), IrisError> {
        self.rtc.api().call(&EnableLocalAudio { enabled }).map(drop)
    }

    /// How strongly noise is suppressed. Echo is cancelled in any case, as the scenario of a meeting has it.
    ///
    /// # Errors
    /// See [`Devices::list`].
    pub fn suppress_noise(&self, how: NoiseSuppression) -> Result<(), IrisError> {
        let (enabled, mode) = match how {
            NoiseSuppression::Usual => (false, 0),
            NoiseSuppression::Balanced => (true, 0),
            NoiseSuppression::Strong => (true, 1),
        };
        self.rtc.api().call(&SetAinsMode { enabled, mode }).map(drop)
    }

    /// Tells how loud everyone is, that often; `None` for no more.
    ///
    /// # Errors
    /// See [`Devices::list`].
    pub fn watch_loudness(&self, every: Option<Duration>) -> Result<(), IrisError> {
        let interval =
            every.map_or(0, |every| i32::try_from(every.max(SHORTEST_INTERVAL).as_millis()).unwrap_or(i32::MAX));
        self.rtc.api().call(&EnableAudioVolumeIndication { interval, smooth: SMOOTH, report_vad: true }).map(drop)
    }

    /// Makes a channel for short messages, in order. Five a person at most.
    ///
    /// # Errors
    /// See [`Devices::list`].
    pub fn open_messages(&self) -> Result<MessageStream, IrisError> {
        let config = DataStreamConfig { sync_with_audio: false, ordered: true };
        self.rtc.api().call(&CreateDataStream { config }).map(|stream| MessageStream(stream.stream_id))
    }

    /// Sends one message of at most [`LONGEST_MESSAGE`] bytes.
    ///
    /// # Errors
    /// [`IrisError::TooLong`]; else see [`Devices::list`].
    pub fn send_message(&self, stream: MessageStream, bytes: &[u8]) -> Result<(), IrisError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if bytes.len() > LONGEST_MESSAGE {
            return Err(IrisError::TooLong { method: "sendStreamMessage" });
        }
        let request = SendStreamMessage { stream_id: stream.0, length };
        self.rtc.api().call_with(&request, &mut [Attachment::Bytes(bytes)]).map(drop)
    }
}

pub(super) fn permille(volume: i32) -> u32 {
    let volume = volume.clamp(0, LOUDEST).unsigned_abs();
    (volume * 1_000 + LOUDEST.unsigned_abs() / 2) / LOUDEST.unsigned_abs()
}

fn of_permille(permille: u32) -> i32 {
    i32::try_from(permille.min(1_000)).unwrap_or(1_000) * LOUDEST / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_thousandths_of_the_loudest() {
        assert_eq!(
            [permille(0), permille(255), permille(128), permille(-4), permille(9_999)],
            [0, 1_000, 502, 0, 1_000]
        );
        assert_eq!([of_permille(0), of_permille(1_000), of_permille(500), of_permille(u32::MAX)], [0, 255, 127, 255]);
        for volume in 0..=255 {
            assert!((of_permille(permille(volume)) - volume).abs() <= 1);
        }
    }
}
