//! Every payload that a client may send over a socket, as `server/src/realtime/events.rs` reads them: the first byte
//! chooses the event, the rest is its JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parley_protocol::socket::{
    AuthRenew, CallJoin, CallState, ConnectAuth, InConversation, OfMeeting, ReadUpTo, Signal, Typing,
};
use serde_json::Value;

#[path = "../common.rs"]
mod common;

const READERS: [fn(&Value); 9] = [
    common::reads_as_written::<ConnectAuth>,
    common::reads_as_written::<InConversation>,
    common::reads_as_written::<ReadUpTo>,
    common::reads_as_written::<Typing>,
    common::reads_as_written::<OfMeeting>,
    common::reads_as_written::<CallJoin>,
    common::reads_as_written::<CallState>,
    common::reads_as_written::<Signal>,
    common::reads_as_written::<AuthRenew>,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((which, json)) = bytes.split_first() else { return };
    if let Ok(payload) = serde_json::from_slice::<Value>(json) {
        READERS[usize::from(*which) % READERS.len()](&payload);
    }
});
