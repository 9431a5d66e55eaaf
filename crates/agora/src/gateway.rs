//! Agora's server gateway in our process: the C library behind types that can't be used wrongly, and the engine on them.
//!
//! The library knows no user pointer in its callbacks, calls them from threads of its own, and crashes when something
//! is freed too early. So:
//! - [`Library`] is opened once and never closed; a function that we call is known to be there.
//! - [`Service`] is the one of the process. [`Connection`]s hold it, so it ends after them.
//! - A [`Connection`] owns everything that was made for it and frees it in one order: stop sending, leave, unregister,
//!   wait for callbacks inside, destroy.
//! - Callbacks find their context by their handle and by which of our functions was called, copy what they are lent into
//!   queues and slots that never wait, and do nothing else. They never call the library.
//! - [`GatewayEngine`] has one thread for each join, which makes every call but the sending of pictures and sound.

mod connection;
pub(crate) mod context;
mod control;
mod engine;
mod error;
mod events;
#[doc(hidden)]
pub mod frames;
mod library;
mod observers;
mod outgoing;
mod pump;
mod registry;
mod screen;
mod service;
mod shared;
mod sound;
mod stream;
mod tracks;

pub use self::{
    connection::{Connection, Receiving},
    context::{Flow, PictureSink, Shape, SoundSink, TransportStats},
    engine::GatewayEngine,
    error::GatewayError,
    events::{Event, Events, Track},
    library::{Library, Version},
    observers::panics,
    registry::late_callbacks,
    service::Service,
    stream::StreamId,
    tracks::{AudioSender, Encoding, Prefer, VideoSender},
};
#[cfg(feature = "faults")]
pub use observers::faults;
