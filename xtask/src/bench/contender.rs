//! A server under test: how it is seeded, started, measured from outside, and stopped.

use std::{
    fmt,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::fresh;
use crate::{children::supervised, shell, workspace::Workspace};

const READY_WITHIN: Duration = Duration::from_secs(30);
/// Fine enough beside starts of some ten milliseconds.
const ASK_EVERY: Duration = Duration::from_micros(200);
const END_WITHIN: Duration = Duration::from_secs(15);
const POLL_EVERY: Duration = Duration::from_millis(20);
/// Longer than the pause before Parley indexes what was written.
const QUIET_FOR: Duration = Duration::from_secs(3);
const QUIET_TICKS: u64 = 4;
const QUIET_WITHIN: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Parley,
    Node,
}

impl Kind {
    pub(super) const BOTH: [Self; 2] = [Self::Parley, Self::Node];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Parley => "parley",
            Self::Node => "node",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[derive(Clone)]
pub(super) struct Contender {
    pub(super) kind: Kind,
    /// `parley-server`, or the folder of the Node server.
    program: PathBuf,
    /// Its data, its log, and what is known of its people.
    folder: PathBuf,
}

impl Contender {
    pub(super) fn new(kind: Kind, workspace: &Workspace, data: &Path) -> Self {
        let program = match kind {
            Kind::Parley => workspace.target.join("release/parley-server"),
            Kind::Node => workspace.root.join("bench/node-server"),
        };
        Self { kind, program, folder: data.join(kind.name()) }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the seed printed.
    pub(super) fn seeded(&self) -> PathBuf {
        self.folder.join("seeded.json")
    }

    /// Forgets earlier runs; makes pairs of people. The Node server also gets its long conversation, which would
    /// take minutes through its API.
    pub(super) fn seed(&self, pairs: usize, messages: u64) -> Result<()> {
        fresh(&self.folder)?;
        let mut seed = match self.kind {
            Kind::Parley => {
                let mut seed = Command::new(&self.program);
                seed.args(["seed", "bench"]);
                seed
            }
            Kind::Node => {
                let mut seed = Command::new("node");
                seed.arg(self.program.join("seed.mjs")).args(["--messages", &messages.to_string()]);
                seed
            }
        };
        let printed = shell::output(seed.args(["--pairs", &pairs.to_string(), "--data-dir"]).arg(self.data()))?;
        Ok(fs::write(self.seeded(), printed)?)
    }

    /// The server's own command line.
    fn serve(&self, address: SocketAddr) -> Vec<String> {
        let program = self.program.display();
        let data = self.data().display().to_string();
        let mut words = match self.kind {
            Kind::Parley => vec![program.to_string(), "serve".into(), "--rate-limits".into(), "off".into()],
            Kind::Node => vec!["node".into(), format!("{program}/server.mjs")],
        };
        words.extend(["--listen".into(), address.to_string(), "--data-dir".into(), data]);
        words
    }

    pub(super) fn start(&self) -> Result<Running> {
        self.start_under(&[])
    }

    /// Starts it behind another program, such as strace, which must leave it our own child.
    pub(super) fn start_under(&self, before: &[String]) -> Result<Running> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let words = [before, &self.serve(port)].concat();
        let (program, arguments) = words.split_first().context("a command has a program")?;
        let program = shell::find_program(program).unwrap_or_else(|| program.into());
        let log = File::options().create(true).append(true).open(self.folder.join("server.log"))?;
        let mut command = supervised(&program);
        command.args(arguments).env("NODE_ENV", "production");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start `{}`", shell::spoken(&command)))?;
        let mut running = Running { child, address: port, ready_after: Duration::ZERO };
        while !is_ready(port) {
            if let Some(status) = running.child.try_wait()? {
                bail!("{} ended at once with {status}; see {}/server.log", self.kind, self.folder.display());
            }
            if begun.elapsed() > READY_WITHIN {
                bail!("{} was not ready after {} s", self.kind, READY_WITHIN.as_secs());
            }
            thread::sleep(ASK_EVERY);
        }
        running.ready_after = begun.elapsed();
        Ok(running)
    }

    /// The load generator on this server and its people.
    pub(super) fn load(&self, program: &Path, server: &Running, work: &str) -> Command {
        let mut command = supervised(program);
        command.args([work, "--address", &server.address.to_string(), "--pid", &server.child.id().to_string()]);
        command.arg("--people").arg(self.folder.join("people.json"));
        command
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// A started server; ended by force when dropped without [`Self::stop`].
pub(super) struct Running {
    child: Child,
    address: SocketAddr,
    /// From its start to the first good answer.
    pub(super) ready_after: Duration,
}

impl Running {
    /// Its proportional set size.
    pub(super) fn memory_mib(&self) -> Result<f64> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let rollup = fs::read_to_string(&path).with_context(|| format!("{path} can't be read"))?;
        pss_kib(&rollup).map(|kib| kib / 1024.0).with_context(|| format!("{path} says nothing of Pss"))
    }

    /// Waits until it has used hardly anything of a core for three seconds.
    pub(super) fn wait_until_quiet(&self) -> Result<()> {
        let path = format!("/proc/{}/stat", self.child.id());
        let used = || ticks(&fs::read_to_string(&path)?).with_context(|| format!("{path} can't be understood"));
        let begun = Instant::now();
        let mut before = used()?;
        loop {
            thread::sleep(QUIET_FOR);
            let now = used()?;
            if now - before < QUIET_TICKS {
                return Ok(());
            }
            if begun.elapsed() > QUIET_WITHIN {
                bail!("a server was still busy after {} s", QUIET_WITHIN.as_secs());
            }
            before = now;
        }
    }

    /// Asks it to end and waits.
    pub(super) fn stop(mut self) -> Result<()> {
        ask_to_end(&self.child);
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() { Ok(()) } else { bail!("a server ended with {status}") };
            }
            if asked.elapsed() > END_WITHIN {
                bail!("a server did not end within {} s", END_WITHIN.as_secs());
            }
            thread::sleep(POLL_EVERY);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(unix)]
fn ask_to_end(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // An error means that it has ended already.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

#[cfg(not(unix))]
fn ask_to_end(_: &Child) {}

/// What a process has used of the cores, in hundredths of a second: fields 14 and 15 of its `stat`, whose second one may
/// hold anything in parentheses (proc_pid_stat(5)).
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

fn pss_kib(rollup: &str) -> Option<f64> {
    rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?.split_whitespace().next()?.parse().ok()
}

/// The load generator while it holds sockets.
pub(super) struct Held {
    child: Child,
    stdin: ChildStdin,
    _stdout: BufReader<ChildStdout>,
}

impl Held {
    /// Returns once all are connected.
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take().context("standard input is a pipe")?;
        let mut stdout = BufReader::new(child.stdout.take().context("standard output is a pipe")?);
        let mut line = String::new();
        if stdout.read_line(&mut line)? == 0 {
            bail!("`{}` ended with {}", shell::spoken(&command), child.wait()?);
        }
        Ok(Self { child, stdin, _stdout: stdout })
    }

    /// Lets them go; an error if one was lost meanwhile.
    pub(super) fn finish(self) -> Result<()> {
        let Self { mut child, stdin, _stdout } = self;
        drop(stdin);
        let status = child.wait()?;
        if status.success() { Ok(()) } else { bail!("holding the sockets ended with {status}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_found_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 2000 0 0 0 150 25 0 0 20 0 7 0 900 1000 200";
        assert_eq!(ticks(stat), Some(175));
        assert_eq!(ticks("42 (cut) S 1"), None);
    }

    #[test]
    fn the_proportional_size_is_found_among_its_neighbours() {
        let rollup = "Rss:    9000 kB\nPss:    8123 kB\nPss_Dirty:  1 kB\n";
        assert_eq!(pss_kib(rollup), Some(8_123.0));
        assert_eq!(pss_kib("Rss: 1 kB"), None);
    }
}
