//! Iris: one function for every method of the desktop SDK, by name and JSON. See `parley_agora::iris`.

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

/// What the library is called here. Agora releases none for Linux: there it is what our own tests build.
#[cfg(windows)]
pub const LIBRARY: &str = "AgoraRtcWrapper.dll";
/// What the library is called here. Agora releases none for Linux: there it is what our own tests build.
#[cfg(target_os = "macos")]
pub const LIBRARY: &str = "AgoraRtcWrapper.framework/AgoraRtcWrapper";
/// What the library is called here. Agora releases none for Linux: there it is what our own tests build.
#[cfg(not(any(windows, target_os = "macos")))]
pub const LIBRARY: &str = "libAgoraRtcWrapper.so";

/// Functions that a library may lack; all others of [`FUNCTIONS`] are needed.
pub const OPTIONAL: &[&str] = &["InitIrisLogger"];

/// The names that a library must have.
pub fn needed() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().copied().filter(|name| !OPTIONAL.contains(name))
}
