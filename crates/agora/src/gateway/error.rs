//! What can go wrong below the engine.

use std::ffi::{CString, c_void};
use std::ptr::NonNull;

use crate::codes::ErrorCode;

/// Why the library did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// It answered with an error number.
    #[error("Agora's library refused to {call}: {code}")]
    Refused {
        /// What it was asked.
        call: &'static str,
        /// What it answered.
        code: ErrorCode,
    },
    /// It gave a null pointer where it should have made something.
    #[error("Agora's library made no {what}")]
    Nothing {
        /// What it should have made.
        what: &'static str,
    },
    /// The process already talks to Agora for another App ID, and the library has room for one.
    #[error("a call with another App ID is still running in this process")]
    OtherAppId,
    /// The last service is not gone yet, and did not go in time.
    #[error("the service of an earlier call did not end in time")]
    StillEnding,
    /// A text with a zero in it can't be given to the library.
    #[error("{what} holds a zero character")]
    ZeroInText {
        /// Which text.
        what: &'static str,
    },
    /// It was closed before.
    #[error("the connection is closed")]
    Closed,
    /// More than Agora carries in one data message.
    #[error("a data message of {bytes} bytes is longer than {limit}")]
    MessageTooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Agora carries only so many data messages a second.
    #[error("too many data messages within a second")]
    TooManyMessages,
    /// A connection has room for so many data streams.
    #[error("a connection has no more than {limit} data streams")]
    TooManyStreams {
        /// How many.
        limit: usize,
    },
}

/// What a function answered.
pub(crate) fn check(call: &'static str, answer: i32) -> Result<(), GatewayError> {
    ErrorCode::of_answer(answer).map_err(|code| GatewayError::Refused { call, code })
}

/// Something of the library's that lives until it is destroyed by the call that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle(NonNull<c_void>);

// SAFETY: an opaque number to us, never looked through; the library takes its handles from any thread (FACTS A8).
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// What the library made, or that it made nothing.
    pub(crate) fn made(what: &'static str, handle: *mut c_void) -> Result<Self, GatewayError> {
        NonNull::new(handle).map(Self).ok_or(GatewayError::Nothing { what })
    }

    pub(crate) fn raw(self) -> *mut c_void {
        self.0.as_ptr()
    }
}

/// A text for the library.
pub(crate) fn c_text(what: &'static str, text: &str) -> Result<CString, GatewayError> {
    CString::new(text).map_err(|_| GatewayError::ZeroInText { what })
}
