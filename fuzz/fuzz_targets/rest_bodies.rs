//! Every JSON body of the HTTP calls: the first byte chooses the call, the rest is its body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parley_protocol::rest::{
    Approval, ChangePassword, Login, MarkRead, NewMeeting, NewMessage, NewProposal, NewRequest, Refresh, Register,
    Reschedule, UpdateMe, UpdateRequest,
};
use serde_json::Value;

#[path = "../common.rs"]
mod common;

const READERS: [fn(&Value); 13] = [
    common::reads_as_written::<Register>,
    common::reads_as_written::<Login>,
    common::reads_as_written::<Refresh>,
    common::reads_as_written::<ChangePassword>,
    common::reads_as_written::<UpdateMe>,
    common::reads_as_written::<Approval>,
    common::reads_as_written::<NewRequest>,
    common::reads_as_written::<UpdateRequest>,
    common::reads_as_written::<NewProposal>,
    common::reads_as_written::<NewMessage>,
    common::reads_as_written::<MarkRead>,
    common::reads_as_written::<NewMeeting>,
    common::reads_as_written::<Reschedule>,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((which, json)) = bytes.split_first() else { return };
    if let Ok(body) = serde_json::from_slice::<Value>(json) {
        READERS[usize::from(*which) % READERS.len()](&body);
    }
});
