//! Agora's native library in our process: the safe layer over `agora-sys` and the media engines that use it.
//!
//! [`gateway`] is the server-gateway C interface (Linux, and macOS for development), [`iris`] the C interface over the
//! desktop SDK (Windows, macOS), [`sdk`] says where the library lies, whether it fits, and puts one in its place.

pub mod codes;
mod course;
pub mod gateway;
mod guard;
pub mod iris;
pub mod sdk;

use std::path::Path;

use parley_call::{EnginePorts, MediaEngine};

/// The engine for the library that lies in `sdk_dir`: by the gateway's interface or by Iris, whichever it speaks.
///
/// # Errors
/// When nothing there works on this machine.
pub fn engine(ports: EnginePorts, sdk_dir: &Path) -> Result<Box<dyn MediaEngine>, sdk::Refusal> {
    let fit = sdk::inspect(sdk_dir)?;
    Ok(match fit.interface {
        sdk::Interface::Gateway => Box::new(gateway::GatewayEngine::new(ports, gateway::Library::load(&fit.library)?)),
        sdk::Interface::Iris => Box::new(iris::IrisEngine::new(ports, iris::Library::load(&fit.library)?)),
    })
}
