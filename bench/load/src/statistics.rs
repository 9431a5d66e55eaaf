//! Times in order.

use std::time::Duration;

use serde_json::{Value, json};

/// The time below which that share of all lies (nearest rank); zero without any. Sorted input.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
}

/// p50, p95, p99 and the longest, in milliseconds.
pub(crate) fn summary(mut times: Vec<Duration>) -> Value {
    times.sort_unstable();
    let millis = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    json!({
        "count": times.len(),
        "p50": millis(percentile(&times, 0.50)),
        "p95": millis(percentile(&times, 0.95)),
        "p99": millis(percentile(&times, 0.99)),
        "max": millis(times.last().copied().unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 0.50), Duration::from_millis(100));
        assert_eq!(percentile(&times, 0.99), Duration::from_millis(198));
        assert_eq!(percentile(&times, 1.0), Duration::from_millis(200));
        assert_eq!(percentile(&times[..1], 0.5), Duration::from_millis(1));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }
}
