// What several targets do with JSON.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Whatever can be read can be written, and what was written reads as the same: a payload that is passed on (a signal, a
/// state) or stored says at its destination what it said at its source.
pub(crate) fn reads_as_written<T: DeserializeOwned + Serialize>(payload: &Value) {
    let Ok(read) = serde_json::from_value::<T>(payload.clone()) else { return };
    let written = serde_json::to_value(&read).expect("what was read can be written");
    let again: T = serde_json::from_value(written.clone()).expect("what was written can be read");
    assert_eq!(serde_json::to_value(&again).expect("and written again"), written);
}
