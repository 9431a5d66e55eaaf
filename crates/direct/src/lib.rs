//! The built-in media engine: WebRTC (ICE, DTLS-SRTP) by str0m, H.264 by OpenH264, Opus; no vendor, no account.
//!
//! Each join has four threads: one owns the `Rtc` and its sockets, one encodes, one decodes and shows, one does the
//! sound every 10 ms. The two engines of a call find each other by small JSON messages that the server carries
//! (`call:signal`), with standard SDP inside, so that a browser's WebRTC can be the other side.

mod audio;
mod delay;
mod emulator;
mod engine;
mod negotiation;
mod net;
mod shared;
mod signal;
mod video;

pub use emulator::{Cable, NetworkEmulation};
pub use engine::{DirectEngine, DirectOptions};
pub use net::sockets::BindAddresses;
