//! A call between two people: the machine that decides, the engine trait that carries, and the actor between them.
//!
//! No SDK, no device, no network and no Tauri in here. An engine (built-in WebRTC, Agora, simulation) stands behind
//! [`MediaEngine`]; frames and sound cross that border in the types of [`frame`], [`slot`] and [`audio`]. The rules are
//! [`machine`]; [`CallSession`] runs them against an engine and a [`Signalling`], and publishes [`CallSnapshot`]s.

pub mod audio;
pub mod engine;
pub mod frame;
pub mod machine;
mod outbox;
pub mod session;
pub mod signalling;
#[cfg(feature = "sim")]
pub mod sim;
pub mod slot;
pub mod snapshot;
#[cfg(feature = "suite")]
pub mod suite;

pub use audio::{AudioBlock, AudioQueue};
pub use engine::*;
pub use frame::{FramePool, I420Frame, MediaTime};
pub use outbox::Outbox;
pub use session::{CallSession, EngineFactory, Opening, VideoTrack};
pub use signalling::{Grant, MediaState, Signalling, SignallingError};
pub use slot::LatestSlot;
pub use snapshot::{CallFailure, CallSnapshot, Ending, PeerMedia, Phase, Switched, Trouble, Why};
