//! What we ask of the SDK: a structure a method, its JSON by `serde`, its answer by type (FACTS B2, "Calls").

pub mod devices;
pub mod engine;
pub mod media;
pub mod screens;

use std::ffi::CStr;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{keys::keys_of, names::Method};

/// A call of one method.
pub trait Request: Serialize + DeserializeOwned {
    /// What comes back.
    type Answer: Answer;
    /// What is called.
    const METHOD: Method;

    /// The method's id, computed once.
    fn id() -> &'static CStr;
}

/// What a method answers.
pub trait Answer: DeserializeOwned {
    /// Whether the library may also write nothing at all.
    const MAY_BE_EMPTY: bool = false;
}

/// For methods that only say whether it worked. Not negative: a negative one is a
/// [`Refused`](super::IrisError::Refused).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// 0, or a positive number where a method counts something.
    pub result: i32,
}

impl Answer for Done {}

/// For methods that say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

impl Answer for Nothing {
    const MAY_BE_EMPTY: bool = true;
}

/// What one request is called and which JSON keys go and come, for the comparison with Agora's own sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// Id of the method.
    pub id: String,
    /// Keys of the request.
    pub request: &'static [&'static str],
    /// Keys of the answer that we read.
    pub answer: &'static [&'static str],
}

/// What a request is called, see [`Described`].
pub fn describe<R: Request>() -> Described {
    Described { id: R::METHOD.id(), request: keys_of::<R>(), answer: keys_of::<R::Answer>() }
}

/// Says which method a request calls and what it answers, and lists those of a module in its `described()`.
macro_rules! methods {
    ($($request:ident = $class:ident.$method:ident($($parameter:literal),* $(,)?) -> $answer:ty;)+) => {
        $(
            impl $crate::iris::requests::Request for $request {
                type Answer = $answer;
                const METHOD: $crate::iris::names::Method = $crate::iris::names::Method {
                    class: stringify!($class),
                    name: stringify!($method),
                    parameters: &[$($parameter),*],
                };

                fn id() -> &'static std::ffi::CStr {
                    static ID: std::sync::LazyLock<std::ffi::CString> =
                        std::sync::LazyLock::new(|| $crate::iris::requests::c_id(&$request::METHOD));
                    &ID
                }
            }
        )+

        /// The requests of this module.
        pub fn described() -> Vec<$crate::iris::requests::Described> {
            vec![$($crate::iris::requests::describe::<$request>()),+]
        }
    };
}
use methods;

/// An id as C wants it.
fn c_id(method: &Method) -> std::ffi::CString {
    std::ffi::CString::new(method.id()).expect("names of C++ methods contain no zero")
}

/// Every request that there is.
pub fn described() -> Vec<Described> {
    [engine::described(), media::described(), devices::described(), screens::described()].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_method_has_an_id_of_its_own() {
        let described = described();
        let ids: HashSet<&str> = described.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids.len(), described.len());
        assert!(described.len() > 40, "{}", described.len());
    }

    /// Each id in the table of FACTS B2 that we use: class, method and digits, which the macro above computes.
    #[test]
    fn the_ids_are_those_of_the_table() {
        let ids: HashSet<String> = described().into_iter().map(|one| one.id).collect();
        let table = [
            "RtcEngine_initialize_0320339",
            "RtcEngine_release",
            "RtcEngine_setAppType",
            "RtcEngine_getVersion_915cb25",
            "RtcEngine_registerEventHandler_5fc0465",
            "RtcEngine_unregisterEventHandler_5fc0465",
            "RtcEngine_enableVideo",
            "RtcEngine_setVideoEncoderConfiguration_89677d8",
            "RtcEngine_startPreview_4fd718e",
            "RtcEngine_stopPreview_4fd718e",
            "RtcEngine_joinChannel_cdbb747",
            "RtcEngine_updateChannelMediaOptions_7bfc1d7",
            "RtcEngine_leaveChannel_2c0e3aa",
            "RtcEngine_renewToken_3a2037f",
            "RtcEngine_enableLocalVideo_5039d15",
            "RtcEngine_enableLocalAudio_5039d15",
            "RtcEngine_muteRemoteVideoStream_dbdc15a",
            "RtcEngine_enableAudioVolumeIndication_39794a0",
            "RtcEngine_setAudioScenario_c36f5c1",
            "RtcEngine_setAINSMode_4df3049",
            "RtcEngine_getScreenCaptureSources_f3e02cb",
            "RtcEngine_releaseScreenCaptureSources",
            "RtcEngine_startScreenCaptureByDisplayId_ce89867",
            "RtcEngine_startScreenCaptureByWindowId_ce89867",
            "RtcEngine_stopScreenCapture",
            "RtcEngine_createDataStream_5862815",
            "RtcEngine_sendStreamMessage_8715a45",
            "RtcEngine_createCustomVideoTrack",
            "RtcEngine_destroyCustomVideoTrack_3019423",
            "RtcEngine_setPlaybackAudioFrameBeforeMixingParameters_ee7e270",
            "RtcEngineEx_joinChannelEx_a3cd08c",
            "RtcEngineEx_leaveChannelEx_b03ee9a",
            "MediaEngine_registerVideoFrameObserver_2cc0ef1",
            "MediaEngine_unregisterVideoFrameObserver",
            "MediaEngine_registerAudioFrameObserver_d873a64",
            "MediaEngine_unregisterAudioFrameObserver",
            "MediaEngine_pushVideoFrame_4e544e2",
            "MediaEngine_pushAudioFrame_c71f4ab",
            "MediaEngine_pullAudioFrame_2c74a9c",
            "MediaEngine_createCustomAudioTrack_5a0bf1a",
            "MediaEngine_destroyCustomAudioTrack_6178b5d",
            "MediaEngine_setExternalAudioSink_d275ce0",
            "VideoDeviceManager_enumerateVideoDevices",
            "VideoDeviceManager_setDevice_4ad5f6e",
            "VideoDeviceManager_getDevice_73b9872",
            "AudioDeviceManager_enumeratePlaybackDevices",
            "AudioDeviceManager_enumerateRecordingDevices",
            "AudioDeviceManager_setPlaybackDevice_4ad5f6e",
            "AudioDeviceManager_getPlaybackDevice_73b9872",
            "AudioDeviceManager_setRecordingDevice_4ad5f6e",
            "AudioDeviceManager_getRecordingDevice_73b9872",
            "AudioDeviceManager_setPlaybackDeviceVolume_46f8ab7",
            "AudioDeviceManager_getPlaybackDeviceVolume_915cb25",
            "AudioDeviceManager_setRecordingDeviceVolume_46f8ab7",
            "AudioDeviceManager_getRecordingDeviceVolume_915cb25",
        ];
        let missing: Vec<&str> = table.into_iter().filter(|id| !ids.contains(*id)).collect();
        assert_eq!(missing, [""; 0]);
    }

    #[test]
    fn a_structure_without_fields_is_an_object() {
        assert_eq!(serde_json::to_string(&engine::EnableVideo {}).ok().as_deref(), Some("{}"));
    }
}
