//! The server-gateway C interface. The sequence of calls, threads and lifetimes are told in `parley_agora::gateway`.

#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    unreachable_pub,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "made by bindgen; the meaning is told in the header"
)]
mod bindings;

pub use bindings::*;

/// What the library is called here.
#[cfg(not(target_os = "macos"))]
pub const LIBRARY: &str = "libagora_rtc_sdk.so";
/// What the library is called here.
#[cfg(target_os = "macos")]
pub const LIBRARY: &str = "libAgoraRtcKit.dylib";

/// Libraries that lie beside it and are opened before it, in this order, each if it is there.
#[cfg(not(target_os = "macos"))]
pub const SIBLINGS: &[&str] = &["libaosl.so", "libagora-fdkaac.so", "libagora-ffmpeg.so", "libagora-soundtouch.so"];
/// Libraries that lie beside it and are opened before it, in this order, each if it is there.
#[cfg(target_os = "macos")]
pub const SIBLINGS: &[&str] = &["libAgorafdkaac.dylib", "libAgoraffmpeg.dylib"];

/// Functions whose presence says that the library is 4.4.32.154 or newer: one layout of every structure, and the form of
/// `agora_audio_pcm_data_sender_send` with eight arguments. Without both a library must not be used.
pub const PROBES: &[&str] = &["agora_audio_sink_create", "agora_local_audio_track_set_total_extra_send_ms"];

/// Functions that a library may lack; all others of [`FUNCTIONS`] are needed.
pub const OPTIONAL: &[&str] = &["getAgoraSdkVersion", "getAgoraSdkErrorDescription"];

/// The names that a library must have, the probes included.
pub fn needed() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().copied().filter(|name| !OPTIONAL.contains(name))
}
