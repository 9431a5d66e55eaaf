//! What the command line says.

use std::path::PathBuf;

use clap::{
    Parser,
    builder::{OsStringValueParser, TypedValueParser as _},
};
use parley_app::{AppOptions, LibraryOptions, Loader, Picker, PresetSignIn, SecretPlace};

/// The name under which the system knows the default profile.
pub(crate) const IDENTIFIER: &str = "app.parley.desktop";

/// Parley for the desktop.
#[derive(Clone, Debug, Parser)]
#[command(name = "parley", version)]
pub(crate) struct Options {
    /// Keeps data, sign-in and windows apart from those of other profiles.
    #[arg(long, default_value = "default", value_parser = profile)]
    pub(crate) profile: String,
    /// The server to propose at the sign-in.
    #[arg(long, env = "PARLEY_SERVER")]
    pub(crate) server: Option<String>,
    /// Sign in as this person, unless somebody is signed in. Needs --server and --password-file.
    #[arg(long, requires_all = ["server", "password_file"])]
    pub(crate) sign_in: Option<String>,
    /// A file that holds the password for --sign-in.
    #[arg(long)]
    pub(crate) password_file: Option<PathBuf>,
    /// Where the app keeps its files; the system's place for apps otherwise.
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Use Agora's library in this folder instead of an installed one; empty means none.
    #[arg(long, env = "AGORA_SDK_DIR", value_name = "DIR", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(crate) agora_sdk_dir: Option<PathBuf>,
    /// Where Agora's library is installed, for all profiles alike; with the system's place for the app otherwise, or in
    /// --data-dir if that is said.
    #[arg(long, value_name = "DIR")]
    pub(crate) library_dir: Option<PathBuf>,
    /// What the process does in which a library is tried.
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) try_agora_library: Option<PathBuf>,
    /// Keep the sign-in in an encrypted file, without asking the system's keyring.
    #[arg(long)]
    pub(crate) secrets_in_file: bool,
    /// A video file (H.264 in MP4) that can stand in for the camera.
    #[arg(long)]
    pub(crate) clip: Option<PathBuf>,
    /// Begin with the window at that place and size: X,Y,WIDTH,HEIGHT.
    #[arg(long, value_parser = place)]
    pub(crate) place: Option<Place>,
    /// End with the window instead of staying in the tray.
    #[arg(long)]
    pub(crate) quit_on_close: bool,
    /// What to log, as tracing's filter directives.
    #[arg(long, env = "PARLEY_LOG", default_value = "warn,parley=info,parley_app=info")]
    pub(crate) log: String,
}

/// Where a window begins, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Options {
    /// The name under which the system knows this profile.
    pub(crate) fn identifier(&self) -> String {
        match self.profile.as_str() {
            "default" => IDENTIFIER.to_owned(),
            profile => format!("{IDENTIFIER}.{profile}"),
        }
    }

    /// What the app core needs of this. `shared_dir` is the system's place for what profiles share.
    pub(crate) fn app_options(&self, data_dir: PathBuf, shared_dir: PathBuf, picker: Picker) -> AppOptions {
        let sign_in = match (&self.server, &self.sign_in, &self.password_file) {
            (Some(server), Some(email), Some(password_file)) => Some(PresetSignIn {
                server: server.clone(),
                email: email.clone(),
                password_file: password_file.clone(),
            }),
            _ => None,
        };
        let library = LibraryOptions {
            home: self.library_dir.clone().or_else(|| self.data_dir.clone()).unwrap_or(shared_dir),
            named: self.agora_sdk_dir.clone().filter(|dir| !dir.as_os_str().is_empty()),
            loader: std::env::current_exe()
                .ok()
                .map(|program| Loader { program, arguments: vec!["--try-agora-library".into()] }),
            picker: Some(picker),
        };
        AppOptions {
            library,
            server: self.server.clone(),
            sign_in,
            secrets: if self.secrets_in_file { SecretPlace::File } else { SecretPlace::KeyringOrFile },
            video_file: self.clip.clone(),
            ..AppOptions::new(&self.profile, data_dir)
        }
    }
}

fn profile(word: &str) -> Result<String, String> {
    let valid = (1..=32).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if valid {
        Ok(word.to_owned())
    } else {
        Err("a profile is 1 to 32 lower-case letters and digits, a letter first".to_owned())
    }
}

fn place(text: &str) -> Result<Place, String> {
    let numbers: Vec<f64> = text.split(',').map(str::parse).collect::<Result<_, _>>().map_err(|_| PLACE.to_owned())?;
    match numbers[..] {
        [x, y, width, height] if numbers.iter().all(|n| n.is_finite() && *n >= 0.0) => {
            Ok(Place { x, y, width, height })
        }
        _ => Err(PLACE.to_owned()),
    }
}

const PLACE: &str = "a place is four numbers: X,Y,WIDTH,HEIGHT";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_that_could_not_be_a_folder_is_refused() {
        for word in ["", "../up", "Client", "1st", "a b", &"x".repeat(33)] {
            assert!(profile(word).is_err(), "{word:?}");
        }
        assert_eq!(profile("client2").as_deref(), Ok("client2"));
    }

    #[test]
    fn library_folder_that_is_empty_is_none() {
        let options = Options::parse_from(["parley", "--agora-sdk-dir", ""]);
        let picker = Picker::new(|_| Box::pin(std::future::ready(Vec::new())));
        assert_eq!(options.app_options("data".into(), "shared".into(), picker).library.named, None);
    }

    #[test]
    fn place_needs_four_numbers() {
        assert_eq!(place("0,0,1024,700"), Ok(Place { x: 0.0, y: 0.0, width: 1024.0, height: 700.0 }));
        for text in ["", "1,2,3", "1,2,3,x", "1,2,3,4,5", "-1,0,10,10", "NaN,0,1,1"] {
            assert!(place(text).is_err(), "{text:?}");
        }
    }
}
