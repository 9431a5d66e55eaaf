//! A bad network on demand, between us and our sockets: the kernel of a build machine has no `netem`.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// What happens to every datagram that we send. The same seed gives the same losses for the same datagrams.
#[derive(Clone, Debug)]
pub struct NetworkEmulation {
    /// Begins the random sequence.
    pub seed: u64,
    /// Part of the datagrams that is lost, 0…1.
    pub loss: f64,
    /// How long every datagram is under way.
    pub delay: Duration,
    /// How much longer some of them are, evenly spread; they may overtake each other.
    pub jitter: Duration,
    /// A bottleneck: bits a second, with a queue of 300 ms before it.
    pub bitrate: Option<u64>,
    /// While it is unplugged everything is lost.
    pub cable: Cable,
}

/// A network cable that can be pulled. Clones are the same cable.
#[derive(Clone, Debug, Default)]
pub struct Cable(Arc<AtomicBool>);

impl Cable {
    /// Pulls it.
    pub fn unplug(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Puts it back.
    pub fn plug_in(&self) {
        self.0.store(false, Ordering::Release);
    }

    fn is_unplugged(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Default for NetworkEmulation {
    /// A network that does nothing.
    fn default() -> Self {
        Self {
            seed: 1,
            loss: 0.0,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            bitrate: None,
            cable: Cable::default(),
        }
    }
}

/// What the bottleneck's queue holds before it drops.
const QUEUE: Duration = Duration::from_millis(300);

/// A datagram on its way from one of our addresses.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Datagram {
    /// Ours.
    pub(crate) source: SocketAddr,
    /// Theirs.
    pub(crate) destination: SocketAddr,
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
}

/// Keeps datagrams back or loses them.
pub(crate) struct Emulator {
    settings: NetworkEmulation,
    random: StdRng,
    under_way: BinaryHeap<Reverse<(Instant, u64, Datagram)>>,
    count: u64,
    bottleneck_free_at: Option<Instant>,
}

impl Emulator {
    pub(crate) fn new(settings: NetworkEmulation) -> Self {
        let random = StdRng::seed_from_u64(settings.seed);
        Self { settings, random, under_way: BinaryHeap::new(), count: 0, bottleneck_free_at: None }
    }

    /// Takes a datagram in.
    pub(crate) fn send(&mut self, datagram: Datagram, now: Instant) {
        let lost = self.random.random::<f64>() < self.settings.loss;
        let late = self.settings.jitter.mul_f64(self.random.random::<f64>());
        if lost || self.settings.cable.is_unplugged() {
            return;
        }
        let mut leaves = now;
        if let Some(bitrate) = self.settings.bitrate {
            let free = self.bottleneck_free_at.map_or(now, |free| free.max(now));
            if free > now + QUEUE {
                return;
            }
            leaves = free + Duration::from_secs_f64(datagram.bytes.len() as f64 * 8.0 / bitrate.max(1) as f64);
            self.bottleneck_free_at = Some(leaves);
        }
        self.count += 1;
        self.under_way.push(Reverse((leaves + self.settings.delay + late, self.count, datagram)));
    }

    /// The next datagram that is due.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Datagram> {
        if self.under_way.peek()?.0.0 > now {
            return None;
        }
        self.under_way.pop().map(|Reverse((_, _, datagram))| datagram)
    }

    /// When the next datagram is due.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse((at, _, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(number: u8, length: usize) -> Datagram {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        Datagram { source: address, destination: address, bytes: vec![number; length] }
    }

    fn run(settings: NetworkEmulation, count: u8, length: usize) -> Vec<(u8, Duration)> {
        let (begun, mut emulator) = (Instant::now(), Emulator::new(settings));
        for number in 0..count {
            emulator.send(datagram(number, length), begun);
        }
        let mut arrived = Vec::new();
        while let Some(at) = emulator.next_deadline() {
            arrived.extend(emulator.due(at).map(|datagram| (datagram.bytes[0], at - begun)));
        }
        arrived
    }

    #[test]
    fn without_settings_nothing_happens() {
        let arrived = run(NetworkEmulation::default(), 50, 100);
        assert_eq!(arrived, (0..50).map(|number| (number, Duration::ZERO)).collect::<Vec<_>>());
    }

    #[test]
    fn the_same_seed_loses_the_same_datagrams() {
        let lossy = NetworkEmulation { loss: 0.3, ..NetworkEmulation::default() };
        let arrived = run(lossy.clone(), 200, 100);
        assert!((110..170).contains(&arrived.len()), "{}", arrived.len());
        assert_eq!(arrived, run(lossy.clone(), 200, 100));
        assert_ne!(arrived, run(NetworkEmulation { seed: 2, ..lossy }, 200, 100));
    }

    #[test]
    fn an_unplugged_cable_carries_nothing() {
        let (begun, cable) = (Instant::now(), Cable::default());
        let mut emulator = Emulator::new(NetworkEmulation { cable: cable.clone(), ..NetworkEmulation::default() });
        cable.unplug();
        emulator.send(datagram(1, 10), begun);
        assert_eq!(emulator.next_deadline(), None);
        cable.plug_in();
        emulator.send(datagram(2, 10), begun);
        assert_eq!(emulator.due(begun), Some(datagram(2, 10)));
    }

    #[test]
    fn a_bottleneck_spaces_and_then_drops() {
        let slow = NetworkEmulation { bitrate: Some(80_000), ..NetworkEmulation::default() };
        let arrived = run(slow, 100, 100);
        assert_eq!(arrived[..2], [(0, Duration::from_millis(10)), (1, Duration::from_millis(20))]);
        assert_eq!(arrived.len(), 31);
    }
}
