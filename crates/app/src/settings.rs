//! What a profile remembers besides its session: the server and the devices.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use parley_protocol::app::DeviceChoice;
use serde::{Deserialize, Serialize};

/// The remembered choices. Losing them costs a choice, so a damaged file counts as none.
pub(crate) struct Settings {
    path: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    server: Option<String>,
    devices: Option<DeviceChoice>,
}

impl Settings {
    pub(crate) fn open(dir: &Path) -> Self {
        let path = dir.join("settings.json");
        let kept = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, kept: Mutex::new(kept) }
    }

    /// The server of the last sign-in.
    pub(crate) fn server(&self) -> Option<String> {
        self.lock().server.clone()
    }

    pub(crate) fn devices(&self) -> DeviceChoice {
        let nothing = DeviceChoice { camera: None, microphone: None, speaker: None };
        self.lock().devices.clone().unwrap_or(nothing)
    }

    pub(crate) fn remember_server(&self, server: &str) {
        self.change(|kept| kept.server = Some(server.to_owned()));
    }

    pub(crate) fn remember_devices(&self, devices: &DeviceChoice) {
        self.change(|kept| kept.devices = Some(devices.clone()));
    }

    fn change(&self, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.lock();
        change(&mut kept);
        if let Err(error) = write(&self.path, &kept) {
            tracing::warn!(%error, "a choice could not be remembered");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole or not at all.
fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let draft = path.with_extension("json.new");
    fs::write(&draft, serde_json::to_vec_pretty(kept)?)?;
    fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_settings_count_as_none_and_can_be_written_again() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("settings.json"), b"{\"server\": 7").unwrap();
        let settings = Settings::open(dir.path());
        assert_eq!(settings.server(), None);
        settings.remember_server("https://a.example");
        let choice = DeviceChoice { camera: Some("card".to_owned()), microphone: None, speaker: None };
        settings.remember_devices(&choice);
        let again = Settings::open(dir.path());
        assert_eq!((again.server().as_deref(), again.devices()), (Some("https://a.example"), choice));
    }
}
