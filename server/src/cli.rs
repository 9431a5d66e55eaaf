//! The program: its commands, their output, and the runtime around them (`CONTRACT.md` §7).

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    App, AppState, Config,
    config::{Flags, Settings},
    openapi, seed,
};

mod admin;
mod doctor;
mod keeping;
mod serving;

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
    Admin(admin::AdminCommand),
    /// Bring the database to this version's schema; `serve` does so too. A copy is kept beside it.
    Migrate,
    /// Write database, keys and uploads into one new file, beside a running server.
    Backup {
        /// The file to write; it must not exist.
        file: PathBuf,
    },
    /// Put a backup in the place of what is there, which is moved aside. Not beside a running server.
    Restore {
        /// The file that `backup` wrote.
        file: PathBuf,
    },
    /// Look the database and the uploads through; prints a line of JSON for each finding and ends with 1 if there are any.
    Check,
    /// Look at settings, rights, space, clock, address, certificate; each line says ok, warn or fail, and what to do.
    Doctor,
    /// Print the OpenAPI 3.1 description of the HTTP calls.
    Openapi,
    /// Fill the database.
    #[command(subcommand)]
    Seed(SeedCommand),
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
        Ok(code) => code,
        Err(error) => {
            let mut stderr = io::stderr().lock();
            // Where even standard error is closed there is nobody left to tell.
            let _ = writeln!(stderr, "parley-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    start_logging(&cli.log)?;
    // Once for the whole program: libraries that find two providers otherwise refuse to choose. A second call in one
    // process keeps the first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let settings = Settings::load(&cli.flags)?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let config = settings.config.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let outcome = runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve) {
            Command::Serve => serving::serve(config).await?,
            Command::Migrate => keeping::migrate(config).await?,
            Command::Backup { file } => blocking(move || keeping::backup(&config, &file)).await?,
            Command::Restore { file } => blocking(move || keeping::restore(&config, &file)).await?,
            Command::Doctor => return doctor::doctor(&settings).await,
            Command::Check => return blocking(move || keeping::check(&config)).await,
            Command::Admin(command) => beside(config, async |app| admin::administrate(app, command).await).await?,
            Command::Openapi => writeln!(io::stdout(), "{}", openapi())?,
            Command::Seed(SeedCommand::Demo) => {
                beside(config, async |app| print(&serde_json::to_value(seed::demo(app).await?)?)).await?;
            }
            Command::Seed(SeedCommand::Bench { pairs }) => {
                beside(config, async |app| print(&serde_json::to_value(seed::bench(app, pairs).await?)?)).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    });
    // Whoever asks twice for the end doesn't want to wait for what still runs.
    runtime.shutdown_background();
    outcome
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("the command panicked")?
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

/// Runs a command on the data directory, also while a server runs on it.
async fn beside(config: Config, work: impl AsyncFnOnce(&AppState) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let app = App::open_beside(config).await?;
    let done = work(&app).await;
    app.store.close().await?;
    done
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
