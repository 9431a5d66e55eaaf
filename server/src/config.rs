//! The server's settings: flags over environment over file over defaults, read once (`CONTRACT.md` §7).

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use parley_domain::MeetingTimes;
use parley_protocol::rest::IceServer;
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Clock, SystemClock},
    cors::is_origin,
    mail::smtp::{Smtp, SmtpError, SmtpSettings},
};

/// A document with pictures, or a minute of film from a phone.
const MAX_UPLOAD_BYTES: u64 = 25 * 1024 * 1024;

/// A text that never shows itself in a log.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Never log this.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// STUN and TURN servers. `Debug` tells their number only, since they carry credentials.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct IceServers(pub Vec<IceServer>);

impl fmt::Debug for IceServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} servers", self.0.len())
    }
}

/// `on` or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// Works.
    On,
    /// Doesn't.
    Off,
}

/// What a server needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The directory that holds the database, the secrets and the uploads.
    pub data_dir: PathBuf,
    /// `Off` lifts request, event and socket limits, for tests and benchmarks.
    pub rate_limits: Switch,
    /// Agora's app id and certificate; without them every call takes the direct engine.
    pub agora: Option<(Secret, Secret)>,
    /// Web origins that may call from a browser; none by default, since the app is no browser.
    pub allowed_origins: Vec<String>,
    /// STUN and TURN servers to hand to the direct engine.
    pub ice_servers: IceServers,
    /// The mail server for mails about meetings; without one none are sent.
    pub smtp: Option<Smtp>,
    /// The largest file that is taken.
    pub max_upload_bytes: u64,
    /// Durations that tests shorten.
    pub timing: Timing,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
}

/// Every span of time that the contract names. The defaults are the contract's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long an access token lives.
    pub access_token: Duration,
    /// How long a refresh token lives.
    pub refresh_token: Duration,
    /// How long a spent refresh token still gives its successor, for lost answers.
    pub refresh_grace: Duration,
    /// How long a socket outlives its access token, so that a renewal can be a little late.
    pub socket_grace: Duration,
    /// How long a connection may take to sign in as a socket.
    pub socket_sign_in: Duration,
    /// How long a socket that was told to go has to hang up by itself.
    pub socket_farewell: Duration,
    /// How often the sockets' sessions are looked up: a command beside the server may have ended one.
    pub session_check: Duration,
    /// Ring, early start, expiry, absence and reminders.
    pub meeting: MeetingTimes,
    /// How long a meeting's token lives.
    pub meeting_token: Duration,
    /// After that long without a word someone has stopped typing.
    pub typing: Duration,
    /// How long the mail server may take for one mail.
    pub mail_patience: Duration,
    /// The pause before a mail is tried again; it doubles each time.
    pub mail_retry: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            access_token: seconds(15 * 60),
            refresh_token: seconds(30 * 24 * 3600),
            refresh_grace: seconds(30),
            socket_grace: seconds(60),
            socket_sign_in: seconds(10),
            socket_farewell: seconds(3),
            session_check: seconds(2),
            meeting: MeetingTimes::default(),
            meeting_token: seconds(3600),
            typing: seconds(6),
            mail_patience: seconds(30),
            mail_retry: seconds(10),
        }
    }
}

impl Config {
    /// The defaults, on loopback, with that data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8750)),
            data_dir: data_dir.into(),
            rate_limits: Switch::On,
            agora: None,
            allowed_origins: Vec::new(),
            ice_servers: IceServers::default(),
            smtp: None,
            max_upload_bytes: MAX_UPLOAD_BYTES,
            timing: Timing::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// The path of the database.
    pub fn database(&self) -> PathBuf {
        self.data_dir.join("parley.sqlite3")
    }
}

/// The settings as flags; what is absent here may be in the environment or in the file.
#[derive(Clone, Debug, Default, Serialize, clap::Args)]
pub struct Flags {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Directory of the database, the secrets and the uploads.
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Lift request, event and socket limits, for tests and benchmarks.
    #[arg(long, global = true, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<Switch>,
    /// Web origin that may call from a browser; may be given several times.
    #[arg(long = "allowed-origin", global = true)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_origins: Vec<String>,
    /// TOML file with settings; its keys are the flags with underscores.
    #[arg(long, global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Layered {
    listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    rate_limits: Option<Switch>,
    #[serde(default)]
    allowed_origins: Vec<String>,
    #[serde(default)]
    ice_servers: IceServers,
    max_upload_bytes: Option<u64>,
    agora_app_id: Option<Secret>,
    agora_app_certificate: Option<Secret>,
    smtp_url: Option<String>,
    smtp_from: Option<String>,
    smtp_username: Option<Secret>,
    smtp_password: Option<Secret>,
    config: Option<PathBuf>,
}

/// The settings contradict themselves or can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value has the wrong shape; the text names the key and where it came from.
    #[error("the settings can't be read: {0}")]
    Unreadable(Box<figment::Error>),
    /// One of Agora's two values is missing.
    #[error("Agora needs both AGORA_APP_ID and AGORA_APP_CERTIFICATE")]
    HalfAgora,
    /// The mail server is named by half, or can't be used.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// `*` among the origins, or something that no browser sends as an origin.
    #[error("an allowed origin is named in full, such as https://app.example.org, without a path; {0} is none")]
    NoOrigin(String),
    /// The named file is not there.
    #[error("there is no settings file {0}")]
    NoFile(PathBuf),
}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        Self::Unreadable(Box::new(error))
    }
}

impl Config {
    /// Reads flags over environment (`PARLEY_…`, `AGORA_APP_ID`, `AGORA_APP_CERTIFICATE`) over the TOML file.
    ///
    /// Errors if the file is named but absent, a value can't be read, Agora is given by half, or `*` is an
    /// allowed origin.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let environment = || {
            Figment::new()
                .merge(Env::raw().only(&["AGORA_APP_ID", "AGORA_APP_CERTIFICATE"]))
                .merge(Env::prefixed("PARLEY_"))
        };
        let file = match &flags.config {
            Some(path) => Some(path.clone()),
            None => environment().extract_inner::<PathBuf>("config").ok(),
        };
        Self::layer(file.as_deref(), environment(), flags)
    }

    fn layer(file: Option<&Path>, environment: Figment, flags: &Flags) -> Result<Self, ConfigError> {
        let mut layers = Figment::new();
        if let Some(path) = file {
            if !path.is_file() {
                return Err(ConfigError::NoFile(path.to_owned()));
            }
            layers = layers.merge(Toml::file(path));
        }
        let layered: Layered = layers.merge(environment).merge(Serialized::defaults(flags)).extract()?;
        let _ = layered.config;
        let mut config = Self::new(layered.data_dir.unwrap_or_else(|| PathBuf::from("parley-data")));
        config.listen = layered.listen.unwrap_or(config.listen);
        config.rate_limits = layered.rate_limits.unwrap_or(config.rate_limits);
        if let Some(other) = layered.allowed_origins.iter().find(|origin| !is_origin(origin)) {
            return Err(ConfigError::NoOrigin(other.clone()));
        }
        config.allowed_origins = layered.allowed_origins;
        config.ice_servers = layered.ice_servers;
        config.max_upload_bytes = layered.max_upload_bytes.unwrap_or(config.max_upload_bytes);
        let given = |value: Option<Secret>| value.filter(|value| !value.expose().is_empty());
        config.agora = match (given(layered.agora_app_id), given(layered.agora_app_certificate)) {
            (Some(id), Some(certificate)) => Some((id, certificate)),
            (None, None) => None,
            _ => return Err(ConfigError::HalfAgora),
        };
        config.smtp = Smtp::of(SmtpSettings {
            url: layered.smtp_url,
            from: layered.smtp_from,
            username: given(layered.smtp_username),
            password: given(layered.smtp_password),
        })?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Figment {
        pairs.iter().fold(Figment::new(), |figment, pair| figment.merge(Serialized::default(pair.0, pair.1)))
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("parley.toml");
        std::fs::write(&file, "listen = '127.0.0.1:1'\ndata_dir = 'from-file'\nrate_limits = 'off'\n").unwrap();
        let flags = Flags { listen: Some("127.0.0.1:3".parse().unwrap()), ..Flags::default() };
        let config =
            Config::layer(Some(&file), environment(&[("listen", "127.0.0.1:2"), ("data_dir", "from-env")]), &flags)
                .unwrap();
        assert_eq!(config.listen.port(), 3);
        assert_eq!(config.data_dir, PathBuf::from("from-env"));
        assert_eq!(config.rate_limits, Switch::Off);
    }

    #[test]
    fn half_of_agora_is_refused() {
        let given = environment(&[("agora_app_id", "970CA35de60c44645bbae8a215061b33")]);
        assert!(matches!(Config::layer(None, given, &Flags::default()), Err(ConfigError::HalfAgora)));
    }

    #[test]
    fn any_origin_is_refused() {
        let flags = Flags { allowed_origins: vec!["https://a.test".to_owned(), "*".to_owned()], ..Flags::default() };
        let error = Config::layer(None, Figment::new(), &flags).unwrap_err();
        assert!(matches!(error, ConfigError::NoOrigin(_)));
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Path::new("/nonexistent/parley.toml");
        let error = Config::layer(Some(missing), Figment::new(), &Flags::default()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/parley.toml"));
    }

    #[test]
    fn a_secret_never_prints_itself() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "[redacted]");
    }
}
