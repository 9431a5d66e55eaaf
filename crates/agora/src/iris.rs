//! Agora's desktop SDK for Windows and macOS through Iris, its C interface: one function for every method, by name and
//! JSON (FACTS B2).
//!
//! From below: [`names`] computes the ids, [`requests`] gives each method a type, [`Api`] calls them, [`EventHandler`]
//! brings events back to a [`Listener`]. No pointer leaves these; what is above them is ordinary Rust.

mod answer;
mod api;
mod error;
mod handler;
mod incoming;
pub mod keys;
mod library;
pub mod names;
pub mod requests;
mod slots;

pub use self::{
    api::{Api, Attachment},
    error::IrisError,
    handler::EventHandler,
    incoming::Incoming,
    library::Library,
    slots::Listener,
};
