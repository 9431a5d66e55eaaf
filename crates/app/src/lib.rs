//! The app core: what every command of the UI does and the state that the UI sees. Used by the desktop shell and by the
//! test bridge; knows no window.
//!
//! [`App::start`] brings one profile up, [`App::execute`] does one [`Command`], [`App::events`] tells every change.

mod calls;
mod core;
mod events;
mod library;
mod options;
mod pictures;
mod present;
mod secrets;
mod settings;
mod views;

pub use events::AppEvents;
pub use options::{AppOptions, LibraryOptions, Picker, PresetSignIn, SecretPlace};
pub use parley_agora::sdk::{Loader, answer_of_loading};

use parley_protocol::app::{AppError, Command};

/// One profile of the app: its session, its cache, its calls. Dropping it ends every task; [`App::close`] also leaves a
/// running call politely.
pub struct App {
    core: core::Core,
}

impl App {
    /// Opens the profile's folder and begins to restore the session. Answers before the server or the keyring did:
    /// until then the session's state is `starting`.
    ///
    /// # Errors
    /// `LOCAL_STORAGE` when the folder can't be made or the loopback socket can't be opened.
    pub async fn start(options: AppOptions) -> Result<Self, AppError> {
        Ok(Self { core: core::Core::start(options).await? })
    }

    /// Does one command and gives its answer as JSON (`Commands` in the generated types says which shape).
    ///
    /// # Errors
    /// What the person can act on, with its code.
    pub async fn execute(&self, command: Command) -> Result<serde_json::Value, AppError> {
        self.core.execute(command).await
    }

    /// Every change from now on. A reader that falls behind gets the present state instead of what it missed.
    pub fn events(&self) -> AppEvents {
        self.core.events()
    }

    /// Leaves a running call and ends every task. May be called twice.
    pub async fn close(&self) {
        self.core.close().await;
    }
}
