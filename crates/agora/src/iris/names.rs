//! What Iris calls the SDK's methods and events (FACTS B2, "API names: the hash rule").

use sha1::{Digest, Sha1};

/// A method of the SDK as its C++ header declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method {
    /// The class without its leading `I`.
    pub class: &'static str,
    /// The method.
    pub name: &'static str,
    /// The parameters' types, `const` behind what it belongs to. A name that the header writes bare is completed by the
    /// namespaces of its class; one that the header qualifies itself (`rtc::track_id_t`) stays as it is written there.
    /// Empty for what takes nothing and for the methods that Iris adds of its own.
    pub parameters: &'static [&'static str],
}

impl Method {
    /// The id: class, method and, if there are parameters, seven digits of their types' SHA-1. So an id means one
    /// signature, and a library whose signature differs doesn't know it instead of misreading what it is given.
    pub fn id(&self) -> String {
        let Self { class, name, parameters } = self;
        if parameters.is_empty() {
            return format!("{class}_{name}");
        }
        let digest = Sha1::digest(parameters.join("__").as_bytes());
        let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("{class}_{name}_{}", &digits[..7])
    }
}

/// Class and callback of an event's id: `RtcEngineEventHandler_onUserJoinedEx_c5499bd` is `onUserJoined` of
/// `RtcEngineEventHandler`. The digits don't matter to a reader of named values, and `Ex` only says that the event names
/// its connection, which all do that we read. `None` for what is no id.
pub fn split_event(id: &str) -> Option<(&str, &str)> {
    let (class, rest) = id.split_once('_')?;
    let callback = rest.split_once('_').map_or(rest, |(callback, _digits)| callback);
    let callback = callback.strip_suffix("Ex").unwrap_or(callback);
    (!class.is_empty() && !callback.is_empty()).then_some((class, callback))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The twelve pairs that the facts list.
    #[test]
    fn the_rule_gives_the_ids_that_are_known() {
        let known: [(&'static [&'static str], &str); 12] = [
            (&["char const*"], "3a2037f"),
            (&["bool"], "5039d15"),
            (&["int"], "46f8ab7"),
            (&["unsigned int"], "2626ac7"),
            (&["agora::rtc::uid_t", "bool"], "dbdc15a"),
            (&["int", "int", "bool"], "39794a0"),
            (&["char const*", "char const*", "agora::rtc::uid_t", "agora::rtc::ChannelMediaOptions const&"], "cdbb747"),
            (&["agora::rtc::RtcEngineContext const&"], "0320339"),
            (&["agora::rtc::VideoEncoderConfiguration const&"], "89677d8"),
            (&["agora::rtc::LeaveChannelOptions const&"], "2c0e3aa"),
            (&["agora::rtc::IRtcEngineEventHandler*"], "5fc0465"),
            (&["agora::rtc::RtcConnection const&", "int"], "263e4cd"),
        ];
        for (parameters, digits) in known {
            let method = Method { class: "RtcEngine", name: "method", parameters };
            assert_eq!(method.id(), format!("RtcEngine_method_{digits}"), "{parameters:?}");
        }
    }

    #[test]
    fn without_parameters_there_are_no_digits() {
        let method = Method { class: "RtcEngine", name: "enableVideo", parameters: &[] };
        assert_eq!(method.id(), "RtcEngine_enableVideo");
    }

    #[test]
    fn an_event_is_cut_into_class_and_callback() {
        for (id, class, callback) in [
            ("RtcEngineEventHandler_onUserJoined_c5499bd", "RtcEngineEventHandler", "onUserJoined"),
            ("RtcEngineEventHandler_onUserJoinedEx_c5499bd", "RtcEngineEventHandler", "onUserJoined"),
            ("RtcEngineEventHandler_onUserJoinedEx", "RtcEngineEventHandler", "onUserJoined"),
            ("VideoFrameObserver_onRenderVideoFrame_43dcf82", "VideoFrameObserver", "onRenderVideoFrame"),
            ("AudioFrameObserverBase_onMixedAudioFrame", "AudioFrameObserverBase", "onMixedAudioFrame"),
        ] {
            assert_eq!(split_event(id), Some((class, callback)), "{id}");
        }
        for garbage in ["", "_", "__", "onUserJoined", "_onUserJoined", "Class_", "Class__1234567", "Class_Ex"] {
            assert_eq!(split_event(garbage), None, "{garbage}");
        }
    }
}
