//! Running other programs: loudly, or quietly with a line of progress and the whole output kept in a file.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::steps::seconds;

/// How often a line is printed where nobody can watch a line being redrawn.
const REPORT_EVERY: Duration = Duration::from_secs(20);
const POLL_EVERY: Duration = Duration::from_millis(100);
/// How much of a failed program's output is shown; the rest is in its log.
const SHOWN_LINES: usize = 60;

/// The command as a person would type it, without its environment, which may hold secrets.
pub(crate) fn spoken(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program).chain(command.get_args()).map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn judge(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { bail!("`{}` ended with {status}", spoken(command)) }
}

/// Runs with our own output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{}`", spoken(command)))?;
    judge(command, status)
}

/// Runs and gives back standard output; standard error is shown.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", spoken(command)))?;
    judge(command, output.status)?;
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed something else than text", spoken(command)))
}

/// Runs with the output in `log`; says every now and then how long it takes, and shows the end of it on failure.
pub(crate) fn run_quietly(command: &mut Command, log: &Path, is_terminal: bool) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", spoken(command)))?;
    let status = await_with_progress(&mut child, log, is_terminal)?;
    if !status.success() {
        eprintln!("{}", last_lines(log));
    }
    judge(command, status)
}

fn await_with_progress(child: &mut Child, log: &Path, is_terminal: bool) -> Result<ExitStatus> {
    let begun = Instant::now();
    let every = if is_terminal { Duration::from_secs(1) } else { REPORT_EVERY };
    let mut due = every;
    loop {
        if let Some(status) = child.try_wait()? {
            if is_terminal && due > every {
                eprint!("\r\x1b[K");
            }
            return Ok(status);
        }
        if begun.elapsed() >= due {
            let line = last_line(log);
            match is_terminal {
                true => eprint!("\r\x1b[K      {} {line}", seconds(begun.elapsed())),
                false => eprintln!("      {} {line}", seconds(begun.elapsed())),
            }
            due += every;
        }
        thread::sleep(POLL_EVERY);
    }
}

fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let tail = String::from_utf8_lossy(&text[text.len().saturating_sub(400)..]).into_owned();
    tail.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().chars().take(90).collect()
}

fn last_lines(log: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

/// Runs cargo. In a terminal its own bar shows; elsewhere a line every now and then says how far it is.
pub(crate) fn run_cargo(command: &mut Command, is_terminal: bool) -> Result<()> {
    if is_terminal {
        return run(command);
    }
    command
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100")
        .env("CARGO_TERM_COLOR", "never");
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", spoken(command)))?;
    if let Some(errors) = child.stderr.take() {
        relay_cargo(errors)?;
    }
    let status = child.wait()?;
    judge(command, status)
}

/// Cargo redraws its bar with carriage returns; everything else is worth passing on except one line a crate.
fn relay_cargo(errors: impl Read) -> Result<()> {
    let begun = Instant::now();
    let mut due = REPORT_EVERY;
    for_each_line(errors, |line| match progress(line) {
        CargoLine::Bar(how_far) if begun.elapsed() >= due => {
            eprintln!("      {} {}", seconds(begun.elapsed()), how_far.trim_end());
            due = begun.elapsed() + REPORT_EVERY;
        }
        CargoLine::Bar(_) | CargoLine::Routine => {}
        CargoLine::Message => eprintln!("{line}"),
    })
}

/// Lines end with a line feed or, where one is drawn over, with a carriage return.
fn for_each_line(input: impl Read, mut each: impl FnMut(&str)) -> Result<()> {
    let mut reader = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let end = chunk.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        line.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
        let used = end.map_or(chunk.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            let text = String::from_utf8_lossy(&line).replace("\x1b[K", "");
            if !text.trim().is_empty() {
                each(&text);
            }
            line.clear();
        }
    }
}

#[derive(Debug, PartialEq)]
enum CargoLine<'a> {
    Bar(&'a str),
    Routine,
    Message,
}

fn progress(line: &str) -> CargoLine<'_> {
    const ROUTINE: [&str; 8] =
        ["Compiling", "Checking", "Downloading", "Downloaded", "Fresh", "Updating", "Locking", "Documenting"];
    let trimmed = line.trim_start();
    if let Some((_, how_far)) = trimmed.strip_prefix("Building [").and_then(|rest| rest.split_once("] ")) {
        return CargoLine::Bar(how_far);
    }
    let first = trimmed.split_whitespace().next().unwrap_or_default();
    if ROUTINE.contains(&first) { CargoLine::Routine } else { CargoLine::Message }
}

/// The path of a program, if the system has it.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_bar_tells_how_far_it_is() {
        let bar = "    Building [=====>      ] 312/700: tokio, serde";
        assert_eq!(progress(bar), CargoLine::Bar("312/700: tokio, serde"));
        assert_eq!(progress("   Compiling serde v1.0.229"), CargoLine::Routine);
        assert_eq!(progress("error[E0432]: unresolved import"), CargoLine::Message);
        assert_eq!(progress("warning: unused variable"), CargoLine::Message);
    }

    #[test]
    fn a_bar_that_is_drawn_over_is_seen_each_time() {
        let mut lines = Vec::new();
        for_each_line(&b"one\r\x1b[Ktwo\n\nthree\r"[..], |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn a_program_that_fails_is_named_with_its_arguments() {
        let error = run(Command::new("/bin/false").arg("now")).unwrap_err();
        assert!(error.to_string().starts_with("`false now` ended with"), "{error}");
    }
}
