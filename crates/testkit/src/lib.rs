//! What tests of the whole need: a real server on a free port, a line to it that can be cut, and clients that wait for
//! events instead of sleeping. For tests and development only.

mod caller;
mod driver;
mod line;
mod process;
mod server;

pub use caller::{CallServer, Caller};
pub use driver::{CLIENT, Driver, PASSWORD, PROVIDER};
pub use line::CuttableLine;
pub use process::ServerProcess;
pub use server::TestServer;

use std::time::Duration;

/// Nothing that a test waits for may take longer, on a slow machine that does other things as well.
pub const PATIENCE: Duration = Duration::from_secs(60);
