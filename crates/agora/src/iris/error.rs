//! What can come of a call.

/// Why a method of the SDK gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum IrisError {
    /// Another engine lives in this copy of the library, which holds one.
    #[error("another call uses this library already; it carries one at a time")]
    InUse,
    /// The library could not make an engine or a handler.
    #[error("the library could not make its {0}")]
    NotMade(&'static str),
    /// More handlers live than there are trampolines.
    #[error("too many engines live at once")]
    TooMany,
    /// The request is no JSON; only a broken `Serialize` can cause it.
    #[error("{method}: the request can't be written")]
    Unwritable {
        /// Id of the method.
        method: &'static str,
        /// What `serde` says.
        source: serde_json::Error,
    },
    /// An attachment is longer than the library can be told.
    #[error("{method}: an attachment is too long")]
    TooLong {
        /// Id of the method.
        method: &'static str,
    },
    /// The library has no engine (it was not initialised, or its handle is no longer valid).
    #[error("{method}: the library has no engine")]
    NoEngine {
        /// Id of the method.
        method: &'static str,
    },
    /// The library doesn't know the method: it is older or newer than what we know.
    #[error("{method}: this version of the library doesn't have it")]
    UnknownMethod {
        /// Id of the method.
        method: &'static str,
    },
    /// The call didn't reach the SDK.
    #[error("{method}: the library refused the call ({code})")]
    Transport {
        /// Id of the method.
        method: &'static str,
        /// As the library says it.
        code: i32,
    },
    /// The answer has no end within its buffer.
    #[error("{method}: the answer has no end")]
    Endless {
        /// Id of the method.
        method: &'static str,
    },
    /// Nothing was answered where something has to be.
    #[error("{method}: no answer")]
    NoAnswer {
        /// Id of the method.
        method: &'static str,
    },
    /// The answer is no JSON, or not of the shape that we know.
    #[error("{method}: the answer is damaged")]
    Damaged {
        /// Id of the method.
        method: &'static str,
        /// What `serde` says.
        source: serde_json::Error,
    },
    /// The answer lacks what the method returns.
    #[error("{method}: the answer lacks {key:?}")]
    Missing {
        /// Id of the method.
        method: &'static str,
        /// Which part.
        key: &'static str,
    },
    /// The SDK did not do it.
    #[error("{method}: refused with error {code}")]
    Refused {
        /// Id of the method.
        method: &'static str,
        /// Number of the error (FACTS A7), positive.
        code: i32,
    },
    /// The SDK made no track.
    #[error("{method}: no track was made")]
    NoTrack {
        /// Id of the method.
        method: &'static str,
    },
    /// It is older than any whose methods we know.
    #[error("the SDK's version is {found}; 4.5 or newer is needed")]
    TooOld {
        /// What it says.
        found: String,
    },
}
