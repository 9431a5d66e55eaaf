//! The Parley server: accounts, projects, chat and meetings over HTTP and Socket.IO, on one SQLite file.
//!
//! A library with a small main, so that the same server runs alone, inside the app and on port 0 in tests:
//! [`serve()`] for a listener, [`router()`] as a service, [`cli::run`] for the program.

mod attachments;
mod auth;
pub mod cli;
pub mod clock;
pub mod config;
mod connection;
mod conversations;
mod cors;
mod data_dir;
mod docs;
mod envelope;
mod extract;
mod limits;
mod listener;
pub mod mail;
mod meetings;
mod messages;
mod metrics;
mod openapi;
mod pages;
mod problem;
mod projects;
mod proposals;
pub mod proxies;
mod realtime;
mod requests;
mod router;
mod secrets;
pub mod seed;
mod serve;
mod state;
mod store_errors;
mod sync;
mod timers;
mod tls;

#[cfg(test)]
mod testing;

pub use config::Config;
pub use data_dir::LockError;
pub use router::{openapi, router};
pub use secrets::SecretsError;
pub use serve::{ServeError, serve, serve_app};
pub use state::{App, AppState, OpenError};
pub use tls::TlsError;
