//! The engine over the server gateway does what every engine has to do.

#![cfg(target_os = "linux")]

mod common;

use common::Rig;
use parley_call::{
    Credentials, EnginePorts, MediaEngine,
    suite::{Fixture, Side},
};

impl Fixture for Rig {
    const CHECKS_TOKENS: bool = true;
    const SHARES_SCREENS: bool = true;

    fn engine(&self, ports: EnginePorts) -> Box<dyn MediaEngine> {
        Box::new(self.engine(ports))
    }

    fn credentials(&self, side: Side) -> Credentials {
        self.credentials(side)
    }
}

parley_call::engine_suite!(Rig::new());
