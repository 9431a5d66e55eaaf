//! A call between two people: the machine that decides, the engine trait that carries, and the actor between them.
//!
//! No SDK, no device, no network and no Tauri in here. An engine (built-in WebRTC, Agora, simulation) stands behind
//! [`MediaEngine`]; frames and sound cross that border in the types of [`frame`], [`slot`] and [`audio`].

pub mod audio;
pub mod engine;
pub mod frame;
pub mod slot;

pub use audio::{AudioBlock, AudioQueue};
pub use engine::*;
pub use frame::{FramePool, I420Frame, MediaTime};
pub use slot::LatestSlot;
