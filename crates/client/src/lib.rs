//! A client of a Parley server without a window: signs in, keeps the line up, keeps a local copy, sends what was
//! written until it has arrived, and tells everything as [`ClientEvent`]s.
//!
//! What is on the wire is `CONTRACT.md`. The way of a message: [`Client::send`] writes it to the outbox in the local
//! database and tells it; the outbox sends it with its `clientId` until the server answers 201; the answer (or the
//! socket's `message:new`, whichever comes first) takes its place.

pub mod address;
pub mod cache;
mod catch_up;
pub mod client;
pub mod clock;
mod core;
pub mod error;
pub mod event;
mod line;
mod outbox;
pub mod rest;
pub mod secrets;
mod session;
pub mod socket;
pub mod wire;

pub use address::ServerAddress;
pub use cache::{OutboxEntry, OutboxState, ProjectRow};
pub use client::{Client, ClientOptions, Credentials, Timing};
pub use clock::{Clock, SystemClock};
pub use error::{ClientError, Refusal};
pub use event::{ClientEvent, Events};
pub use rest::Rest;
pub use secrets::{MemorySecrets, SecretError, SecretStore};

use std::sync::Once;

/// Chooses the cryptography of every TLS connection of this process. Called by [`Client`] itself; a program whose
/// other parts use rustls calls it first thing.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    // An error only says that the process has a provider already.
    ONCE.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
}
