//! The engine over the desktop SDK passes what every engine has to pass, two copies of the stand-in between the two.
#![cfg(target_os = "linux")]

#[path = "common/iris_standin.rs"]
mod iris_standin;

use iris_standin::{World, credentials};
use parley_call::{
    Credentials, EnginePorts, MediaEngine, engine_suite,
    suite::{Fixture, Side},
};

/// Its drop asserts that the library was called rightly and that nothing is left in it.
struct Iris(World);

impl Fixture for Iris {
    const CHECKS_TOKENS: bool = true;
    const SHARES_SCREENS: bool = true;

    fn engine(&self, ports: EnginePorts) -> Box<dyn MediaEngine> {
        self.0.engine(ports)
    }

    fn credentials(&self, side: Side) -> Credentials {
        credentials(side)
    }
}

engine_suite!(Iris(World::new()));
