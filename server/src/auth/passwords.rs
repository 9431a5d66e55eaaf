//! Hashing passwords: argon2id, on blocking threads, only a few at a time.

use std::sync::{Arc, OnceLock};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use parley_domain::MAX_PASSWORD_BYTES;
use tokio::sync::Semaphore;

use crate::problem::{Outcome, Refusal};

/// 19 MiB and two passes: the smaller setting that OWASP's password storage sheet recommends for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Hashes and checks passwords, as many at once as there are cores, so that a flood of sign-ins takes neither all
/// memory nor all blocking threads.
#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    dummy: Arc<OnceLock<String>>,
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters lie within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    argon2().hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { permits: Arc::new(Semaphore::new(cores)), dummy: Arc::new(OnceLock::new()) }
    }

    /// The hash to store, with its salt and parameters in it.
    pub(crate) async fn hash(&self, password: String) -> Outcome<String> {
        self.run(move || hash(&password)).await?.map_err(|error| Refusal::internal(error.to_string()))
    }

    /// Whether it is the password. Without a stored hash it takes the same time and says no.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Outcome<bool> {
        let dummy = Arc::clone(&self.dummy);
        self.run(move || {
            let is_real = stored.is_some();
            let stored = match stored {
                Some(stored) => stored,
                None => match dummy.get() {
                    Some(made) => made.clone(),
                    None => {
                        let made = hash("nobody has this password")?;
                        dummy.get_or_init(|| made).clone()
                    }
                },
            };
            let parsed = PasswordHash::new(&stored)?;
            let fits =
                password.len() <= MAX_PASSWORD_BYTES && argon2().verify_password(password.as_bytes(), &parsed).is_ok();
            Ok(fits && is_real)
        })
        .await?
        .map_err(|error: argon2::password_hash::Error| Refusal::internal(error.to_string()))
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(Refusal::internal)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .map_err(Refusal::internal)
    }

    /// Makes the hash that unknown addresses are checked against, so that the first one takes no longer than the rest.
    pub(crate) async fn warm_up(&self) -> Outcome<()> {
        self.verify(String::new(), None).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_fits() {
        let passwords = Passwords::new();
        let stored = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify("correct horse".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("Correct horse".to_owned(), Some(stored)).await.unwrap());
        assert!(!passwords.verify("nobody has this password".to_owned(), None).await.unwrap());
    }
}
