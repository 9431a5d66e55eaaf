//! Loading a library in a process of its own, which it may end or hang as it likes.

use std::{
    ffi::OsString,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::sync_channel,
    thread,
    time::{Duration, Instant},
};

use super::{Fit, Loaded, Refusal, inspect, load};

/// Before the answer of the other process, whose library may print what it likes.
const ANSWER: &str = "parley-agora-sdk: ";
/// So much of what it prints is read.
const PRINTED: u64 = 1 << 20;
/// What it printed is there as soon as it has ended, unless something that it started holds its output. So many seconds
/// are waited for that, one by one: a machine that sleeps in between uses up only one.
const OUTPUT_WITHIN: u32 = 5;
/// How often it is asked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A program that prints [`answer_of_loading`] for the library that comes as its last argument, and ends.
#[derive(Clone, Debug)]
pub struct Loader {
    /// The program.
    pub program: PathBuf,
    /// What is said to it before the library's path.
    pub arguments: Vec<OsString>,
}

/// Loads the library in another process. Blocks, for `within` and a few seconds at most.
///
/// # Errors
/// [`Refusal::CannotLoad`] and what else [`load`] refuses, also when the process crashed or took too long.
pub fn load_apart(loader: &Loader, fit: &Fit, within: Duration) -> Result<Loaded, Refusal> {
    let cannot = |reason: String| Refusal::CannotLoad { file: fit.library.clone(), reason };
    let not_started = |error: io::Error| cannot(format!("the process to do it in did not start, {error}"));
    let mut child = Command::new(&loader.program)
        .args(&loader.arguments)
        .arg(&fit.library)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(not_started)?;
    let output = child.stdout.take();
    let (printed, text) = sync_channel(1);
    thread::spawn(move || {
        let mut text = Vec::new();
        // One that prints endlessly is stopped by the time limit.
        let _ = output.map(|pipe| pipe.take(PRINTED).read_to_end(&mut text));
        // Nobody waits any more when it took too long.
        let _ = printed.send(String::from_utf8_lossy(&text).into_owned());
    });
    let Some(status) = wait(&mut child, within) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(cannot(format!("it took longer than {} s", within.as_secs())));
    };
    let Some(text) = (0..OUTPUT_WITHIN).find_map(|_| text.recv_timeout(Duration::from_secs(1)).ok()) else {
        return Err(cannot("it started another process, which goes on".to_owned()));
    };
    let answer = text.lines().rev().find_map(|line| line.strip_prefix(ANSWER));
    match answer.map(serde_json::from_str::<Result<Loaded, String>>) {
        Some(Ok(outcome)) => outcome.map_err(cannot),
        _ => Err(cannot(format!("it ended the process that loaded it, {status}"))),
    }
}

/// What the other process prints as its last line.
pub fn answer_of_loading(library: &Path) -> String {
    let outcome = inspect(library).and_then(|fit| load(&fit)).map_err(|refusal| match refusal {
        Refusal::CannotLoad { reason, .. } => reason,
        other => other.to_string(),
    });
    let line = serde_json::to_string(&outcome).unwrap_or_default();
    // The library may have left a line unfinished.
    format!("\n{ANSWER}{line}")
}

fn wait(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if begun.elapsed() < within => thread::sleep(LOOK_EVERY),
            _ => return None,
        }
    }
}
