//! What a figure depends on besides the programs.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
    time::Instant,
};

use anyhow::Result;
use serde_json::{Value, json};

use super::report::median;
use crate::{shell, workspace::Workspace};

const PROBES: usize = 200;
const BLOCK: [u8; 4096] = [b'x'; 4096];

/// Machine, versions and load.
pub(super) fn machine(workspace: &Workspace) -> Result<Value> {
    let first_line = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let git = |arguments: &[&str]| {
        let output = shell::output(Command::new("git").args(arguments).current_dir(&workspace.root));
        output.unwrap_or_default().trim().to_owned()
    };
    Ok(json!({
        "cores": std::thread::available_parallelism()?.get(),
        "cpu": cpu.trim_start_matches([' ', '\t', ':']),
        "kernel": first_line("/proc/sys/kernel/osrelease"),
        "loadAverage": load_average(),
        "rustc": shell::output(Command::new("rustc").arg("--version"))?.trim(),
        "commit": git(&["rev-parse", "--short", "HEAD"]),
        "isChanged": !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty(),
    }))
}

/// What the servers' figures depend on besides: Node, and how long this disk takes for an fsync of one block.
pub(super) fn of_servers(workspace: &Workspace, data: &Path) -> Result<Value> {
    let mut conditions = machine(workspace)?;
    conditions["node"] = json!(shell::output(Command::new("node").arg("--version"))?.trim());
    conditions["fsyncMs"] = probe_disk(data)?;
    conditions["pinning"] = json!("none: server and generator share the cores, for both servers alike");
    Ok(conditions)
}

/// Of the last minute.
pub(super) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

fn probe_disk(folder: &Path) -> Result<Value> {
    let path = folder.join("probe");
    let mut file = File::create(&path)?;
    let mut millis = Vec::with_capacity(PROBES);
    for _ in 0..PROBES {
        file.write_all(&BLOCK)?;
        let begun = Instant::now();
        file.sync_data()?;
        millis.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    fs::remove_file(&path)?;
    millis.sort_by(f64::total_cmp);
    let round = |value: f64| (value * 1e3).round() / 1e3;
    Ok(json!({ "p50": round(median(&millis)), "p99": round(millis[PROBES * 99 / 100]) }))
}
