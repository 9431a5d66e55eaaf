//! Raw bindings of the part of Agora's native C interfaces that Parley uses, opened at run time.
//!
//! [`gateway`] is the server-gateway interface (Linux, and macOS for development), [`iris`] the one over the desktop SDK
//! (Windows, macOS). The declarations are made by bindgen out of our own headers in `include/`, which were written from
//! public facts; nothing of Agora's is in here, and nothing of it is needed to compile. No logic: the safe layer is
//! `parley-agora`.

pub mod gateway;
pub mod iris;
mod load;

pub use load::{OpenError, open};
