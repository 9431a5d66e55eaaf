//! Where a profile's sign-in lies: the system's keyring, or an encrypted file where there is none.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use parley_client::secrets::{SecretError, SecretStore};
use parley_protocol::app;

use crate::SecretPlace;

/// The keyring's name for all of Parley; the profile is the entry's user.
const SERVICE: &str = "app.parley.desktop";
/// A keyring that asks the person to unlock it may take that long; one that nobody answers for must not hold the app.
const KEYRING_WITHIN: Duration = Duration::from_secs(15);

/// Opens the place for this profile, and says which one it is. May block for [`KEYRING_WITHIN`].
pub(crate) fn open(place: SecretPlace, profile: &str, folder: &Path) -> (Arc<dyn SecretStore>, app::SecretStore) {
    if place == SecretPlace::KeyringOrFile {
        let keyring = Keyring { profile: profile.to_owned(), marker: folder.join("sign-in-is-in-keyring") };
        match keyring.probe() {
            Ok(()) => return (Arc::new(keyring), app::SecretStore::Keyring),
            Err(error) => tracing::info!(%error, "no keyring here; the sign-in goes to an encrypted file"),
        }
    }
    (Arc::new(EncryptedFile { folder: folder.to_owned() }), app::SecretStore::File)
}

/// The system's keyring.
struct Keyring {
    profile: String,
    /// There while the keyring holds a sign-in: a locked keyring answers as if it held none.
    marker: PathBuf,
}

impl Keyring {
    fn probe(&self) -> Result<(), SecretError> {
        if self.marker.exists() {
            return Ok(());
        }
        // Only a keyring that keeps what it is given is one: some answer reads without a place to write to.
        let trial = format!("{}.trial", self.profile);
        on_own_thread(move || {
            let entry = keyring::Entry::new(SERVICE, &trial)?;
            entry.set_password("trial")?;
            entry.delete_credential()
        })
    }
}

impl SecretStore for Keyring {
    fn load(&self) -> Result<Option<String>, SecretError> {
        let profile = self.profile.clone();
        let secret = on_own_thread(move || match keyring::Entry::new(SERVICE, &profile)?.get_password() {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })?;
        if secret.is_none() && self.marker.exists() {
            return Err(SecretError("The keyring is locked. Unlock it and start Parley again.".to_owned()));
        }
        Ok(secret)
    }

    fn save(&self, secret: &str) -> Result<(), SecretError> {
        let (profile, secret) = (self.profile.clone(), secret.to_owned());
        on_own_thread(move || keyring::Entry::new(SERVICE, &profile)?.set_password(&secret))?;
        if !self.marker.exists() {
            replace(&self.marker, b"").map_err(|error| file_error(&error))?;
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), SecretError> {
        let profile = self.profile.clone();
        on_own_thread(move || match keyring::Entry::new(SERVICE, &profile)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(error),
        })?;
        remove(&self.marker).map_err(|error| file_error(&error))
    }
}

/// The keyring's own runtime must not find itself inside of ours, so each call gets a plain thread.
fn on_own_thread<T: Send + 'static>(
    call: impl FnOnce() -> keyring::Result<T> + Send + 'static,
) -> Result<T, SecretError> {
    let (answer, answered) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || answer.send(call()))
        .map_err(|error| SecretError(format!("The keyring can't be asked: {error}.")))?;
    match answered.recv_timeout(KEYRING_WITHIN) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(SecretError(format!("The keyring refused: {error}."))),
        Err(_) => Err(SecretError("The keyring did not answer.".to_owned())),
    }
}

/// A file that only its key file opens; both readable by this user only. It keeps a sign-in out of backups and search
/// indexes that pick up single files, not from somebody who has the whole folder: the app says so.
struct EncryptedFile {
    folder: PathBuf,
}

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;
/// Ties the cipher text to its purpose.
const PURPOSE: &[u8] = b"parley sign-in 1";

impl EncryptedFile {
    fn path(&self) -> PathBuf {
        self.folder.join("sign-in.bin")
    }

    fn cipher(&self) -> io::Result<XChaCha20Poly1305> {
        let path = self.folder.join("sign-in.key");
        let kept = match fs::read(&path) {
            Ok(bytes) => <[u8; KEY_LEN]>::try_from(bytes).ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // A damaged key opens nothing any more: the next one takes its place.
        let key = match kept {
            Some(key) => key,
            None => {
                let key = rand::random::<[u8; KEY_LEN]>();
                fs::create_dir_all(&self.folder)?;
                replace(&path, &key)?;
                key
            }
        };
        Ok(XChaCha20Poly1305::new(&key.into()))
    }
}

impl SecretStore for EncryptedFile {
    fn load(&self) -> Result<Option<String>, SecretError> {
        let bytes = match fs::read(self.path()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_error(&error)),
        };
        let opened = self.cipher().map_err(|error| file_error(&error)).and_then(|cipher| {
            let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
            let text =
                cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: PURPOSE }).map_err(|_| damaged())?;
            String::from_utf8(text).map_err(|_| damaged())
        });
        match opened {
            Ok(text) => Ok(Some(text)),
            // A damaged file never opens again: signing in anew is the only way on, and it must not be barred.
            Err(error) => {
                tracing::warn!(%error, "the kept sign-in can't be read and is given up");
                Ok(None)
            }
        }
    }

    fn save(&self, secret: &str) -> Result<(), SecretError> {
        let nonce = rand::random::<[u8; NONCE_LEN]>();
        let cipher = self.cipher().map_err(|error| file_error(&error))?;
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret.as_bytes(), aad: PURPOSE })
            .map_err(|_| SecretError("The sign-in can't be encrypted.".to_owned()))?;
        replace(&self.path(), &[nonce.as_slice(), &sealed].concat()).map_err(|error| file_error(&error))
    }

    fn clear(&self) -> Result<(), SecretError> {
        remove(&self.path()).map_err(|error| file_error(&error))
    }
}

fn damaged() -> SecretError {
    SecretError("The file with the sign-in is damaged.".to_owned())
}

fn file_error(error: &io::Error) -> SecretError {
    SecretError(format!("The file with the sign-in can't be used: {error}."))
}

/// Writes a file that is there whole or not at all, for this user only.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = private_file(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_keeps_the_secret_and_does_not_show_it() {
        let folder = tempfile::tempdir().unwrap();
        let (secrets, place) = open(SecretPlace::File, "client", folder.path());
        assert_eq!(place, app::SecretStore::File);
        assert_eq!(secrets.load().unwrap(), None);
        secrets.save("a refresh token").unwrap();
        let (again, _) = open(SecretPlace::File, "client", folder.path());
        assert_eq!(again.load().unwrap().as_deref(), Some("a refresh token"));
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(7).any(|window| window == b"refresh"), "{path:?} shows the secret");
            #[cfg(unix)]
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o077, 0);
        }
        again.clear().unwrap();
        again.clear().unwrap();
        assert_eq!(again.load().unwrap(), None);
    }

    #[test]
    fn damaged_file_means_signing_in_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (secrets, _) = open(SecretPlace::File, "client", folder.path());
        for damage in [&b""[..], b"short", &[7; 200]] {
            secrets.save("a refresh token").unwrap();
            fs::write(folder.path().join("sign-in.bin"), damage).unwrap();
            assert_eq!(secrets.load().unwrap(), None);
            secrets.save("the next one").unwrap();
            assert_eq!(secrets.load().unwrap().as_deref(), Some("the next one"));
        }
        fs::write(folder.path().join("sign-in.key"), b"short").unwrap();
        assert_eq!(secrets.load().unwrap(), None);
        secrets.save("after that").unwrap();
        assert_eq!(secrets.load().unwrap().as_deref(), Some("after that"));
    }
}
