//! What the run costs, where the system says so (Linux).

use std::time::Duration;

use serde_json::{Value, json};

/// Kernel ticks a second in `/proc/self/stat`: 100 on every Linux that Parley runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of this process so far, in seconds.
pub(crate) fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold anything; user and system time are the 12th and 13th field after it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

/// Processor time of this thread so far.
#[cfg(target_os = "linux")]
pub(crate) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Unknown here, as the process's is.
#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_time() -> Duration {
    Duration::ZERO
}

/// Under what conditions the figures were taken.
pub(crate) fn conditions() -> Value {
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load: Option<f64> = load.and_then(|text| text.split_whitespace().next()?.parse().ok());
    json!({ "cores": std::thread::available_parallelism().map(usize::from).ok(), "load_1m": load })
}
