//! Processes that we started and that must not outlive us: each leads its own group, and a whole group is ended.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::shell::{find_program, spoken};

const POLL_EVERY: Duration = Duration::from_millis(50);
/// The server drains and checkpoints its database when told to end.
const PATIENCE: Duration = Duration::from_secs(8);

struct Running {
    name: String,
    child: Child,
}

/// Dropping it ends them, last started first; so does a panic, Ctrl-C, and (on Linux) our being killed.
pub(crate) struct Children {
    running: Vec<Running>,
    is_interrupted: Arc<AtomicBool>,
}

impl Children {
    /// From here on Ctrl-C no longer ends us at once: whoever waits here sees it and returns.
    pub(crate) fn new() -> Result<Self> {
        let is_interrupted = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&is_interrupted))?;
        }
        Ok(Self { running: Vec::new(), is_interrupted })
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::Relaxed)
    }

    /// Starts it with its output in a file.
    pub(crate) fn spawn_logged(&mut self, name: &str, command: &mut Command, log: &Path) -> Result<()> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdout(file.try_clone()?).stderr(file);
        self.spawn(name, command)
    }

    /// Starts it with the output that the command already has.
    pub(crate) fn spawn(&mut self, name: &str, command: &mut Command) -> Result<()> {
        command.stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn().with_context(|| format!("cannot start `{}`", spoken(command)))?;
        self.running.push(Running { name: name.to_owned(), child });
        Ok(())
    }

    /// Asks again and again; ends with an error when a child ends meanwhile, with `false` on Ctrl-C.
    pub(crate) fn wait_until(&mut self, within: Duration, mut is_ready: impl FnMut() -> bool) -> Result<bool> {
        let begun = Instant::now();
        while !is_ready() {
            for running in &mut self.running {
                if let Some(status) = running.child.try_wait()? {
                    bail!("{} ended at once with {status}", running.name);
                }
            }
            if self.is_interrupted() {
                return Ok(false);
            }
            if begun.elapsed() > within {
                bail!("nothing after {} s", within.as_secs());
            }
            thread::sleep(POLL_EVERY);
        }
        Ok(true)
    }

    /// Until all of these ended by themselves, or Ctrl-C, or any other child ended (an error: nobody asked it to).
    /// Gives the names of those of them that failed.
    pub(crate) fn wait_for(&mut self, names: &[&str]) -> Result<Vec<String>> {
        let mut failed = Vec::new();
        let mut ended = Vec::new();
        while ended.len() < names.len() && !self.is_interrupted() {
            for running in &mut self.running {
                if ended.contains(&running.name) {
                    continue;
                }
                let Some(status) = running.child.try_wait()? else { continue };
                if !names.contains(&running.name.as_str()) {
                    bail!("{} ended unexpectedly with {status}", running.name);
                }
                if !status.success() {
                    failed.push(format!("{} ended with {status}", running.name));
                }
                ended.push(running.name.clone());
            }
            thread::sleep(POLL_EVERY);
        }
        Ok(failed)
    }

    /// Asks all of them first, last started first, and then waits: together they take as long as the slowest.
    fn stop_all(&mut self) {
        self.running.reverse();
        for running in &mut self.running {
            ask_to_end(running);
        }
        let asked = Instant::now();
        for running in self.running.drain(..) {
            see_to_the_end(running, asked);
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.stop_all();
    }
}

/// A command whose process is also ended by the kernel if we are killed without a chance to clean up.
pub(crate) fn supervised(program: &Path) -> Command {
    match find_program("setpriv").filter(|_| cfg!(target_os = "linux")) {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

#[cfg(unix)]
fn group_of(running: &Running) -> Option<rustix::process::Pid> {
    i32::try_from(running.child.id()).ok().and_then(rustix::process::Pid::from_raw)
}

/// The whole group, so that helpers of a web view go too.
#[cfg(unix)]
fn ask_to_end(running: &mut Running) {
    if let Some(group) = group_of(running) {
        // An error means that nobody of the group is left, which is what we want.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
    }
}

/// Waits until nobody of the group is left, and insists when that takes too long.
#[cfg(unix)]
fn see_to_the_end(mut running: Running, asked: Instant) {
    use rustix::process::{Signal, kill_process_group, test_kill_process_group};

    let Some(group) = group_of(&running) else { return };
    loop {
        let leader_ended = matches!(running.child.try_wait(), Ok(Some(_)) | Err(_));
        if leader_ended && test_kill_process_group(group).is_err() {
            return;
        }
        if asked.elapsed() > PATIENCE {
            eprintln!("      {} did not end when asked, ending it by force", running.name);
            let _ = kill_process_group(group, Signal::KILL);
            let _ = running.child.wait();
            return;
        }
        thread::sleep(POLL_EVERY);
    }
}

#[cfg(not(unix))]
fn ask_to_end(running: &mut Running) {
    let _ = running.child.kill();
}

#[cfg(not(unix))]
fn see_to_the_end(mut running: Running, _asked: Instant) {
    let _ = running.child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn is_running(pid: &str) -> bool {
        // A zombie without a reaper still has an entry; its state tells.
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[test]
    fn dropping_ends_grandchildren_too() {
        let folder = std::env::temp_dir().join(format!("parley-children-{}", std::process::id()));
        let log = folder.join("log");
        let mut children = Children::new().unwrap();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "sleep 600 & echo $!; wait"]);
        children.spawn_logged("shell", &mut shell, &log).unwrap();
        let read = || fs::read_to_string(&log).unwrap_or_default().trim().to_owned();
        assert!(children.wait_until(Duration::from_secs(10), || !read().is_empty()).unwrap());
        let grandchild = read();
        assert!(is_running(&grandchild));
        drop(children);
        assert!(!is_running(&grandchild));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_child_that_ends_early_is_told_by_name() {
        let mut children = Children::new().unwrap();
        children.spawn("server", &mut Command::new("/bin/false")).unwrap();
        let error = children.wait_until(Duration::from_secs(10), || false).unwrap_err();
        assert!(error.to_string().starts_with("server ended at once"), "{error}");
    }
}
