//! `doctor`: looks at everything a server needs before it is needed, and says what to do.

use std::{
    fmt, fs,
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use parley_agora_token::{AppCertificate, AppId};
use parley_domain::Timestamp;
use parley_store::sqlite::pending_migrations;

use crate::{
    Config,
    config::{Origin, Settings, TlsFiles},
    data_dir,
    mail::smtp::Postman,
    tls,
};

/// Below this a busy server fills the disk within days.
const LITTLE_SPACE_BYTES: u64 = 1024 * 1024 * 1024;
/// Below this writes fail soon.
const NO_SPACE_BYTES: u64 = 64 * 1024 * 1024;
/// A certificate that ends earlier was not renewed when it should have been.
const RENEW_WITHIN: Duration = Duration::from_secs(14 * 24 * 3600);
/// How long a server on the same machine may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How long the mail server may take to answer.
const MAIL_WITHIN: Duration = Duration::from_secs(10);
/// 2025-01-01: no clock that is set shows an earlier time.
const EARLIEST_MILLIS: i64 = 1_735_689_600_000;
/// Other machines' clocks, such as a file server's, differ by less.
const CLOCK_SLACK: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One line: what was looked at, how it is, and what to do.
#[derive(Debug)]
struct Line {
    verdict: Verdict,
    subject: &'static str,
    text: String,
}

#[derive(Default)]
struct Report(Vec<Line>);

impl Report {
    fn add(&mut self, verdict: Verdict, subject: &'static str, text: impl Into<String>) {
        self.0.push(Line { verdict, subject, text: text.into() });
    }
}

/// Prints a line for each thing; 1 if one of them keeps a server from working.
pub(super) async fn doctor(settings: &Settings) -> anyhow::Result<ExitCode> {
    let report = examine(settings).await;
    let mut stdout = io::stdout().lock();
    for line in &report.0 {
        writeln!(stdout, "{:<4}  {}: {}", line.verdict, line.subject, line.text)?;
    }
    let worst = report.0.iter().map(|line| line.verdict).max();
    Ok(if worst == Some(Verdict::Fail) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn examine(settings: &Settings) -> Report {
    let mut report = Report::default();
    for setting in &settings.list {
        let from =
            if setting.origin == Origin::Default { "default".to_owned() } else { format!("from {}", setting.origin) };
        report.add(Verdict::Ok, "setting", format!("{} = {} ({from})", setting.key, setting.value));
    }
    for warning in &settings.warnings {
        report.add(Verdict::Warn, "secret", warning.clone());
    }
    let config = &settings.config;
    data_directory(&mut report, config);
    database(&mut report, config);
    clock(&mut report, config);
    address(&mut report, config);
    match &config.tls {
        Some(files) => certificate(&mut report, files, config.clock.now()),
        None if config.listen.ip().is_loopback() => {
            report.add(Verdict::Ok, "tls", "off; the server is reachable from this machine only");
        }
        None => report.add(
            Verdict::Warn,
            "tls",
            "off, and the server listens beyond this machine: set --tls-cert and --tls-key, or listen on 127.0.0.1 behind \
             a proxy that speaks TLS",
        ),
    }
    agora(&mut report, config);
    mail(&mut report, config).await;
    report
}

fn data_directory(report: &mut Report, config: &Config) {
    const SUBJECT: &str = "data directory";
    let dir = &config.data_dir;
    if !dir.exists() {
        report.add(Verdict::Ok, SUBJECT, format!("{} is not there yet; the first start makes it", dir.display()));
        return;
    }
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    match fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)) {
        Ok(()) => report.add(Verdict::Ok, SUBJECT, format!("{} can be written", dir.display())),
        Err(error) => report.add(
            Verdict::Fail,
            SUBJECT,
            format!("{} can't be written ({error}): give it to the user that runs the server", dir.display()),
        ),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(meta) = fs::metadata(dir)
            && meta.permissions().mode() & 0o077 != 0
        {
            let text = format!("others on this machine can enter {}: chmod 700 it", dir.display());
            report.add(Verdict::Warn, SUBJECT, text);
        }
    }
    match free_bytes(dir) {
        Some(free) => {
            let verdict = match free {
                free if free < NO_SPACE_BYTES => Verdict::Fail,
                free if free < LITTLE_SPACE_BYTES => Verdict::Warn,
                _ => Verdict::Ok,
            };
            let advice = if verdict == Verdict::Ok { "" } else { ": make room" };
            report.add(verdict, "disk", format!("{} MiB are free{advice}", free / (1024 * 1024)));
        }
        None => report.add(Verdict::Warn, "disk", "how much is free can't be told here"),
    }
    if data_dir::restore::is_interrupted(dir) {
        report.add(Verdict::Warn, SUBJECT, "a restore was interrupted; the next start finishes it");
    }
}

#[cfg(unix)]
fn free_bytes(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

fn database(report: &mut Report, config: &Config) {
    const SUBJECT: &str = "database";
    let path = config.database();
    if !path.exists() {
        report.add(Verdict::Ok, SUBJECT, "not there yet; the first start makes it");
        return;
    }
    match pending_migrations(&path) {
        Ok(None) => report.add(Verdict::Ok, SUBJECT, "has this version's schema; `check` looks it through"),
        Ok(Some((found, known))) => {
            let text =
                format!("has schema {found}; the next start brings it to {known} and keeps a copy of it as it is");
            report.add(Verdict::Warn, SUBJECT, text);
        }
        Err(error) => {
            report.add(Verdict::Fail, SUBJECT, format!("{error}: see docs/operating.md, «When something is broken»"));
        }
    }
}

fn clock(report: &mut Report, config: &Config) {
    const SUBJECT: &str = "clock";
    let now = config.clock.now();
    let written = fs::metadata(config.database()).and_then(|meta| meta.modified()).ok();
    let written = written.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let written = written.and_then(|since| i64::try_from(since.as_millis()).ok()).map(Timestamp::from_millis);
    if now.as_millis() < EARLIEST_MILLIS {
        report.add(Verdict::Fail, SUBJECT, format!("shows {now}: set it, or run a time service"));
    } else if written.is_some_and(|written| written.saturating_since(now) > CLOCK_SLACK) {
        report.add(Verdict::Warn, SUBJECT, format!("shows {now}, but the database was written later: check it"));
    } else {
        report.add(Verdict::Ok, SUBJECT, format!("shows {now}"));
    }
}

fn address(report: &mut Report, config: &Config) {
    const SUBJECT: &str = "address";
    let listen = config.listen;
    let is_running = data_dir::is_locked(&config.data_dir);
    match TcpListener::bind(listen) {
        Ok(_) if is_running => {
            report.add(
                Verdict::Warn,
                SUBJECT,
                format!("{listen} is free, but a server runs on this data directory elsewhere"),
            );
        }
        Ok(_) => report.add(Verdict::Ok, SUBJECT, format!("{listen} is free; no server runs on this data directory")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_running => answer(report, config),
        Err(error) if error.kind() == ErrorKind::AddrInUse => report.add(
            Verdict::Fail,
            SUBJECT,
            format!("{listen} is taken by something else than this data directory's server: take another --listen"),
        ),
        Err(error) => report.add(Verdict::Fail, SUBJECT, format!("{listen} can't be listened on: {error}")),
    }
}

fn answer(report: &mut Report, config: &Config) {
    const SUBJECT: &str = "server";
    if config.tls.is_some() {
        let text = format!("runs, and {} accepts connections (TLS; not asked further)", config.listen);
        return match TcpStream::connect_timeout(&reachable(config.listen), ANSWER_WITHIN) {
            Ok(_) => report.add(Verdict::Ok, SUBJECT, text),
            Err(error) => report.add(Verdict::Fail, SUBJECT, format!("runs, but can't be reached: {error}")),
        };
    }
    match ask_ready(reachable(config.listen)) {
        Ok(status) if status == "200" => report.add(Verdict::Ok, SUBJECT, "runs and is ready"),
        Ok(status) => {
            report.add(Verdict::Fail, SUBJECT, format!("runs, but /health/ready answers {status}: see its log"));
        }
        Err(error) => report.add(Verdict::Fail, SUBJECT, format!("runs, but does not answer: {error}")),
    }
}

/// Where a server that listens everywhere is reached from here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => ([127, 0, 0, 1], v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, v6.port()).into(),
        other => other,
    }
}

/// The status of `/health/ready`.
fn ask_ready(address: SocketAddr) -> io::Result<String> {
    let mut line = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
    line.set_read_timeout(Some(ANSWER_WITHIN))?;
    line.set_write_timeout(Some(ANSWER_WITHIN))?;
    write!(line, "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    line.read_exact(&mut head)?;
    let head = String::from_utf8_lossy(&head).into_owned();
    head.strip_prefix("HTTP/1.1 ").map(str::to_owned).ok_or_else(|| io::Error::other("no HTTP/1.1 answer"))
}

fn certificate(report: &mut Report, files: &TlsFiles, now: Timestamp) {
    const SUBJECT: &str = "tls";
    if let Err(error) = tls::server_config(files) {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        report.add(Verdict::Fail, SUBJECT, format!("{error}{cause}"));
        return;
    }
    let end = tls::read_chain(&files.cert).ok().and_then(|chain| tls::not_after(chain.first()?));
    match end {
        None => report.add(Verdict::Warn, SUBJECT, "the pair matches; when it expires can't be read"),
        Some(end) if end <= now => report.add(Verdict::Fail, SUBJECT, format!("expired at {end}: renew it")),
        Some(end) if end.saturating_since(now) < RENEW_WITHIN => {
            report.add(Verdict::Warn, SUBJECT, format!("the pair matches and expires soon, at {end}: renew it"));
        }
        Some(end) => report.add(Verdict::Ok, SUBJECT, format!("the pair matches and is valid until {end}")),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(&files.key).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0) {
            let text = format!("everybody on this machine can read {}: chmod 600 it", files.key.display());
            report.add(Verdict::Warn, SUBJECT, text);
        }
    }
}

fn agora(report: &mut Report, config: &Config) {
    const SUBJECT: &str = "agora";
    match &config.agora {
        None => report.add(Verdict::Ok, SUBJECT, "not set; every call takes the built-in engine"),
        Some((id, certificate))
            if AppId::new(id.expose()).is_ok() && AppCertificate::new(certificate.expose()).is_ok() =>
        {
            report.add(Verdict::Ok, SUBJECT, "set");
        }
        Some(_) => report.add(
            Verdict::Fail,
            SUBJECT,
            "AGORA_APP_ID and AGORA_APP_CERTIFICATE are 32 hexadecimal digits each: copy them from Agora's console again",
        ),
    }
}

async fn mail(report: &mut Report, config: &Config) {
    const SUBJECT: &str = "mail";
    let Some(smtp) = &config.smtp else {
        return report.add(Verdict::Ok, SUBJECT, "not set; nobody is mailed about meetings");
    };
    let tried = match Postman::new(smtp, MAIL_WITHIN) {
        Ok(postman) => postman.try_connection().await,
        Err(failure) => Err(failure),
    };
    match tried {
        Ok(()) => report.add(Verdict::Ok, SUBJECT, "the mail server answers"),
        Err(failure) => report.add(Verdict::Fail, SUBJECT, format!("{failure}: check smtp_url and its credentials")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{App, config::Secret};

    fn verdicts(report: &Report, subject: &str) -> Vec<Verdict> {
        report.0.iter().filter(|line| line.subject == subject).map(|line| line.verdict).collect()
    }

    fn settings(config: Config) -> Settings {
        Settings { config, list: Vec::new(), warnings: Vec::new() }
    }

    #[tokio::test]
    async fn a_fresh_machine_is_well_and_a_running_server_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path().join("data"));
        config.listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let report = examine(&settings(config.clone())).await;
        assert!(report.0.iter().all(|line| line.verdict == Verdict::Ok), "{:?}", report.0);
        let app = App::open(config.clone()).await.unwrap();
        let _silent = TcpListener::bind(config.listen).unwrap();
        let report = examine(&settings(config.clone())).await;
        assert_eq!(verdicts(&report, "database"), [Verdict::Ok]);
        assert_eq!(verdicts(&report, "server"), [Verdict::Fail], "it is locked and bound, but nobody answers");
        app.store.close().await.unwrap();
        app.unlock();
        assert_eq!(verdicts(&examine(&settings(config)).await, "address"), [Verdict::Fail], "a stranger has the port");
    }

    #[tokio::test]
    async fn what_keeps_a_server_from_working_fails() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path());
        fs::write(config.database(), "no database, but as long as the header of one has to be, and longer".repeat(3))
            .unwrap();
        fs::write(dir.path().join("cert.pem"), "nothing").unwrap();
        config.tls = Some(TlsFiles { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") });
        config.agora = Some((Secret::new("short"), Secret::new("hush")));
        let report = examine(&settings(config)).await;
        for subject in ["database", "tls", "agora"] {
            assert_eq!(verdicts(&report, subject), [Verdict::Fail], "{:?}", report.0);
        }
        assert!(report.0.iter().all(|line| !line.text.contains("hush")));
    }

    #[tokio::test]
    async fn a_clock_that_was_never_set_fails() {
        #[derive(Debug)]
        struct Unset;
        impl crate::clock::Clock for Unset {
            fn now(&self) -> Timestamp {
                Timestamp::from_millis(0)
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let config = Config { clock: std::sync::Arc::new(Unset), ..Config::new(dir.path().join("none")) };
        assert_eq!(verdicts(&examine(&settings(config)).await, "clock"), [Verdict::Fail]);
    }
}
