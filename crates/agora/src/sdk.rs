//! Where Agora's library lies, whether it fits this program, and how one is put into its place.
//!
//! Nothing of it can be shipped with Parley, so a person downloads a zip from Agora and gives it to us. [`find`] says
//! which folder is meant, [`inspect`] whether what lies there would work, without running any of it, [`install`] puts
//! a download into its place. Every [`Refusal`] says what was found, in which file, and what is needed.

mod apart;
mod binary;
mod find;
mod inspect;
mod install;
mod load;
mod machine;
mod refusal;
mod unpack;

pub use self::{
    apart::{Loader, answer_of_loading, load_apart},
    find::{FOLDER, Place, Source, find, place},
    inspect::{Fit, inspect},
    install::{InstallError, downloads, install, remove},
    load::{Loaded, load},
    machine::{Cpu, Machine, System},
    refusal::{Refusal, needed},
};

/// The page where Agora offers its libraries to people. Nothing is downloaded from it by this program.
pub const DOWNLOADS_PAGE: &str = "https://docs.agora.io/en/api-reference/sdks";

/// In how many zip files Agora gives what this system needs: Iris comes apart from the native library under it.
pub const PARTS: u8 = if cfg!(any(windows, target_os = "macos")) { 2 } else { 1 };

/// The oldest server library whose interface we know: one layout of every structure from then on.
pub const OLDEST_GATEWAY: &str = "4.4.32.154";

/// The oldest Iris whose methods have the ids that we call.
pub const OLDEST_IRIS: &str = "4.5";

/// Which of Agora's two C interfaces a library speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interface {
    /// The server gateway's, spoken by `libagora_rtc_sdk.so`: Linux, and macOS for development.
    Gateway,
    /// Iris, spoken by `AgoraRtcWrapper` over the desktop SDK: Windows and macOS.
    Iris,
}

impl Interface {
    /// How the product is called where people download it.
    pub fn product(self) -> &'static str {
        match self {
            Self::Gateway => "Agora's server gateway library",
            Self::Iris => "Agora's desktop library with Iris",
        }
    }
}
