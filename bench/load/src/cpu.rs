//! How much processor time a stretch of work cost, ours and the server's: who used a whole core is the limit.

use std::{fs, time::Instant};

use serde_json::{Value, json};

/// Linux counts processor time in this unit for user space, whatever the kernel's own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) struct Watch {
    begun: Instant,
    own: Option<f64>,
    server: Option<(u32, f64)>,
}

impl Watch {
    /// Begins to count, also for the process `server` where there is one.
    pub(crate) fn begin(server: Option<u32>) -> Self {
        let server = server.and_then(|pid| Some((pid, used_seconds(&pid.to_string())?)));
        Self { begun: Instant::now(), own: used_seconds("self"), server }
    }

    /// Cores used since then, such as 0.85; null where the system does not say.
    pub(crate) fn end(&self) -> Value {
        let elapsed = self.begun.elapsed().as_secs_f64();
        let cores = |process: &str, before: f64| used_seconds(process).map(|now| round((now - before) / elapsed));
        json!({
            "generatorCores": self.own.and_then(|before| cores("self", before)),
            "serverCores": self.server.and_then(|(pid, before)| cores(&pid.to_string(), before)),
        })
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn used_seconds(process: &str) -> Option<f64> {
    used_in(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// Fields 14 and 15 of proc_pid_stat(5); the second field is a name that may hold spaces and brackets.
fn used_in(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_moves_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 99";
        assert_eq!(used_in(stat), Some(3.0));
        assert_eq!(used_in("7 (cut"), None);
    }
}
