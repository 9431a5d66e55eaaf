//! Fuzzing what reads foreign bytes: libFuzzer with coverage counters, on the stable toolchain. Without a sanitizer,
//! which would need the standard library compiled anew: the targets are safe Rust, and say by assertions what must hold.

use std::{
    collections::VecDeque,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    shell::{output, run_cargo, spoken},
    steps::seconds,
    workspace::{Workspace, cargo},
};

/// How each target is searched in `test` and in `nightly`: nine of them, two at once, so 50 seconds and 10 minutes.
pub(crate) const SHORTLY: Duration = Duration::from_secs(10);
pub(crate) const LONG: Duration = Duration::from_secs(120);
/// Counters at every edge, and the operands of comparisons: what cargo-fuzz passes to the compiler too.
const COUNTERS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// One input takes longer or more than this: a finding as well. They take milliseconds; a machine may be suspended.
const LIMITS: [&str; 2] = ["-timeout=60", "-rss_limit_mb=1024"];
/// Two at once: a build machine has two cores at least.
const AT_ONCE: usize = 2;

/// Builds all targets and searches each for that long, beginning with its committed corpus and what earlier runs found.
pub(crate) fn check(workspace: &Workspace, each: Duration, is_terminal: bool) -> Result<()> {
    let programs = build(workspace, is_terminal)?;
    let mut waiting: VecDeque<&Path> = programs.iter().map(PathBuf::as_path).collect();
    let mut running: VecDeque<Search> = VecDeque::new();
    let mut findings = Vec::new();
    while !waiting.is_empty() || !running.is_empty() {
        while running.len() < AT_ONCE
            && let Some(program) = waiting.pop_front()
        {
            running.push_back(Search::begin(workspace, program, each)?);
        }
        if let Some(search) = running.pop_front() {
            findings.extend(search.end()?);
        }
    }
    if findings.is_empty() { Ok(()) } else { bail!("fuzzing found something:\n{}", findings.join("\n")) }
}

fn build(workspace: &Workspace, is_terminal: bool) -> Result<Vec<PathBuf>> {
    let host = host()?;
    let target = workspace.target.join("fuzz");
    let mut build = Command::new(cargo());
    // A named target keeps the counters out of build scripts and macros.
    build.args(["build", "--locked", "--bins", "--target", &host, "--manifest-path"]);
    build.arg(workspace.root.join("fuzz/Cargo.toml")).env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", COUNTERS);
    run_cargo(&mut build, is_terminal)?;
    let mut programs = Vec::new();
    for file in fs::read_dir(workspace.root.join("fuzz/fuzz_targets"))? {
        let file = file?.path();
        let name = file.file_stem().context("a target has a name")?;
        programs.push(target.join(&host).join("debug").join(name));
    }
    programs.sort();
    Ok(programs)
}

/// The compiler's own target: named, so that build scripts and macros are left as they are.
pub(crate) fn host() -> Result<String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names its host")?;
    Ok(host.to_owned())
}

struct Search {
    name: String,
    child: Child,
    log: PathBuf,
    spoken: String,
    program: PathBuf,
    scratch: PathBuf,
}

impl Search {
    fn begin(workspace: &Workspace, program: &Path, each: Duration) -> Result<Self> {
        let name = program.file_name().context("a program has a name")?.to_string_lossy().into_owned();
        let found = workspace.out("fuzz/corpus").join(&name);
        fs::create_dir_all(&found)?;
        let findings = workspace.out("fuzz/findings");
        fs::create_dir_all(&findings)?;
        let log = workspace.out(&format!("logs/fuzz-{name}.log"));
        fs::create_dir_all(workspace.out("logs"))?;
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let scratch = scratch(workspace, &name)?;
        let mut search = Command::new(program);
        search
            .arg(format!("-max_total_time={}", each.as_secs()))
            .arg(format!("-artifact_prefix={}/{name}-", findings.display()))
            .args(LIMITS)
            .args([&found, &workspace.root.join("fuzz/corpus").join(&name)])
            .env("TMPDIR", &scratch)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let spoken = spoken(&search);
        let child = search.spawn().with_context(|| format!("cannot start `{spoken}`"))?;
        eprintln!("      {name}: for {}", seconds(each));
        Ok(Self { name, child, log, spoken, program: program.to_owned(), scratch })
    }

    /// Waits until its time is over; what it found, if anything.
    fn end(mut self) -> Result<Option<String>> {
        let status = self.child.wait()?;
        fs::remove_dir_all(&self.scratch)?;
        let log = String::from_utf8_lossy(&fs::read(&self.log)?).into_owned();
        let tried = tried(&log);
        if status.success() && tried > 0 {
            eprintln!("      {}: {tried} inputs, seed {}", self.name, seed(&log));
            return Ok(None);
        }
        let told: Vec<&str> = log.lines().filter(|line| tells(line)).take(10).collect();
        // One input shows it again; where there is none, the same seed and corpus do.
        let again = match written(&log) {
            Some(input) => format!("{} {input}", self.program.display()),
            None => format!("{} -seed={}", self.spoken, seed(&log)),
        };
        Ok(Some(format!(
            "  {} ({status} after {tried} inputs): {}\n  again: `{again}`",
            self.name,
            told.join("\n    ")
        )))
    }
}

/// Where a target keeps files: in memory if there is such a place, since some sync each of them.
fn scratch(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let memory = Path::new("/dev/shm");
    let own = format!("parley-fuzz-{}-{name}", std::process::id());
    let scratch = if memory.is_dir() { memory.join(own) } else { workspace.out("fuzz/scratch").join(own) };
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    Ok(scratch)
}

/// What libFuzzer began from.
fn seed(log: &str) -> &str {
    log.lines().find_map(|line| line.strip_prefix("INFO: Seed: ")).unwrap_or("unknown")
}

/// The input that it kept of a finding.
fn written(log: &str) -> Option<&str> {
    log.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.trim())
}

/// How many inputs were tried, by libFuzzer's last line that says so.
fn tried(log: &str) -> u64 {
    let count = |line: &str| line.strip_prefix('#')?.split_whitespace().next()?.parse().ok();
    log.lines().rev().find_map(count).unwrap_or(0)
}

fn tells(line: &str) -> bool {
    ["panicked", "ERROR", "SUMMARY", "Test unit written", "assertion", "left:", "right:"]
        .iter()
        .any(|word| line.contains(word))
}

/// For people: how long each target is searched.
pub(crate) fn name(each: Duration) -> String {
    format!("fuzzing, {} each", seconds(each))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_count_of_a_log_is_how_many_inputs_were_tried() {
        let log = "INFO: Seed: 1\n#2\tINITED cov: 3\n#1024\tNEW cov: 4\n#4096\tDONE   cov: 9 ft: 9\n";
        assert_eq!(tried(log), 4096);
        assert_eq!(tried("INFO: no corpus\n"), 0);
    }

    #[test]
    fn a_finding_says_how_it_is_seen_again() {
        let log = "INFO: Seed: 77\nartifact_prefix='f/'; Test unit written to f/tokens-crash-1\nBase64: AA==\n";
        assert_eq!((seed(log), written(log)), ("77", Some("f/tokens-crash-1")));
        assert_eq!((seed(""), written("")), ("unknown", None));
    }

    #[test]
    fn a_finding_is_told_by_its_lines() {
        assert!(tells("thread '<unnamed>' panicked at fuzz_targets/content.rs:14:9:"));
        assert!(!tells("#4096\tDONE   cov: 9 ft: 9"));
    }
}
