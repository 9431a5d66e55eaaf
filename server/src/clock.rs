//! The server's one source of wall time. Deadlines that must survive a jumping clock use tokio's monotonic time instead.

use std::{fmt::Debug, time::SystemTime};

use parley_domain::Timestamp;

/// Tells the time of day.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The instant of now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the others ask")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests;
