//! All that crosses a border: HTTP bodies, socket events, the app's commands and events, the frame header, error codes.
//!
//! The TypeScript of the app is generated from here (`cargo xtask types`). The wire itself is `CONTRACT.md`; rows keep
//! the shapes of [`parley_domain`].

pub mod app;
pub mod code;
pub mod frames;
pub mod rest;
#[cfg(feature = "openapi")]
mod schemas;
pub mod socket;
pub mod typescript;

pub use code::{Code, FieldProblem, Problem};
