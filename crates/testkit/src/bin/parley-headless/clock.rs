//! One clock for two processes: each counts its media time from its own beginning.

use parley_call::MediaTime;
use serde::{Deserialize, Serialize};

/// When a process's media clock stood at zero, in microseconds of the system's clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClockZero(i64);

impl ClockZero {
    /// That of this process.
    pub(crate) fn here() -> Self {
        let media = MediaTime::now();
        Self(system_micros().saturating_sub_unsigned(media.0))
    }

    /// When that was, in milliseconds of the system's clock.
    pub(crate) fn system_ms(self, time: MediaTime) -> f64 {
        self.0.saturating_add_unsigned(time.0) as f64 / 1_000.0
    }
}

/// The clock that [`MediaTime`] counts on, which is the same for all processes.
#[cfg(unix)]
fn system_micros() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

/// The time of day, to a millisecond: this system's monotonic clock can't be read without a library.
#[cfg(not(unix))]
fn system_micros() -> i64 {
    use parley_client::{Clock, SystemClock};
    SystemClock.now().as_millis() * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_moment_is_the_same_on_both_clocks() {
        let (one, other) = (ClockZero(1_000_000), ClockZero(4_500_000));
        assert_eq!(one.system_ms(MediaTime(3_502_000)), other.system_ms(MediaTime(2_000)));
        assert!(ClockZero(-5_000).system_ms(MediaTime(0)) < 0.0);
        assert!(ClockZero(0).system_ms(MediaTime(u64::MAX)) > 0.0);
    }

    #[test]
    fn zero_stays_where_it_is() {
        let (before, after) = (ClockZero::here(), ClockZero::here());
        // What lies between reading the two clocks; a thread may be kept waiting there.
        assert!((before.0 - after.0).abs() < 2_000_000, "{before:?} {after:?}");
    }
}
