//! What a profile is started with.

use std::{fmt, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use parley_agora::sdk::Loader;
use parley_protocol::app::DownloadKind;

/// How one profile of the app is started.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// The profile's name (`--profile`): part of the keyring entry.
    pub profile: String,
    /// The profile's own folder; made when it isn't there.
    pub data_dir: PathBuf,
    /// The app's version, for diagnostics.
    pub version: String,
    /// The server that the sign-in form proposes.
    pub server: Option<String>,
    /// Signs in without asking, unless this very account's session is there already.
    pub sign_in: Option<PresetSignIn>,
    /// Where the session's secrets go.
    pub secrets: SecretPlace,
    /// A video file that can stand in for the camera.
    pub video_file: Option<PathBuf>,
    /// Where Agora's library is, and how the person brings one.
    pub library: LibraryOptions,
    /// Origins that may read the pictures, besides the app's own web view (for the test bridge and the UI's dev server).
    pub extra_origins: Vec<String>,
}

/// An account to sign in with at start (`--sign-in EMAIL --password-file FILE`).
#[derive(Clone, Debug)]
pub struct PresetSignIn {
    /// Address of the server.
    pub server: String,
    /// Address of the person.
    pub email: String,
    /// Its first line is the password.
    pub password_file: PathBuf,
}

/// Where the session's secrets go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretPlace {
    /// The system's keyring; an encrypted file where there is none.
    #[default]
    KeyringOrFile,
    /// The encrypted file, for machines without a session and for tests.
    File,
}

/// Where Agora's library is, and how the person brings one.
#[derive(Clone, Debug)]
pub struct LibraryOptions {
    /// The folder in which the installed library's folder lies. Profiles may share it.
    pub home: PathBuf,
    /// A folder that is taken instead (`AGORA_SDK_DIR`).
    pub named: Option<PathBuf>,
    /// Loads a library in a process of its own, so that its version is known and one that crashes does no harm.
    pub loader: Option<Loader>,
    /// Lets the person choose files; without it nothing can be installed from the window.
    pub picker: Option<Picker>,
}

/// A dialog of the system in which the person chooses downloads. Nothing chosen: an empty list.
#[derive(Clone)]
pub struct Picker(Arc<dyn Fn(DownloadKind) -> BoxFuture<'static, Vec<PathBuf>> + Send + Sync>);

impl Picker {
    /// By this function.
    pub fn new(pick: impl Fn(DownloadKind) -> BoxFuture<'static, Vec<PathBuf>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(pick))
    }

    pub(crate) fn pick(&self, kind: DownloadKind) -> BoxFuture<'static, Vec<PathBuf>> {
        (self.0)(kind)
    }
}

impl fmt::Debug for Picker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picker")
    }
}

impl AppOptions {
    /// A profile with nothing special.
    pub fn new(profile: impl Into<String>, data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            profile: profile.into(),
            library: LibraryOptions { home: data_dir.clone(), named: None, loader: None, picker: None },
            data_dir,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            server: None,
            sign_in: None,
            secrets: SecretPlace::default(),
            video_file: None,
            extra_origins: Vec::new(),
        }
    }
}
