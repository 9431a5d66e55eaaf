//! How many connections may be open: altogether, and from one network.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::{config::Switch, limits::network, proxies::TrustedProxies};

/// All connections. Beyond it a newcomer is better turned away than everybody slowed down.
const MAX_CONNECTIONS: usize = 16_384;
/// Connections from one address (IPv6: one /64). Everybody of an office may share one.
const MAX_FROM_ONE: usize = 512;

/// Counts the open connections.
pub(crate) struct Bounds {
    max: usize,
    max_from_one: usize,
    /// They stand for many clients: only the overall bound holds for them.
    proxies: TrustedProxies,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    from: HashMap<IpAddr, usize>,
}

/// One connection's place among them; gives itself back.
pub(crate) struct Place {
    bounds: Arc<Bounds>,
    from: IpAddr,
}

impl Bounds {
    pub(crate) fn new(switch: Switch, proxies: TrustedProxies) -> Self {
        let (max, max_from_one) =
            if switch == Switch::On { (MAX_CONNECTIONS, MAX_FROM_ONE) } else { (usize::MAX, usize::MAX) };
        Self { max, max_from_one, proxies, open: Mutex::default() }
    }

    /// Takes a place; `None` if there is none.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let from = network(address);
        let mut open = self.lock();
        let (total, here) = (open.total, open.from.get(&from).copied().unwrap_or(0));
        if total >= self.max || (here >= self.max_from_one && !self.proxies.trusts(address)) {
            return None;
        }
        open.total += 1;
        open.from.insert(from, here + 1);
        Some(Place { bounds: Arc::clone(self), from })
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no thread panics while it counts the connections")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.bounds.lock();
        open.total -= 1;
        if let Some(here) = open.from.get_mut(&self.from) {
            *here -= 1;
            if *here == 0 {
                open.from.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(trusted: &[&str]) -> Arc<Bounds> {
        let proxies = TrustedProxies::new(trusted.iter().map(|net| net.parse().unwrap()).collect());
        Arc::new(Bounds { max: 5, max_from_one: 2, ..Bounds::new(Switch::On, proxies) })
    }

    #[test]
    fn one_network_can_not_take_all_places_and_gives_them_back() {
        let bounds = bounds(&[]);
        let (one, other): (IpAddr, IpAddr) = ("198.51.100.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        let first = bounds.enter(one).unwrap();
        let _second = bounds.enter(one).unwrap();
        assert!(bounds.enter(one).is_none());
        let _neighbours = [bounds.enter(other).unwrap(), bounds.enter("2001:db8::2".parse().unwrap()).unwrap()];
        assert!(bounds.enter("2001:db8::3".parse().unwrap()).is_none());
        drop(first);
        let _again = bounds.enter(one).unwrap();
        assert_eq!(bounds.open(), 4);
    }

    #[test]
    fn a_trusted_proxy_is_bound_by_the_whole_only() {
        let bounds = bounds(&["10.0.0.1"]);
        let places: Vec<_> = (0..9).filter_map(|_| bounds.enter("10.0.0.1".parse().unwrap())).collect();
        assert_eq!(places.len(), 5);
        drop(places);
        assert_eq!(bounds.open(), 0);
        assert!(bounds.lock().from.is_empty(), "nothing stays behind");
    }
}
