//! The program: its commands, their output, and the runtime around them (`CONTRACT.md` §7).

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use parley_domain::{FieldCheck, Role, User};
use parley_store::NewAccount;
use serde_json::json;
use tokio::net::TcpListener;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    App, AppState, Config,
    config::{Flags, Secret},
    openapi, seed, serve_app,
};

/// Parley's server: accounts, projects, chat and meetings for a marketplace that you run yourself.
#[derive(Debug, Parser)]
#[command(name = "parley-server", version, about)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    /// What to log, as in RUST_LOG: error, warn, info, debug, or parley_server=debug.
    #[arg(long, global = true, env = "PARLEY_LOG", default_value = "info")]
    log: String,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C (the default).
    Serve,
    /// Administrators and what only they may do.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Print the OpenAPI 3.1 description of the HTTP calls.
    Openapi,
    /// Fill the database.
    #[command(subcommand)]
    Seed(SeedCommand),
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make an administrator.
    Create(NewPassword),
    /// Approve a provider.
    Approve {
        /// The provider's address.
        #[arg(long)]
        email: String,
    },
    /// Set somebody's password and end that person's sign-ins.
    ResetPassword(NewPassword),
}

#[derive(Debug, Args)]
struct NewPassword {
    /// Whose.
    #[arg(long)]
    email: String,
    /// The password; visible to everybody who can list processes, so better use a file or type it.
    #[arg(long, value_parser = |text: &str| Ok::<_, std::convert::Infallible>(Secret::new(text)))]
    password: Option<Secret>,
    /// A file whose first line is the password.
    #[arg(long, conflicts_with = "password")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum SeedCommand {
    /// The demo marketplace; the same every time. Prints its accounts.
    Demo,
    /// Pairs of people with a conversation each, for load tests. Prints accounts and conversations.
    Bench {
        /// How many pairs.
        #[arg(long)]
        pairs: u32,
    },
}

/// Runs a command and says how it went.
pub fn run(cli: Cli) -> ExitCode {
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = io::stderr().lock();
            // Where even standard error is closed there is nobody left to tell.
            let _ = writeln!(stderr, "parley-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<()> {
    start_logging(&cli.log)?;
    let config = Config::load(&cli.flags)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve) {
            Command::Serve => serve(config).await,
            Command::Openapi => Ok(writeln!(io::stdout(), "{}", openapi())?),
            Command::Admin(command) => beside(config, async |app| administrate(app, command).await).await,
            Command::Seed(SeedCommand::Demo) => {
                beside(config, async |app| print(&serde_json::to_value(seed::demo(app).await?)?)).await
            }
            Command::Seed(SeedCommand::Bench { pairs }) => {
                beside(config, async |app| print(&serde_json::to_value(seed::bench(app, pairs).await?)?)).await
            }
        }
    })
}

/// Libraries that print whole packets, requests or statements when asked for details; they are never asked.
const TALKATIVE: &[&str] = &[
    "socketioxide",
    "socketioxide_core",
    "engineioxide",
    "engineioxide_core",
    "hyper",
    "hyper_util",
    "h2",
    "tungstenite",
    "tokio_tungstenite",
    "tower_http",
    "refinery_core",
    "rusqlite",
    "reqwest",
];

/// What the program logs when asked for `wanted`, a list of directives as in RUST_LOG.
///
/// Errors if it is no such list.
pub fn log_filter(wanted: &str) -> anyhow::Result<EnvFilter> {
    let quiet: String = TALKATIVE.iter().map(|name| format!(",{name}=warn")).collect();
    EnvFilter::try_new(format!("{wanted}{quiet}")).with_context(|| format!("{wanted:?} does not say what to log"))
}

fn start_logging(wanted: &str) -> anyhow::Result<()> {
    let filter = log_filter(wanted)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    // A second call in one process keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Ok(())
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("{} can't be listened on", config.listen))?;
    let address = listener.local_addr()?;
    let app = App::open(config).await?;
    print(&json!({ "listening": address.to_string() }))?;
    serve_app(app, listener, stop_signal()).await?;
    Ok(())
}

async fn stop_signal() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

/// Runs a command on the data directory, also while a server runs on it.
async fn beside(config: Config, work: impl AsyncFnOnce(&AppState) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let app = App::open(config).await?;
    let done = work(&app).await;
    app.store.close().await?;
    done
}

async fn administrate(app: &AppState, command: AdminCommand) -> anyhow::Result<()> {
    match command {
        AdminCommand::Create(who) => {
            let mut check = FieldCheck::new();
            let email = check.email("--email", &who.email);
            let password = ask_password(&who)?;
            check.password("password", password.expose());
            accept(check)?;
            let password_hash = app.passwords.hash(password.expose().to_owned()).await?;
            let account = NewAccount {
                email,
                password_hash,
                name: "Administrator".to_owned(),
                role: Role::Admin,
                time_zone: None,
            };
            let user = app.store.create_account(account, app.now()).await?;
            print(&json!({ "id": user.id, "role": user.role }))
        }
        AdminCommand::Approve { email } => {
            let user = find(app, &email).await?;
            if user.role != Role::Provider {
                bail!("{} is no provider", user.id);
            }
            let user = app.store.set_approval(user.id, true).await?;
            print(&json!({ "id": user.id, "approved": user.approved }))
        }
        AdminCommand::ResetPassword(who) => {
            let user = find(app, &who.email).await?;
            let password = ask_password(&who)?;
            let mut check = FieldCheck::new();
            check.password("password", password.expose());
            accept(check)?;
            let password_hash = app.passwords.hash(password.expose().to_owned()).await?;
            let ended = app.store.change_password(user.id, password_hash, None, app.now()).await?;
            print(&json!({ "id": user.id, "endedSessions": ended.len() }))
        }
    }
}

fn accept(check: FieldCheck) -> anyhow::Result<()> {
    check.finish().map_err(|errors| {
        let all: Vec<_> = errors.iter().map(|error| format!("{} {}", error.pointer, error.message)).collect();
        anyhow::anyhow!(all.join("; "))
    })
}

async fn find(app: &App, email: &str) -> anyhow::Result<User> {
    let known = app.store.credentials_by_email(&email.trim().to_lowercase()).await?;
    known.map(|known| known.user).context("nobody has this address")
}

fn ask_password(who: &NewPassword) -> anyhow::Result<Secret> {
    if let Some(password) = &who.password {
        return Ok(password.clone());
    }
    let mut line = String::new();
    if let Some(path) = &who.password_file {
        let file = std::fs::File::open(path).with_context(|| format!("{} can't be read", path.display()))?;
        io::BufReader::new(file).read_line(&mut line)?;
    } else {
        if io::stdin().is_terminal() {
            write!(io::stderr(), "Password (it will be visible): ")?;
        }
        io::stdin().lock().read_line(&mut line)?;
    }
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

/// One line of JSON on standard output.
fn print(value: &serde_json::Value) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{value}")?;
    stdout.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_password_never_shows_in_the_parsed_command_line() {
        let line = ["parley-server", "admin", "create", "--email", "a@b.test", "--password", "hush hush hush"];
        let cli = Cli::try_parse_from(line).unwrap();
        assert!(!format!("{cli:?}").contains("hush"));
    }

    #[test]
    fn without_a_command_it_serves() {
        let cli = Cli::try_parse_from(["parley-server", "--listen", "127.0.0.1:0"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.flags.listen.unwrap().port(), 0);
    }
}
