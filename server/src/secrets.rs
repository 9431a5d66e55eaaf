//! What the server keeps to itself: the key of its tokens, and an app id and certificate of its own for calls that no
//! vendor carries. Made once, kept in the data directory, readable by its owner only.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit, Mac};
use parley_agora_token::{AppCertificate, AppId};
use sha2::Sha256;

use crate::{config::Config, data_dir::KEYS};

const TOKEN_KEY: &str = "token-key";
const CALL_KEYS: &str = "call-keys";

/// An app id with its certificate.
#[derive(Clone, Debug)]
pub(crate) struct AppKeys {
    pub(crate) id: AppId,
    pub(crate) certificate: AppCertificate,
}

/// The server's secrets. `Debug` shows none of them.
pub(crate) struct Secrets {
    token_key: [u8; 32],
    own: AppKeys,
    agora: Option<AppKeys>,
}

/// The secrets can't be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file can't be read or written.
    #[error("{path} can't be used")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than this server once wrote.
    #[error("{0} does not hold what this server once wrote there; restore it from a backup or remove it")]
    Damaged(PathBuf),
    /// The configured app id or certificate has the wrong shape.
    #[error("AGORA_APP_ID and AGORA_APP_CERTIFICATE are 32 hexadecimal digits each")]
    Agora,
}

impl Secrets {
    /// Whether this data directory has any already.
    pub(crate) fn were_made(config: &Config) -> bool {
        let keys = config.data_dir.join(KEYS);
        [TOKEN_KEY, CALL_KEYS].iter().any(|name| keys.join(name).exists())
    }

    /// Reads what is in the data directory, or makes it.
    pub(crate) fn load(config: &Config) -> Result<Self, SecretsError> {
        let keys = config.data_dir.join(KEYS);
        let token_key = read_or_make(&keys.join(TOKEN_KEY), 32)?;
        let own_path = keys.join(CALL_KEYS);
        let own = read_or_make(&own_path, 32)?;
        let own = app_keys(&hex::encode(&own[..16]), &hex::encode(&own[16..]))
            .ok_or_else(|| SecretsError::Damaged(own_path.clone()))?;
        let agora = match &config.agora {
            Some((id, certificate)) => Some(app_keys(id.expose(), certificate.expose()).ok_or(SecretsError::Agora)?),
            None => None,
        };
        let token_key = token_key.try_into().map_err(|_| SecretsError::Damaged(keys.join(TOKEN_KEY)))?;
        Ok(Self { token_key, own, agora })
    }

    /// The keyed hash of several parts, for the purpose that `label` names. The parts are counted, so that no two
    /// lists of parts give the same input.
    pub(crate) fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.token_key).expect("HMAC takes keys of any length");
        for part in std::iter::once(&label.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Agora's keys, if configured.
    pub(crate) fn agora(&self) -> Option<&AppKeys> {
        self.agora.as_ref()
    }

    /// The keys that sign the tokens of a meeting with that engine.
    pub(crate) fn for_engine(&self, engine: parley_domain::EngineKind) -> &AppKeys {
        match (engine, &self.agora) {
            (parley_domain::EngineKind::Agora, Some(agora)) => agora,
            _ => &self.own,
        }
    }
}

fn app_keys(id: &str, certificate: &str) -> Option<AppKeys> {
    Some(AppKeys { id: AppId::new(id).ok()?, certificate: AppCertificate::new(certificate).ok()? })
}

fn read_or_make(path: &Path, length: usize) -> Result<Vec<u8>, SecretsError> {
    let failed = |source| SecretsError::File { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(text) => {
            let bytes = hex::decode(text.trim()).map_err(|_| SecretsError::Damaged(path.to_owned()))?;
            if bytes.len() == length { Ok(bytes) } else { Err(SecretsError::Damaged(path.to_owned())) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, length).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

/// Writes a new secret beside its place and links it there, so that of two processes one wins and both read the same.
fn make(path: &Path, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let parent = path.parent().ok_or_else(|| io::Error::other("a secret lies in a directory"))?;
    create_private_dir(parent)?;
    let mut draft = [0; 8];
    getrandom::fill(&mut draft).map_err(io::Error::other)?;
    let draft = path.with_extension(hex::encode(draft));
    {
        let mut file = private_file(&draft)?;
        file.write_all(hex::encode(&bytes).as_bytes())?;
        file.sync_all()?;
    }
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            hex::decode(fs::read_to_string(path)?.trim()).map_err(io::Error::other)
        }
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

/// Makes a directory that only its owner enters.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_made_once_and_read_by_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::new(dir.path().join("data"));
        let first = Secrets::load(&config).unwrap();
        let second = Secrets::load(&config).unwrap();
        assert_eq!(first.mac("x", &[b"y"]), second.mac("x", &[b"y"]));
        assert_eq!(first.own.id, second.own.id);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            for name in ["token-key", "call-keys"] {
                let mode = fs::metadata(config.data_dir.join("keys").join(name)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{name}");
            }
        }
    }

    #[test]
    fn a_damaged_secret_is_never_replaced_silently() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::new(dir.path());
        Secrets::load(&config).unwrap();
        fs::write(dir.path().join("keys/token-key"), "nonsense").unwrap();
        assert!(matches!(Secrets::load(&config), Err(SecretsError::Damaged(_))));
    }

    #[test]
    fn the_label_and_the_borders_of_the_parts_count() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::load(&Config::new(dir.path())).unwrap();
        assert_ne!(secrets.mac("a", &[b"bc"]), secrets.mac("ab", &[b"c"]));
        assert_ne!(secrets.mac("a", &[b"b", b"c"]), secrets.mac("a", &[b"bc"]));
    }
}
