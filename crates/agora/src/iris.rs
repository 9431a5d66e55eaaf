//! Agora's desktop SDK for Windows and macOS through Iris, its C interface: one function for every method, by name and
//! JSON (FACTS B2).
//!
//! From below: [`names`] computes the ids, [`requests`] gives each method a type, [`Api`] calls them, [`EventHandler`]
//! brings events back to a [`Listener`]. No pointer leaves these; what is above them is ordinary Rust: [`Rtc`] begins and
//! ends the SDK in its order, and [`IrisEngine`] carries a call by it.

mod answer;
mod api;
mod described;
mod devices;
mod engine;
mod error;
mod events;
mod feeder;
mod handler;
mod incoming;
pub mod keys;
mod library;
pub mod names;
mod receiver;
pub mod requests;
mod rtc;
mod screens;
mod session;
mod shared;
mod slots;

pub(crate) use self::rtc::is_new_enough;
pub use self::{
    api::{Api, Attachment},
    described::{DescribedStructure, NUMBERS, described_structures},
    devices::{Device, DeviceEvent, DeviceKind, Devices, LONGEST_MESSAGE, MessageStream, NoiseSuppression},
    engine::IrisEngine,
    error::IrisError,
    events::{DescribedEvent, described as described_events},
    handler::EventHandler,
    incoming::Incoming,
    library::Library,
    rtc::{Rtc, SoundPath},
    screens::{Screens, Shareable, Sharing, SourceId, SourceKind, Thumbnail},
    shared::OwnDevices,
    slots::Listener,
};
