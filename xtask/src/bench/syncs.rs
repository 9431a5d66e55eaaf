//! How often a server asks the disk to sync, counted by strace in a pass of its own.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::contender::{Contender, Running};

const WRITTEN_WITHIN: Duration = Duration::from_secs(10);

/// The calls of a run under load less those of a start and an end alone, by message. `load` says how many there were.
pub(super) fn per_message(contender: &Contender, load: impl FnOnce(&Running) -> Result<f64>) -> Result<f64> {
    let (without, ()) = counted(contender, |_| Ok(()))?;
    let (with, messages) = counted(contender, load)?;
    Ok(with.saturating_sub(without) as f64 / messages)
}

fn counted<T>(contender: &Contender, work: impl FnOnce(&Running) -> Result<T>) -> Result<(u64, T)> {
    let summary = std::env::temp_dir().join(format!("parley-syncs-{}", std::process::id()));
    // An earlier one may be there; none is as good.
    let _ = fs::remove_file(&summary);
    // The start is counted too: without any call there is no summary to wait for.
    let words = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-c", "-e", "trace=execve,fsync,fdatasync", "-o"];
    let mut before: Vec<String> = words.map(str::to_owned).into();
    before.extend([summary.display().to_string(), "--".to_owned()]);
    let server = contender.start_under(&before)?;
    let done = work(&server)?;
    server.stop()?;
    // strace writes it when the last thread has ended, a moment later.
    let asked = Instant::now();
    while fs::metadata(&summary).map_or(0, |file| file.len()) == 0 {
        if asked.elapsed() > WRITTEN_WITHIN {
            bail!("strace wrote no summary");
        }
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_millis(100));
    let text = fs::read_to_string(&summary)?;
    fs::remove_file(&summary)?;
    Ok((calls(&text).with_context(|| format!("strace wrote:\n{text}"))?, done))
}

/// The column `calls` of the rows of interest; none of them if neither call was made.
fn calls(summary: &str) -> Option<u64> {
    let mut sum = 0;
    for line in summary.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if matches!(words.last(), Some(&("fsync" | "fdatasync"))) {
            sum += words.get(3)?.parse::<u64>().ok()?;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_calls_are_added_up() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.80    0.205130         131      1561           fdatasync
  0.20    0.000400         100         4         1 fsync
  0.00    0.000000           0         1           execve
------ ----------- ----------- --------- --------- ----------------
100.00    0.205530         131      1566         1 total
";
        assert_eq!(calls(summary), Some(1_565));
        assert_eq!(calls(""), Some(0));
    }
}
