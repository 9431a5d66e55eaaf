//! The server's settings: flags over environment over file over defaults, read once (`CONTRACT.md` §7).

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use parley_domain::MeetingTimes;
use parley_protocol::rest::IceServer;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    clock::{Clock, SystemClock},
    mail::smtp::Smtp,
    proxies::ProxyNet,
};

mod errors;
mod layers;
mod secret_file;

pub use errors::ConfigError;
pub use layers::{Flags, Origin, Setting, Settings};

/// A document with pictures, or a minute of film from a phone.
const MAX_UPLOAD_BYTES: u64 = 25 * 1024 * 1024;

/// A text that never shows itself in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// By hand, so that a value of another type is refused without being shown.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in quotes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Secret, E> {
                Err(E::custom("a secret is a text in quotes"))
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::custom("a secret is a text in quotes"))
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secret, E> {
                Err(E::custom("a secret is a text in quotes"))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::custom("a secret is a text in quotes"))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

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
    /// The certificate to serve TLS with; without one the server speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Whose `Forwarded` and `X-Forwarded-For` are believed.
    pub trusted_proxies: Vec<ProxyNet>,
    /// Where metrics are served without a token; nowhere by default.
    pub metrics_listen: Option<SocketAddr>,
    /// The token that opens `/metrics` on the main listener; without one it is not there.
    pub metrics_token: Option<Secret>,
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

/// Where a certificate and its key lie, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key: PKCS #8, SEC1 or RSA.
    pub key: PathBuf,
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
    /// How long a request's head may take to come, and a kept-alive connection may be idle.
    pub request_head: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the calls that run may take to end once the server is told to stop.
    pub drain: Duration,
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
            request_head: seconds(30),
            handshake: seconds(10),
            drain: seconds(10),
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
            tls: None,
            trusted_proxies: Vec::new(),
            metrics_listen: None,
            metrics_token: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "[redacted]");
    }
}
