//! What a profile is started with.

use std::path::PathBuf;

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

impl AppOptions {
    /// A profile with nothing special.
    pub fn new(profile: impl Into<String>, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            profile: profile.into(),
            data_dir: data_dir.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            server: None,
            sign_in: None,
            secrets: SecretPlace::default(),
            video_file: None,
            extra_origins: Vec::new(),
        }
    }
}
