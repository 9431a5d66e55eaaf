//! The simulated engine behaves like every other one.

use std::time::Duration;

use parley_call::{
    Credentials, EnginePorts, MediaEngine,
    sim::{SimNetwork, SimPlan},
    suite::{Fixture, Side},
};
use parley_domain::AgoraUid;

struct Sim(SimNetwork);

impl Sim {
    fn new() -> Self {
        let (soonest, latest) = (Duration::from_millis(1), Duration::from_millis(20));
        Self(SimNetwork::new(SimPlan { seed: 7, join_delay: soonest..=latest, ..SimPlan::default() }))
    }
}

impl Fixture for Sim {
    const CHECKS_TOKENS: bool = true;

    fn engine(&self, ports: EnginePorts) -> Box<dyn MediaEngine> {
        Box::new(self.0.engine(ports))
    }

    fn credentials(&self, side: Side) -> Credentials {
        let uid = |number| AgoraUid::new(number).expect("above 0");
        let (own, peer) = match side {
            Side::A => (uid(11), uid(22)),
            Side::B => (uid(22), uid(11)),
        };
        self.0.credentials("suite", own, peer, Duration::from_secs(600))
    }
}

parley_call::engine_suite!(Sim::new());
