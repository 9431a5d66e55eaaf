//! Hashing passwords: argon2id, on blocking threads, only a few at a time.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use parley_domain::MAX_PASSWORD_BYTES;
use tokio::sync::Semaphore;

use crate::{
    config::Switch,
    problem::{Outcome, Refusal},
};

/// 19 MiB and two passes: the smaller setting that OWASP's password storage sheet recommends for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// How many may wait for their turn, for each that is at work: about a second's worth. Whoever comes then is told to
/// come again, before anything else is done: better than an answer after the client has given up.
const WAITING_EACH: usize = 30;

/// Hashes and checks passwords, as many at once as there are cores, so that a flood of sign-ins takes neither all
/// memory nor all blocking threads.
#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// Places of those who wait or are at work.
    places: Arc<Semaphore>,
    dummy: Arc<OnceLock<String>>,
    waiting: Arc<AtomicUsize>,
    /// How often a hash was made or checked.
    #[cfg(test)]
    pub(super) hashes: Arc<std::sync::atomic::AtomicUsize>,
}

/// Counts one that waits, also if it is given up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters lie within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    argon2().hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

impl Passwords {
    /// With limits lifted any number may wait.
    pub(crate) fn new(limits: Switch) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let places = match limits {
            Switch::On => cores * (1 + WAITING_EACH),
            Switch::Off => Semaphore::MAX_PERMITS,
        };
        Self {
            permits: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(places)),
            dummy: Arc::new(OnceLock::new()),
            waiting: Arc::default(),
            #[cfg(test)]
            hashes: Arc::default(),
        }
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

    /// How many wait for a core.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::rate_limited(1))?;
        let permit = {
            let _one = Waiting::new(&self.waiting);
            Arc::clone(&self.permits).acquire_owned().await.map_err(Refusal::internal)?
        };
        #[cfg(test)]
        self.hashes.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        tokio::task::spawn_blocking(move || {
            let _at_work = (place, permit);
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
    use futures_util::future::join_all;
    use parley_protocol::Code;

    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_fits() {
        let passwords = Passwords::new(Switch::On);
        let stored = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify("correct horse".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("Correct horse".to_owned(), Some(stored)).await.unwrap());
        assert!(!passwords.verify("nobody has this password".to_owned(), None).await.unwrap());
    }

    /// What a flood beyond the queue is told, and that those who wait are served.
    #[tokio::test]
    async fn a_flood_waits_in_a_short_queue_and_the_rest_is_told_to_come_again() {
        let passwords = Passwords::new(Switch::On);
        let places = passwords.places.available_permits();
        let outcomes = join_all((0..places + 20).map(|_| passwords.verify("a guess".to_owned(), None))).await;
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(refused.len(), 20);
        assert!(refused.iter().all(|refusal| refusal.code() == Code::RateLimited));
        assert_eq!(passwords.places.available_permits(), places, "every place is free again");
        passwords.verify("a guess".to_owned(), None).await.unwrap();
    }

    #[tokio::test]
    async fn whoever_goes_away_while_waiting_leaves_its_place() {
        let passwords = Passwords::new(Switch::On);
        let places = passwords.places.available_permits();
        let at_work =
            passwords.permits.clone().acquire_many_owned(u32::try_from(passwords.permits.available_permits()).unwrap());
        let at_work = at_work.await.unwrap();
        let mut waiting = Box::pin(passwords.verify("a guess".to_owned(), None));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(passwords.places.available_permits(), places - 1);
        drop(waiting);
        assert_eq!(passwords.places.available_permits(), places);
        drop(at_work);
    }

    /// How long one takes: `cargo test -p parley-server -- --ignored --nocapture one_hash_takes`.
    #[tokio::test]
    #[ignore = "a measurement"]
    async fn one_hash_takes() {
        for (memory, passes) in [(19 * 1024, 2), (19 * 1024, 3), (46 * 1024, 1), (64 * 1024, 3)] {
            let params = Params::new(memory, passes, 1, None).unwrap();
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut took: Vec<_> = (0..15)
                .map(|_| {
                    let began = std::time::Instant::now();
                    argon2.hash_password(b"a password to be timed").unwrap();
                    began.elapsed()
                })
                .collect();
            took.sort();
            println!("m={memory} KiB, t={passes}: median {:?}, longest {:?}", took[7], took[14]);
        }
    }
}
