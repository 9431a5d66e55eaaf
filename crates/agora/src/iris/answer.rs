//! Reading what the library wrote into the answer's buffer.

use std::ffi::CStr;

use serde_json::{Map, Value};

use super::{
    IrisError,
    keys::keys_of,
    requests::{Answer, Request},
};

/// Bytes that the library may write, its own limit (FACTS B2).
pub(super) const ANSWER_BYTES: usize = 65_536;

/// `CallIrisApi` says so when there is no engine behind the handle.
const NO_ENGINE: i32 = 666_666;
/// The SDK's number for what is not supported, negative as all numbers of the transport: no such method.
const NOT_SUPPORTED: i32 = -4;

/// Fills the buffer so that what the library writes can be told from what it leaves.
pub(super) fn clear(buffer: &mut [u8]) {
    buffer.fill(0xff);
    if let Some(first) = buffer.first_mut() {
        *first = 0;
    }
}

/// The answer of `R` out of the buffer, once the call has returned `transport`.
pub(super) fn read<R: Request>(transport: i32, buffer: &[u8]) -> Result<R::Answer, IrisError> {
    let method = method_of::<R>();
    let body = body(method, buffer)?;
    if let Some(code) = body.as_ref().and_then(refusal) {
        return Err(IrisError::Refused { method, code });
    }
    match transport {
        0 => {}
        NO_ENGINE => return Err(IrisError::NoEngine { method }),
        NOT_SUPPORTED => return Err(IrisError::UnknownMethod { method }),
        code => return Err(IrisError::Transport { method, code }),
    }
    let Some(body) = body.or_else(|| R::Answer::MAY_BE_EMPTY.then(Map::new)) else {
        return Err(IrisError::NoAnswer { method });
    };
    if let Some(key) = keys_of::<R::Answer>().iter().find(|key| !body.contains_key(**key)) {
        return Err(IrisError::Missing { method, key });
    }
    serde_json::from_value(Value::Object(body)).map_err(|source| IrisError::Damaged { method, source })
}

/// The id of the method, for messages.
pub(super) fn method_of<R: Request>() -> &'static str {
    R::id().to_str().unwrap_or_default()
}

/// The JSON object, if anything was written.
fn body(method: &'static str, buffer: &[u8]) -> Result<Option<Map<String, Value>>, IrisError> {
    let Ok(text) = CStr::from_bytes_until_nul(buffer) else { return Err(IrisError::Endless { method }) };
    let text = text.to_bytes();
    if text.is_empty() || text == b"null" {
        return Ok(None);
    }
    serde_json::from_slice(text).map(Some).map_err(|source| IrisError::Damaged { method, source })
}

/// The method's own error: a negative number as its result.
fn refusal(body: &Map<String, Value>) -> Option<i32> {
    let result = body.get("result")?.as_i64().filter(|result| *result < 0)?;
    Some(i32::try_from(result.unsigned_abs()).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::iris::requests::{
        devices::{EnumerateVideoDevices, GetPlaybackDeviceVolume},
        engine::{CreateDataStream, EnableVideo, GetVersion, Release},
        media::CreateCustomVideoTrack,
    };

    fn written(text: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; ANSWER_BYTES];
        clear(&mut buffer);
        buffer[..text.len()].copy_from_slice(text);
        if text.len() < buffer.len() {
            buffer[text.len()] = 0;
        }
        buffer
    }

    fn outcome<R: Request>(transport: i32, text: &str) -> Result<R::Answer, IrisError> {
        read::<R>(transport, &written(text.as_bytes()))
    }

    #[test]
    fn what_worked_is_typed() {
        assert_eq!(outcome::<EnableVideo>(0, r#"{"result":0}"#).map(|done| done.result).ok(), Some(0));
        let version = outcome::<GetVersion>(0, r#"{"result":"4.6.2","build":31618}"#).expect("an answer");
        assert_eq!((version.result.as_str(), version.build), ("4.6.2", 31_618));
        let stream = outcome::<CreateDataStream>(0, r#"{"streamId":7,"result":0}"#).expect("an answer");
        assert_eq!(stream.stream_id, 7);
        let track = outcome::<CreateCustomVideoTrack>(0, r#"{"result":4294967295}"#).expect("an answer");
        assert_eq!(track.id(), None);
        let cameras = outcome::<EnumerateVideoDevices>(0, r#"{"result":[{"deviceId":"a","deviceName":"A"}]}"#);
        assert_eq!(cameras.expect("an answer").result.len(), 1);
    }

    #[test]
    fn the_release_may_say_nothing() {
        for text in ["", "null", "{}", r#"{"result":0}"#] {
            assert!(outcome::<Release>(0, text).is_ok(), "{text}");
        }
    }

    #[test]
    fn each_failure_is_told_apart() {
        use IrisError::*;
        assert!(matches!(outcome::<EnableVideo>(0, r#"{"result":-7}"#), Err(Refused { code: 7, .. })));
        assert!(matches!(outcome::<GetPlaybackDeviceVolume>(0, r#"{"result":-2}"#), Err(Refused { code: 2, .. })));
        assert!(matches!(outcome::<EnableVideo>(0, ""), Err(NoAnswer { .. })));
        assert!(matches!(outcome::<EnableVideo>(0, "{}"), Err(Missing { key: "result", .. })));
        assert!(matches!(outcome::<CreateDataStream>(0, r#"{"result":0}"#), Err(Missing { key: "streamId", .. })));
        assert!(matches!(outcome::<EnableVideo>(0, "{\"result\":"), Err(Damaged { .. })));
        assert!(matches!(outcome::<EnableVideo>(0, r#"{"result":"yes"}"#), Err(Damaged { .. })));
        assert!(matches!(outcome::<EnableVideo>(0, "[]"), Err(Damaged { .. })));
        assert!(matches!(outcome::<EnableVideo>(666_666, ""), Err(NoEngine { .. })));
        assert!(matches!(outcome::<EnableVideo>(-4, ""), Err(UnknownMethod { .. })));
        assert!(matches!(outcome::<EnableVideo>(-1, ""), Err(Transport { code: -1, .. })));
        assert!(matches!(outcome::<EnableVideo>(-1, r#"{"result":-101}"#), Err(Refused { code: 101, .. })));
        assert!(matches!(outcome::<EnableVideo>(0, r#"{"result":-9223372036854775808}"#), Err(Refused { .. })));
        let endless = read::<EnableVideo>(0, &vec![b'x'; ANSWER_BYTES]);
        assert!(matches!(endless, Err(Endless { .. })));
        let message = outcome::<EnableVideo>(0, r#"{"result":-7}"#).map(drop).expect_err("refused").to_string();
        assert_eq!(message, "RtcEngine_enableVideo: refused with error 7");
    }

    proptest! {
        #[test]
        fn garbage_is_an_error_and_never_a_panic(text in proptest::collection::vec(any::<u8>(), 0..200), code: i32) {
            let mut buffer = written(&text);
            let _ = read::<GetVersion>(code, &buffer);
            let _ = read::<EnumerateVideoDevices>(code, &buffer);
            buffer.truncate(text.len());
            let _ = read::<Release>(code, &buffer);
        }

        #[test]
        fn json_of_another_shape_is_an_error_and_never_a_panic(
            key in "(result|build|streamId|volume)", value in "(-?[0-9]{1,30}|\"x\"|null|\\[\\]|\\{\\}|1e400|true)"
        ) {
            let text = format!("{{\"{key}\":{value}}}");
            let _ = outcome::<GetVersion>(0, &text);
            let _ = outcome::<CreateDataStream>(0, &text);
            let _ = outcome::<GetPlaybackDeviceVolume>(0, &text);
            let _ = outcome::<CreateCustomVideoTrack>(0, &text);
        }
    }
}
