//! Flags over environment over file: every setting is taken from the first that has it, and it is remembered which.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Value},
};
use serde::{Deserialize, Deserializer, de};

use super::{Config, ConfigError, IceServers, Secret, Switch, TlsFiles, secret_file};
use crate::{
    cors::is_origin,
    mail::smtp::{Smtp, SmtpSettings},
    proxies::ProxyNet,
};

/// The settings as one layer has them. The flags are one layer; the environment (`PARLEY_` and the name, `AGORA_…`)
/// and the TOML file (the names with underscores) are the others.
#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Flags {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, global = true)]
    pub listen: Option<SocketAddr>,
    /// Directory of the database, the secrets and the uploads.
    #[arg(long, global = true)]
    pub data_dir: Option<PathBuf>,
    /// Lift request, event, connection and socket limits, for tests and benchmarks.
    #[arg(long, global = true, value_enum)]
    pub rate_limits: Option<Switch>,
    /// File with the certificate chain (PEM) to serve TLS with; read again when it changes.
    #[arg(long, global = true)]
    pub tls_cert: Option<PathBuf>,
    /// File with the private key (PEM) of the certificate.
    #[arg(long, global = true)]
    pub tls_key: Option<PathBuf>,
    /// Addresses or networks of reverse proxies whose Forwarded and X-Forwarded-For are believed, with commas.
    #[arg(long, global = true, value_delimiter = ',')]
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<ProxyNet>,
    /// Web origin that may call from a browser; may be given several times.
    #[arg(long = "allowed-origin", global = true)]
    #[serde(deserialize_with = "list")]
    pub allowed_origins: Vec<String>,
    /// Address and port that serve /metrics without a token, such as 127.0.0.1:9100.
    #[arg(long, global = true)]
    pub metrics_listen: Option<SocketAddr>,
    /// Token that opens /metrics on the main listener; better by --metrics-token-file.
    #[arg(long, global = true, value_parser = secret)]
    pub metrics_token: Option<Secret>,
    /// File whose first line is that token.
    #[arg(long, global = true)]
    pub metrics_token_file: Option<PathBuf>,
    /// The largest file that is taken, in bytes.
    #[arg(long, global = true)]
    #[serde(deserialize_with = "number")]
    pub max_upload_bytes: Option<u64>,
    /// STUN and TURN servers to hand to the direct engine.
    #[arg(skip)]
    pub ice_servers: Option<IceServers>,
    /// Agora's app id.
    #[arg(skip)]
    pub agora_app_id: Option<Secret>,
    /// Agora's app certificate.
    #[arg(skip)]
    pub agora_app_certificate: Option<Secret>,
    /// File whose first line is that certificate.
    #[arg(skip)]
    pub agora_app_certificate_file: Option<PathBuf>,
    /// Mail server for mails about meetings, such as smtps://mail.example.org.
    #[arg(long, global = true)]
    pub smtp_url: Option<String>,
    /// Whom mails are from, such as "Parley <parley@example.org>".
    #[arg(long, global = true)]
    pub smtp_from: Option<String>,
    /// The name to sign in to the mail server with.
    #[arg(skip)]
    pub smtp_username: Option<Secret>,
    /// The password to sign in to the mail server with.
    #[arg(skip)]
    pub smtp_password: Option<Secret>,
    /// File whose first line is that password.
    #[arg(long, global = true)]
    pub smtp_password_file: Option<PathBuf>,
    /// TOML file with settings; its keys are the flags with underscores.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// Either a list or, as in the environment, a text with commas.
fn list<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: std::str::FromStr<Err: fmt::Display>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Listed {
        Text(String),
        Texts(Vec<String>),
    }
    let texts = match Listed::deserialize(deserializer) {
        Ok(Listed::Text(text)) => text.split(',').map(str::to_owned).collect(),
        Ok(Listed::Texts(texts)) => texts,
        Err(_) => return Err(de::Error::custom("a list of texts is expected")),
    };
    let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    texts.map(|text| text.parse().map_err(|why| de::Error::custom(format!("{text:?} {why}")))).collect()
}

/// Either a number or, as in the environment, a text of digits.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Number(u64),
        Text(String),
    }
    let expected = || de::Error::custom("a whole number is expected");
    match Given::deserialize(deserializer) {
        Ok(Given::Number(number)) => Ok(Some(number)),
        Ok(Given::Text(text)) => text.trim().parse().map(Some).map_err(|_| expected()),
        Err(_) => Err(expected()),
    }
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// The settings file.
    File(PathBuf),
    /// Nowhere: it is the default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("the command line"),
            Self::Environment => f.write_str("the environment"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

impl Origin {
    /// How the key is called there.
    fn place(&self, key: &str) -> String {
        match self {
            Self::Flag => format!("--{}", key.replace('_', "-")),
            Self::Environment => variable(key),
            Self::File(path) => format!("`{key}` in {}", path.display()),
            Self::Default => format!("the default of {key}"),
        }
    }
}

fn variable(key: &str) -> String {
    let upper = key.to_uppercase();
    if key.starts_with("agora_") { upper } else { format!("PARLEY_{upper}") }
}

/// A setting as it was understood, for people to read; secrets are not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the settings file.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// The settings, where each came from, and what is unwise about them.
#[derive(Debug)]
pub struct Settings {
    /// The settings themselves.
    pub config: Config,
    /// Each of them.
    pub list: Vec<Setting>,
    /// Sentences for the log and for `doctor`.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads flags over environment (`PARLEY_…`, `AGORA_APP_…`) over the TOML file.
    ///
    /// # Errors
    /// See [`ConfigError`]: each names the flag, the variable or the key and its file.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        Settings::load(flags).map(|settings| settings.config)
    }
}

impl Settings {
    /// As [`Config::load`], and keeps where everything came from.
    ///
    /// # Errors
    /// The same.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let agora = Env::raw().filter(|key| key.as_str().to_ascii_uppercase().starts_with("AGORA_APP_"));
        Self::layer(
            flags,
            Env::prefixed("PARLEY_").iter().chain(agora.iter()).map(|(key, text)| (key.into_string(), text)),
        )
    }

    fn layer(flags: &Flags, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let environment = read_environment(variables)?;
        let file = flags.config.clone().or_else(|| environment.config.clone());
        let mut layers = vec![(Origin::Flag, flags.clone()), (Origin::Environment, environment)];
        if let Some(path) = file {
            let layer = read_file(&path)?;
            layers.push((Origin::File(path), layer));
        }
        Reading { layers, list: Vec::new(), warnings: Vec::new() }.settings()
    }
}

/// The names of all settings, as serde knows them.
fn known_keys() -> &'static [&'static str] {
    let unknown = Figment::from(Serialized::default("?", 1)).extract::<Flags>();
    match unknown.map_err(|error| error.kind) {
        Err(Kind::UnknownField(_, known)) => known,
        _ => &[],
    }
}

/// Variables are texts whatever they look like: a certificate of digits only is no number. Empty ones are not set, and
/// those that no setting has may be another program's.
fn read_environment(variables: impl Iterator<Item = (String, String)>) -> Result<Flags, ConfigError> {
    let mut values = Dict::new();
    for (key, text) in variables {
        let key = key.to_lowercase();
        if text.is_empty() || !known_keys().contains(&key.as_str()) {
            continue;
        }
        let value = if key == "ice_servers" {
            let Ok(value) = text.parse::<Value>();
            value
        } else {
            Value::from(text)
        };
        values.insert(key, value);
    }
    let layer = Figment::from(Serialized::defaults(values)).extract::<Flags>();
    layer.map_err(|error| value_error(&Origin::Environment, &error))
}

fn read_file(path: &Path) -> Result<Flags, ConfigError> {
    if !path.is_file() {
        return Err(ConfigError::NoFile(path.to_owned()));
    }
    let unreadable = |why: String| ConfigError::Unreadable { file: path.to_owned(), why };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let figment = Figment::from(Toml::string(&text));
    if let Err(error) = figment.extract::<Dict>() {
        // The parser quotes the line; that may hold a secret.
        let text = error.kind.to_string();
        let lines: Vec<_> = text.lines().filter(|line| !line.contains('|') && !line.trim().is_empty()).collect();
        return Err(unreadable(lines.join(": ")));
    }
    let layer = figment.extract::<Flags>().map_err(|error| match &error.kind {
        Kind::UnknownField(key, known) => unknown_key(path, key, known),
        _ => value_error(&Origin::File(path.to_owned()), &error),
    })?;
    if layer.config.is_some() { Err(unknown_key(path, "config", known_keys())) } else { Ok(layer) }
}

fn unknown_key(file: &Path, key: &str, known: &[&str]) -> ConfigError {
    let known: Vec<_> = known.iter().filter(|key| **key != "config").copied().collect();
    ConfigError::UnknownKey { file: file.to_owned(), key: key.to_owned(), known: known.join(", ") }
}

fn value_error(origin: &Origin, error: &figment::Error) -> ConfigError {
    let key = error.path.first().map_or("?", String::as_str);
    ConfigError::Value { place: origin.place(key), why: error.kind.to_string() }
}

struct Reading {
    layers: Vec<(Origin, Flags)>,
    list: Vec<Setting>,
    warnings: Vec<String>,
}

impl Reading {
    fn settings(mut self) -> Result<Settings, ConfigError> {
        let mut config = Config::new(
            self.pick("data_dir", |layer| layer.data_dir.clone(), |path| path.display().to_string())
                .unwrap_or_else(|| PathBuf::from("parley-data")),
        );
        config.listen = self.pick("listen", |layer| layer.listen, show).unwrap_or(config.listen);
        config.rate_limits = self
            .pick("rate_limits", |layer| layer.rate_limits, |value| format!("{value:?}").to_lowercase())
            .unwrap_or(config.rate_limits);
        config.tls = self.tls()?;
        config.trusted_proxies = self
            .pick("trusted_proxies", |layer| given(&layer.trusted_proxies), |list| joined(list))
            .unwrap_or_default();
        config.allowed_origins = self
            .pick("allowed_origins", |layer| given(&layer.allowed_origins), |list| joined(list))
            .unwrap_or_default();
        if let Some(other) = config.allowed_origins.iter().find(|origin| !is_origin(origin)) {
            return Err(ConfigError::NoOrigin { place: self.place_of("allowed_origins"), given: other.clone() });
        }
        config.max_upload_bytes =
            self.pick("max_upload_bytes", |layer| layer.max_upload_bytes, show).unwrap_or(config.max_upload_bytes);
        config.metrics_listen = self.pick("metrics_listen", |layer| layer.metrics_listen, show);
        config.metrics_token = self.secret("metrics_token", "metrics_token_file", |layer| {
            (layer.metrics_token.clone(), layer.metrics_token_file.clone())
        })?;
        config.ice_servers = self
            .pick("ice_servers", |layer| layer.ice_servers.clone(), |servers| format!("{servers:?}"))
            .unwrap_or_default();
        config.agora = self.agora()?;
        config.smtp = self.smtp()?;
        Ok(Settings { config, list: self.list, warnings: self.warnings })
    }

    /// The value of the first layer that has one.
    fn pick<T>(
        &mut self,
        key: &'static str,
        get: impl Fn(&Flags) -> Option<T>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        let found = self.layers.iter().find_map(|(origin, layer)| Some((origin.clone(), get(layer)?)));
        let (origin, value) = match found {
            Some((origin, value)) => (origin, Some(value)),
            None => (Origin::Default, None),
        };
        let shown = value.as_ref().map_or_else(|| "not set".to_owned(), show);
        self.list.push(Setting { key, value: shown, origin });
        value
    }

    /// A secret of the first layer that has it, itself or by a file.
    fn secret(
        &mut self,
        key: &'static str,
        file_key: &'static str,
        get: impl Fn(&Flags) -> (Option<Secret>, Option<PathBuf>),
    ) -> Result<Option<Secret>, ConfigError> {
        let found = self.layers.iter().find_map(|(origin, layer)| match get(layer) {
            (None, None) => None,
            given => Some((origin.clone(), given)),
        });
        let Some((origin, given)) = found else {
            self.list.push(Setting { key, value: "not set".to_owned(), origin: Origin::Default });
            return Ok(None);
        };
        let secret = match given {
            (Some(_), Some(_)) => return Err(ConfigError::Twice { key, layer: origin.to_string() }),
            (Some(secret), None) => Some(secret),
            (None, Some(file)) => {
                let place = origin.place(file_key);
                let found = secret_file::read(&file).map_err(|source| ConfigError::SecretFile {
                    place: place.clone(),
                    file: file.clone(),
                    source,
                })?;
                if found.secret.expose().is_empty() {
                    return Err(ConfigError::EmptySecret { place, file });
                }
                if found.is_open_to_all {
                    self.warnings.push(format!("{} is readable by everybody; chmod 600 it", file.display()));
                }
                Some(found.secret)
            }
            (None, None) => None,
        };
        let secret = secret.filter(|secret| !secret.expose().is_empty());
        self.list.push(Setting { key, value: "[redacted]".to_owned(), origin });
        Ok(secret)
    }

    fn tls(&mut self) -> Result<Option<TlsFiles>, ConfigError> {
        let path = |path: &PathBuf| path.display().to_string();
        let cert = self.pick("tls_cert", |layer| layer.tls_cert.clone(), path);
        let key = self.pick("tls_key", |layer| layer.tls_key.clone(), path);
        match (cert, key) {
            (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(ConfigError::Half { given: self.place_of("tls_cert"), missing: "tls_key" }),
            (None, Some(_)) => Err(ConfigError::Half { given: self.place_of("tls_key"), missing: "tls_cert" }),
        }
    }

    fn agora(&mut self) -> Result<Option<(Secret, Secret)>, ConfigError> {
        let id = self
            .pick("agora_app_id", |layer| layer.agora_app_id.clone(), |_| "[redacted]".to_owned())
            .filter(|id| !id.expose().is_empty());
        let certificate = self.secret("agora_app_certificate", "agora_app_certificate_file", |layer| {
            (layer.agora_app_certificate.clone(), layer.agora_app_certificate_file.clone())
        })?;
        match (id, certificate) {
            (Some(id), Some(certificate)) => Ok(Some((id, certificate))),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(ConfigError::Half { given: self.place_of("agora_app_id"), missing: "AGORA_APP_CERTIFICATE" })
            }
            (None, Some(_)) => {
                Err(ConfigError::Half { given: self.place_of("agora_app_certificate"), missing: "AGORA_APP_ID" })
            }
        }
    }

    fn smtp(&mut self) -> Result<Option<Smtp>, ConfigError> {
        let url = self.pick("smtp_url", |layer| layer.smtp_url.clone(), Clone::clone);
        let from = self.pick("smtp_from", |layer| layer.smtp_from.clone(), Clone::clone);
        let username = self.secret("smtp_username", "smtp_username", |layer| (layer.smtp_username.clone(), None))?;
        let password = self.secret("smtp_password", "smtp_password_file", |layer| {
            (layer.smtp_password.clone(), layer.smtp_password_file.clone())
        })?;
        Ok(Smtp::of(SmtpSettings { url, from, username, password })?)
    }

    fn place_of(&self, key: &str) -> String {
        self.list
            .iter()
            .find(|setting| setting.key == key)
            .map_or_else(|| key.to_owned(), |found| found.origin.place(key))
    }
}

fn show<T: fmt::Display>(value: &T) -> String {
    value.to_string()
}

fn joined<T: fmt::Display>(list: &[T]) -> String {
    list.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

#[cfg(test)]
mod tests;
