//! Pictures and sound of this machine: where they come from (clip, drawn card, camera, tone, microphone), where they
//! go to (speaker), what is done to them on the way (scaling, H.264, echo cancelling), and the instruments that
//! measure what arrived (stamp, PSNR, tone detector).
//!
//! Frames and sound have the types of `parley-call`. Every source owns its thread and ends it when it is dropped.

mod camera;
pub mod card;
pub mod clip;
pub mod devices;
pub mod echo;
mod font;
pub mod h264;
mod microphone;
mod originals;
pub mod psnr;
pub mod scale;
mod sound;
pub mod source;
mod speaker;
pub mod stamp;
pub mod tone;
mod worker;

pub use camera::CameraError;
pub use devices::{Device, DeviceId};
pub use echo::EchoReference;
pub use microphone::Microphone;
pub use originals::Originals;
pub use sound::SoundError;
pub use source::{FrameLog, SourceError, SourceOptions, VideoSource};
pub use speaker::Speaker;
pub use tone::{Tone, ToneSource};
