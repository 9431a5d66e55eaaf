//! Rate limits per account and per address: one leaky bucket a key (GCRA), on monotonic time, in memory.

use std::{collections::HashMap, hash::Hash, net::IpAddr, sync::Mutex, time::Duration};

use parley_domain::UserId;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    config::Switch,
    problem::{Outcome, Refusal},
};

/// How many keys are kept before those that are full again are thrown away.
const SWEEP_AT: usize = 10_000;

/// What a bucket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Register, login, refresh and password attempts from one address.
    SignInFrom,
    /// Login attempts for one account, wherever they come from.
    SignInAs,
    /// Authenticated HTTP calls of one person.
    Call,
    /// Messages of one person.
    Message,
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
            Self::SignInAs => (10, Duration::from_secs(6)),
            Self::Call => (300, Duration::from_millis(50)),
            Self::Message => (60, Duration::from_millis(200)),
            Self::Meeting => (10, Duration::from_secs(6)),
            Self::Event => (200, Duration::from_millis(20)),
            Self::Connect => (30, Duration::from_secs(2)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(Option<IpAddr>),
    /// The hash of an address to sign in with: memory that grows by strangers' input holds no personal data.
    Account([u8; 16]),
    User(UserId),
}

/// All buckets. Cheap enough to be asked on every request.
pub(crate) struct Limits {
    is_on: bool,
    /// When the bucket will be empty again.
    buckets: Mutex<HashMap<(Kind, Key), Instant>>,
}

impl Limits {
    pub(crate) fn new(switch: Switch) -> Self {
        Self { is_on: switch == Switch::On, buckets: Mutex::new(HashMap::new()) }
    }

    /// Counts one from that network address.
    pub(crate) fn take_from(&self, kind: Kind, address: Option<IpAddr>) -> Outcome<()> {
        self.take((kind, Key::Address(address.map(network))))
    }

    /// Counts one for that sign-in address.
    pub(crate) fn take_as(&self, kind: Kind, email: &str) -> Outcome<()> {
        let digest = Sha256::digest(email.as_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        self.take((kind, Key::Account(short)))
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
        let mut buckets = self.buckets.lock().expect("no thread panics while it holds the buckets");
        if buckets.len() >= SWEEP_AT {
            buckets.retain(|_, empty_at| *empty_at > now);
        }
        let (burst, interval) = key.0.allowance();
        let empty_at = buckets.get(&key).copied().unwrap_or(now).max(now);
        let full = interval * burst;
        let wait = (empty_at + interval).duration_since(now).saturating_sub(full);
        if wait > Duration::ZERO {
            return Err(Refusal::rate_limited(wait.as_secs() + 1));
        }
        buckets.insert(key, empty_at + interval);
        Ok(())
    }
}

/// One IPv6 customer has a whole /64, so that is what counts.
fn network(address: IpAddr) -> IpAddr {
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
}

impl EventBucket {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { is_on: limits.is_on, empty_at: Instant::now() }
    }

    pub(crate) fn take(&mut self) -> Outcome<()> {
        if !self.is_on {
            return Ok(());
        }
        let (burst, interval) = Kind::Event.allowance();
        let now = Instant::now();
        let empty_at = self.empty_at.max(now);
        let wait = (empty_at + interval).duration_since(now).saturating_sub(interval * burst);
        if wait > Duration::ZERO {
            return Err(Refusal::rate_limited(wait.as_secs() + 1));
        }
        self.empty_at = empty_at + interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parley_protocol::Code;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_then_one_at_a_time() {
        let limits = Limits::new(Switch::On);
        for _ in 0..10 {
            limits.take_as(Kind::SignInAs, "a@b.test").unwrap();
        }
        assert_eq!(limits.take_as(Kind::SignInAs, "a@b.test").unwrap_err().code(), Code::RateLimited);
        limits.take_as(Kind::SignInAs, "other@b.test").unwrap();
        tokio::time::advance(Duration::from_secs(7)).await;
        limits.take_as(Kind::SignInAs, "a@b.test").unwrap();
        assert!(limits.take_as(Kind::SignInAs, "a@b.test").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn neighbours_in_one_ipv6_network_share_a_bucket() {
        let limits = Limits::new(Switch::On);
        for host in 0..30_u16 {
            let address = format!("2001:db8:0:1::{host:x}").parse().unwrap();
            limits.take_from(Kind::SignInFrom, Some(address)).unwrap();
        }
        let next = "2001:db8:0:1::ffff".parse().unwrap();
        assert!(limits.take_from(Kind::SignInFrom, Some(next)).is_err());
        limits.take_from(Kind::SignInFrom, Some("2001:db8:0:2::1".parse().unwrap())).unwrap();
    }

    #[tokio::test]
    async fn switched_off_nothing_is_counted() {
        let limits = Limits::new(Switch::Off);
        for _ in 0..10_000 {
            limits.take_from(Kind::SignInFrom, None).unwrap();
        }
    }
}
