//! Agora's native library in our process: the safe layer over `agora-sys` and the media engines that use it.
//!
//! [`gateway`] is the server-gateway C interface (Linux, and macOS for development), [`iris`] the C interface over the
//! desktop SDK (Windows, macOS), [`sdk`] says where the library lies, whether it fits, and puts one in its place.

pub mod codes;
pub mod gateway;
mod guard;
pub mod iris;
pub mod sdk;
