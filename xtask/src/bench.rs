//! `cargo xtask bench server`: Parley's server beside a plain Node server of the same calls, in one run and in turns,
//! one JSON line a metric on standard output. A refused, lost or doubled message fails the run; a missed target is
//! told and does not.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    build::cargo_in,
    environment::Environment,
    node,
    packages::{self, Need},
    shell,
    steps::Steps,
    workspace::Workspace,
};

mod conditions;
mod contender;
mod frames;
mod report;
mod syncs;

pub(crate) use frames::{FramesArguments, frames};

use contender::{Contender, Kind, Running};
use report::{Better, Figure, Target};

/// The people of the sockets' measurement: one socket each.
const PAIRS: usize = 500;
const SOCKETS: usize = 2 * PAIRS;
/// The long conversation, and the page in its middle at the contract's 50 a page.
const MESSAGES: u64 = 100_000;
const DEEP_PAGE: usize = 1_000;
/// What a server still does after its first answer is over by then.
const SETTLE: Duration = Duration::from_secs(3);
/// Tokens live for fifteen minutes, a round of both servers takes one or two.
const SIGN_IN_EVERY: Duration = Duration::from_secs(7 * 60);

#[derive(clap::Args)]
pub(crate) struct ServerArguments {
    /// How often each server takes its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each measurement of a turn lasts.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Only the measurements whose name contains this text: start, idle, latency, sends, pages, sockets, tokens, syncs.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Where the servers keep their data: a folder on the disk that is to be measured.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

pub(crate) fn server(workspace: &Workspace, environment: &Environment, arguments: &ServerArguments) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("the measurements read /proc, so they run on Linux only");
    }
    let is_terminal = environment.is_terminal;
    let mut steps = Steps::new(6);
    steps.step("system packages", || packages::install(workspace, Need::Bench, is_terminal))?;
    steps.step("the Node server's packages", || {
        node::check_version()?;
        node::install_compiling(workspace, "bench/node-server", is_terminal)
    })?;
    steps.step("build the server and the load generator", || {
        let mut build = cargo_in(workspace, "build");
        build.args(["--release", "--package", "parley-server", "--package", "parley-load", "--bins"]);
        shell::run_cargo(&mut build, is_terminal)
    })?;
    let data = arguments.data.clone().unwrap_or_else(|| workspace.out("bench"));
    let mut bench = Bench {
        arguments,
        load: workspace.target.join("release/parley-load"),
        contenders: Kind::BOTH.map(|kind| Contender::new(kind, workspace, &data)),
        node_server: workspace.root.join("bench/node-server"),
        figures: BTreeMap::new(),
        cores: BTreeMap::new(),
    };
    steps.step("seed both servers", || bench.seed())?;
    let before = steps.step("conditions", || conditions::of_servers(workspace, &data))?;
    let measured = steps.step("measure in turns", || bench.measure());
    println!("{}", json!({ "metric": "conditions", "before": before, "loadAverageAfter": conditions::load_average() }));
    // What was measured before something failed is worth reading.
    bench.print();
    measured
}

type Samples = BTreeMap<(&'static str, Kind), Vec<f64>>;

struct Bench<'a> {
    arguments: &'a ServerArguments,
    load: PathBuf,
    contenders: [Contender; 2],
    node_server: PathBuf,
    figures: Samples,
    /// Cores that the server and the generator used in each measurement.
    cores: BTreeMap<(&'static str, Kind), Vec<Value>>,
}

impl Bench<'_> {
    fn wants(&self, measurement: &str) -> bool {
        self.arguments.only.as_deref().is_none_or(|only| only.split(',').any(|one| measurement.contains(one)))
    }

    fn note(&mut self, figure: &'static str, kind: Kind, value: f64) {
        self.figures.entry((figure, kind)).or_default().push(value);
    }

    fn note_cores(&mut self, measurement: &'static str, kind: Kind, answer: &Value) {
        self.cores.entry((measurement, kind)).or_default().push(answer["cpu"].clone());
    }

    /// Runs the load generator against a server; it says what it found in one line.
    fn load(&self, contender: &Contender, server: &Running, work: &str, arguments: &[&str]) -> Result<Value> {
        let mut command = contender.load(&self.load, server, work);
        let line = shell::output(command.args(arguments)).with_context(|| format!("{work} at {}", contender.kind))?;
        serde_json::from_str(&line).with_context(|| format!("{work} printed something else than JSON"))
    }

    fn seed(&self) -> Result<()> {
        for contender in &self.contenders {
            contender.seed(PAIRS, MESSAGES)?;
            self.sign_in(contender)?;
            let server = contender.start()?;
            self.load(contender, &server, "fill", &["--messages", &MESSAGES.to_string()])?;
            // What a server does with the messages afterwards, such as indexing them, is no part of what is measured.
            server.wait_until_quiet()?;
            server.stop()?;
        }
        Ok(())
    }

    fn sign_in(&self, contender: &Contender) -> Result<()> {
        let server = contender.start()?;
        let seeded = contender.seeded();
        self.load(contender, &server, "sign-in", &["--seeded", &seeded.display().to_string()])?;
        server.stop()
    }

    fn measure(&mut self) -> Result<()> {
        let mut signed_in = Instant::now();
        for round in 1..=self.arguments.rounds {
            if signed_in.elapsed() > SIGN_IN_EVERY {
                for contender in &self.contenders {
                    self.sign_in(contender)?;
                }
                signed_in = Instant::now();
            }
            for index in 0..self.contenders.len() {
                let contender = self.contenders[index].clone();
                eprintln!("      round {round} of {}: {}", self.arguments.rounds, contender.kind);
                self.turn(&contender)?;
            }
        }
        if self.wants("syncs") {
            for index in 0..self.contenders.len() {
                let contender = self.contenders[index].clone();
                eprintln!("      counting fsyncs: {}", contender.kind);
                let each = syncs::per_message(&contender, |server| {
                    let sent = self.load(&contender, server, "sends", &["--seconds", "3"])?;
                    sent["acknowledged"].as_f64().context("sends were counted")
                })?;
                self.note("syncs", contender.kind, each);
            }
        }
        Ok(())
    }

    /// Everything once at one server, each on a process that has done nothing that would favour or burden it.
    fn turn(&mut self, contender: &Contender) -> Result<()> {
        let kind = contender.kind;
        let seconds = self.arguments.seconds.to_string();
        if self.wants("tokens") {
            self.tokens(kind)?;
        }
        let wants_server = ["start", "idle", "latency", "sends", "pages"].iter().any(|name| self.wants(name));
        if wants_server {
            let server = contender.start()?;
            self.note("start", kind, server.ready_after.as_secs_f64() * 1e3);
            if self.wants("idle") {
                thread::sleep(SETTLE);
                self.note("idle", kind, server.memory_mib()?);
            }
            if self.wants("latency") {
                let answer = self.load(contender, &server, "latency", &["--seconds", &seconds])?;
                for (figure, name) in [("latency p50", "p50"), ("latency p95", "p95"), ("latency p99", "p99")] {
                    self.note(figure, kind, number(&answer["deliveredMs"][name])?);
                }
                self.note_cores("latency", kind, &answer);
            }
            if self.wants("pages") {
                for (figure, page) in [("pages first", 1), ("pages deep", DEEP_PAGE)] {
                    let page = page.to_string();
                    let answer = self.load(contender, &server, "pages", &["--seconds", &seconds, "--page", &page])?;
                    self.note(figure, kind, number(&answer["pagesPerSecond"])?);
                    self.note_cores(figure, kind, &answer);
                }
            }
            if self.wants("sends") {
                let answer = self.load(contender, &server, "sends", &["--seconds", &seconds])?;
                self.note("sends", kind, number(&answer["sendsPerSecond"])?);
                self.note("sends p50", kind, number(&answer["answeredMs"]["p50"])?);
                self.note("sends p99", kind, number(&answer["answeredMs"]["p99"])?);
                self.note_cores("sends", kind, &answer);
                server.wait_until_quiet()?;
            }
            server.stop()?;
        }
        if self.wants("sockets") {
            let server = contender.start()?;
            let mut command = contender.load(&self.load, &server, "hold");
            command.args(["--sockets", &SOCKETS.to_string()]);
            let held = contender::Held::start(command)?;
            thread::sleep(SETTLE);
            self.note("sockets", kind, server.memory_mib()?);
            held.finish()?;
            server.stop()?;
        }
        Ok(())
    }

    fn tokens(&mut self, kind: Kind) -> Result<()> {
        let seconds = self.arguments.seconds.min(2.0).to_string();
        match kind {
            Kind::Parley => {
                let threads = thread::available_parallelism()?.get().to_string();
                for (figure, threads) in [("tokens one", "1"), ("tokens all", threads.as_str())] {
                    let mut command = std::process::Command::new(&self.load);
                    command.args(["tokens", "--seconds", &seconds, "--threads", threads]);
                    let answer: Value = serde_json::from_str(&shell::output(&mut command)?)?;
                    self.note(figure, kind, number(&answer["tokensPerSecond"])?);
                }
            }
            Kind::Node => {
                let mut command = std::process::Command::new("node");
                command.arg("mint.mjs").arg(&seconds).current_dir(&self.node_server);
                let answer: Value = serde_json::from_str(&shell::output(&mut command)?)?;
                let rate = number(&answer["tokensPerSecond"])?;
                // A Node process has one thread for this; both of ours are set beside it.
                self.note("tokens one", kind, rate);
                self.note("tokens all", kind, rate);
            }
        }
        Ok(())
    }

    fn figure(&self, samples: &'static str, name: &'static str, better: Better, target: Option<Target>) -> Figure {
        let of = |kind| self.figures.get(&(samples, kind)).cloned().unwrap_or_default();
        Figure { name, better, target, parley: of(Kind::Parley), node: of(Kind::Node) }
    }

    fn print(&self) {
        use Better::{Higher, Lower};
        use Target::{AtLeastTimesNode, Below};

        let line = |metric: &str, unit: &str, cores: &'static str, figures: &[Figure]| {
            if figures.iter().any(|figure| !figure.parley.is_empty()) {
                let cores = Kind::BOTH.map(|kind| (kind, self.cores.get(&(cores, kind)).cloned().unwrap_or_default()));
                println!("{}", report::line(metric, unit, figures, &cores));
            }
        };
        line(
            "send to delivered, 50 messages a second in 16 conversations",
            "ms",
            "latency",
            &[
                self.figure("latency p50", "p50", Lower, Some(Below(1.0))),
                self.figure("latency p95", "p95", Lower, None),
                self.figure("latency p99", "p99", Lower, Some(Below(2.0))),
            ],
        );
        line(
            "durable sends, 32 senders in 16 conversations",
            "messages/s",
            "sends",
            &[self.figure("sends", "rate", Higher, Some(AtLeastTimesNode(8.0)))],
        );
        line(
            "answer to a durable send under that load",
            "ms",
            "sends",
            &[self.figure("sends p50", "p50", Lower, None), self.figure("sends p99", "p99", Lower, None)],
        );
        line(
            "fsyncs for each message under that load",
            "fsyncs",
            "none",
            &[self.figure("syncs", "each", Lower, Some(Below(1.0)))],
        );
        let pages = |samples| self.figure(samples, "rate", Higher, Some(AtLeastTimesNode(8.0)));
        line("history, first page of 100,000 messages", "pages/s", "pages first", &[pages("pages first")]);
        line("history, 1,000th page of 100,000 messages", "pages/s", "pages deep", &[pages("pages deep")]);
        let memory = |samples, below| self.figure(samples, "pss", Lower, Some(Below(below)));
        line("memory, idle", "MiB", "none", &[memory("idle", 15.0)]);
        line("memory, 1,000 connected sockets", "MiB", "none", &[memory("sockets", 45.0)]);
        line("start to the first answer", "ms", "none", &[self.figure("start", "ready", Lower, Some(Below(100.0)))]);
        let tokens = |samples, name| self.figure(samples, name, Higher, Some(AtLeastTimesNode(20.0)));
        line(
            "tokens, our builder beside npm agora-token",
            "tokens/s",
            "none",
            &[tokens("tokens one", "oneThread"), tokens("tokens all", "allThreads")],
        );
    }
}

fn number(value: &Value) -> Result<f64> {
    value.as_f64().context("the load generator left a figure out")
}

/// Removes what an earlier run left in a folder of ours.
fn fresh(folder: &std::path::Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
