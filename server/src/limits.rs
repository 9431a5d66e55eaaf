//! Rate limits per account and per address: one leaky bucket a key (GCRA), on monotonic time, in memory.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use parley_domain::UserId;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    config::Switch,
    problem::{Outcome, Refusal},
};

/// From how many keys on those whose bucket is full again are thrown away; then again at twice of what is left.
const SWEEP_AT: usize = 10_000;
/// No more keys are kept: a flood from that many addresses gets new buckets, not all memory.
const MAX_KEYS: usize = 200_000;
/// How many refused events in a row a socket may send. Its client is told to slow down each time.
const MAX_REFUSED: u32 = 2_000;

/// What a bucket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Login attempts from one address.
    SignInFrom,
    /// Login attempts for one account from one address.
    SignInAsFrom,
    /// Login attempts for one account from addresses where nobody has signed in to it: many strangers at once. One of
    /// them alone can't fill this, being bounded by [`Self::SignInAsFrom`].
    SignInAs,
    /// New accounts from one address. Slow, because it tells whether an address has an account.
    RegisterFrom,
    /// Refreshed sign-ins from one address: whole offices come back at once after an outage.
    RefreshFrom,
    /// Attempts of a signed-in person to change the password.
    Password,
    /// New requests and proposals of one person.
    Offer,
    /// New socket sessions from one address, signed in or not.
    SocketFrom,
    /// New socket sessions altogether.
    Sockets,
    /// Authenticated HTTP calls of one person.
    Call,
    /// Messages of one person.
    Message,
    /// Uploads of one person.
    Upload,
    /// Searches of one person.
    Search,
    /// New meetings of one person.
    Meeting,
    /// Events of one socket.
    Event,
    /// Socket connections of one person.
    Connect,
}

impl Kind {
    /// How many at once, and how long until one more is possible.
    fn allowance(self) -> (u32, Duration) {
        match self {
            Self::SignInFrom => (30, Duration::from_secs(2)),
            Self::SignInAsFrom => (10, Duration::from_secs(6)),
            Self::SignInAs => (50, Duration::from_secs(2)),
            Self::RegisterFrom => (20, Duration::from_secs(15)),
            Self::RefreshFrom => (200, Duration::from_millis(200)),
            Self::Password => (5, Duration::from_secs(12)),
            Self::Offer => (30, Duration::from_secs(5)),
            Self::SocketFrom => (200, Duration::from_millis(100)),
            Self::Sockets => (3_000, Duration::from_millis(5)),
            Self::Call => (300, Duration::from_millis(50)),
            Self::Message => (60, Duration::from_millis(200)),
            Self::Upload => (30, Duration::from_secs(1)),
            Self::Search => (30, Duration::from_millis(300)),
            Self::Meeting => (10, Duration::from_secs(6)),
            Self::Event => (300, Duration::from_millis(20)),
            Self::Connect => (30, Duration::from_secs(2)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(Option<IpAddr>),
    /// The hash of an address to sign in with: memory that grows by strangers' input holds no personal data.
    Account([u8; 16]),
    AccountFrom([u8; 16], Option<IpAddr>),
    User(UserId),
}

/// All buckets. Cheap enough to be asked on every request.
pub(crate) struct Limits {
    is_on: bool,
    buckets: Mutex<Buckets>,
}

struct Buckets {
    /// When each will be empty again.
    empty_at: HashMap<(Kind, Key), Instant>,
    sweep_at: usize,
    /// From where somebody has signed in to which account: strangers' guesses don't shut that door.
    known: HashSet<Key>,
}

impl Limits {
    pub(crate) fn new(switch: Switch) -> Self {
        let buckets = Buckets { empty_at: HashMap::new(), sweep_at: SWEEP_AT, known: HashSet::new() };
        Self { is_on: switch == Switch::On, buckets: Mutex::new(buckets) }
    }

    /// Counts one from that network address.
    pub(crate) fn take_from(&self, kind: Kind, address: Option<IpAddr>) -> Outcome<()> {
        self.take((kind, Key::Address(address.map(network))))
    }

    /// Counts an attempt to sign in to an account, whether it exists or not.
    pub(crate) fn take_sign_in(&self, email: &str, from: Option<IpAddr>) -> Outcome<()> {
        self.take_from(Kind::SignInFrom, from)?;
        let account = digest(email);
        let here = Key::AccountFrom(account, from.map(network));
        self.take((Kind::SignInAsFrom, here))?;
        if self.is_on && self.lock().known.contains(&here) {
            return Ok(());
        }
        self.take((Kind::SignInAs, Key::Account(account)))
    }

    /// The attempt was right: what was counted for that account from there is forgiven.
    pub(crate) fn signed_in(&self, email: &str, from: Option<IpAddr>) {
        if !self.is_on {
            return;
        }
        let here = Key::AccountFrom(digest(email), from.map(network));
        let mut buckets = self.lock();
        buckets.empty_at.remove(&(Kind::SignInAsFrom, here));
        if buckets.known.len() >= MAX_KEYS {
            buckets.known.clear();
        }
        buckets.known.insert(here);
    }

    /// Counts one for that person.
    pub(crate) fn take_for(&self, kind: Kind, user: UserId) -> Outcome<()> {
        self.take((kind, Key::User(user)))
    }

    fn take(&self, key: (Kind, Key)) -> Outcome<()> {
        if !self.is_on {
            return Ok(());
        }
        let now = Instant::now();
        let mut buckets = self.lock();
        if buckets.empty_at.len() >= buckets.sweep_at {
            buckets.empty_at.retain(|_, empty_at| *empty_at > now);
            if buckets.empty_at.len() >= MAX_KEYS {
                tracing::warn!(keys = MAX_KEYS, "so many are limited at once that counting begins anew");
                buckets.empty_at.clear();
            }
            buckets.sweep_at = (buckets.empty_at.len() * 2).clamp(SWEEP_AT, MAX_KEYS);
        }
        let (burst, interval) = key.0.allowance();
        let empty_at = buckets.empty_at.get(&key).copied().unwrap_or(now).max(now);
        let full = interval * burst;
        let wait = (empty_at + interval).duration_since(now).saturating_sub(full);
        if wait > Duration::ZERO {
            return Err(Refusal::rate_limited(wait.as_secs() + 1));
        }
        buckets.empty_at.insert(key, empty_at + interval);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().expect("no thread panics while it holds the buckets")
    }
}

fn digest(email: &str) -> [u8; 16] {
    let digest = Sha256::digest(email.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

/// One IPv6 customer has a whole /64, so that is what counts.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) & (u128::MAX << 64)).into()),
        },
        v4 => v4,
    }
}

/// One socket's own bucket for its events.
pub(crate) struct EventBucket {
    is_on: bool,
    empty_at: Instant,
    refused: u32,
}

impl EventBucket {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { is_on: limits.is_on, empty_at: Instant::now(), refused: 0 }
    }

    pub(crate) fn take(&mut self) -> Outcome<()> {
        if !self.is_on {
            return Ok(());
        }
        let (burst, interval) = Kind::Event.allowance();
        let now = Instant::now();
        if self.empty_at <= now {
            self.refused = 0;
        }
        let empty_at = self.empty_at.max(now);
        let wait = (empty_at + interval).duration_since(now).saturating_sub(interval * burst);
        if wait > Duration::ZERO {
            self.refused = self.refused.saturating_add(1);
            return Err(Refusal::rate_limited(wait.as_secs() + 1));
        }
        self.empty_at = empty_at + interval;
        Ok(())
    }

    /// Whether the refusals are not heeded at all.
    pub(crate) fn is_flooded(&self) -> bool {
        self.refused > MAX_REFUSED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parley_protocol::Code;

    fn from(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_then_one_at_a_time() {
        let limits = Limits::new(Switch::On);
        let here = from("192.0.2.1");
        for _ in 0..10 {
            limits.take_sign_in("a@b.test", here).unwrap();
        }
        assert_eq!(limits.take_sign_in("a@b.test", here).unwrap_err().code(), Code::RateLimited);
        limits.take_sign_in("other@b.test", here).unwrap();
        tokio::time::advance(Duration::from_secs(7)).await;
        limits.take_sign_in("a@b.test", here).unwrap();
        assert!(limits.take_sign_in("a@b.test", here).is_err());
        limits.signed_in("a@b.test", here);
        limits.take_sign_in("a@b.test", here).unwrap();
    }

    /// For an hour, as fast as they are let, from one address and then from many.
    #[tokio::test(start_paused = true)]
    async fn strangers_do_not_lock_somebody_out() {
        let limits = Limits::new(Switch::On);
        let (home, cafe) = (from("192.0.2.1"), from("192.0.2.2"));
        limits.signed_in("a@b.test", home);
        let mut guesses = 0;
        for second in 0..3600 {
            while limits.take_sign_in("a@b.test", from("198.51.100.1")).is_ok() {
                guesses += 1;
            }
            if second % 600 == 599 {
                limits.take_sign_in("a@b.test", cafe).expect("one stranger keeps nobody out, wherever they are");
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!((600..=620).contains(&guesses), "{guesses} guesses in an hour");
        let mut guesses = 0;
        for host in 0..200 {
            while limits.take_sign_in("a@b.test", from(&format!("203.0.113.{host}"))).is_ok() {
                guesses += 1;
            }
        }
        assert!(guesses <= 60, "{guesses} guesses from 200 addresses at once");
        assert!(limits.take_sign_in("a@b.test", from("203.0.113.250")).is_err());
        limits.take_sign_in("a@b.test", home).expect("where the person has signed in before the door stays open");
    }

    #[tokio::test(start_paused = true)]
    async fn neighbours_in_one_ipv6_network_share_a_bucket() {
        let limits = Limits::new(Switch::On);
        for host in 0..30_u16 {
            limits.take_from(Kind::SignInFrom, from(&format!("2001:db8:0:1::{host:x}"))).unwrap();
        }
        assert!(limits.take_from(Kind::SignInFrom, from("2001:db8:0:1::ffff")).is_err());
        limits.take_from(Kind::SignInFrom, from("2001:db8:0:2::1")).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_from_everywhere_takes_a_bounded_memory() {
        let limits = Limits::new(Switch::On);
        for host in 0..u32::try_from(MAX_KEYS).unwrap() + 10 {
            limits.take_from(Kind::SignInFrom, Some(IpAddr::V4(host.into()))).unwrap();
        }
        assert!(limits.lock().empty_at.len() <= MAX_KEYS);
        tokio::time::advance(Duration::from_secs(3600)).await;
        limits.lock().sweep_at = 0;
        limits.take_from(Kind::SignInFrom, None).unwrap();
        assert_eq!(limits.lock().empty_at.len(), 1, "what is full again is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_never_heeds_is_told_apart_from_a_busy_one() {
        let mut bucket = EventBucket::new(&Limits::new(Switch::On));
        for _ in 0..10 {
            let accepted = (0..1000).filter(|_| bucket.take().is_ok()).count();
            assert!((300..=301).contains(&accepted), "{accepted}");
            assert!(!bucket.is_flooded());
            tokio::time::advance(Duration::from_secs(7)).await;
        }
        for _ in 0..5000 {
            bucket.take().ok();
        }
        assert!(bucket.is_flooded());
    }

    #[tokio::test]
    async fn switched_off_nothing_is_counted() {
        let limits = Limits::new(Switch::Off);
        for _ in 0..10_000 {
            limits.take_from(Kind::SignInFrom, None).unwrap();
            limits.take_sign_in("a@b.test", None).unwrap();
        }
    }
}
