//! The command line.

use std::path::PathBuf;

use clap::{ArgGroup, Parser, ValueEnum};

/// Two headless clients carry out the whole path against a real server, and measure the call.
#[derive(Debug, Parser)]
#[command(name = "parley-headless", version, group = ArgGroup::new("where").required(true))]
pub(crate) struct Arguments {
    /// Address of a running server that holds the demo marketplace.
    #[arg(long, group = "where")]
    pub(crate) server: Option<String>,
    /// Start this `parley-server` program on a free port, with its data below `--data-dir`.
    #[arg(long, alias = "start-server", value_name = "PROGRAM", group = "where")]
    pub(crate) server_program: Option<PathBuf>,
    /// Where the server and both clients keep their data; kept for the next run.
    #[arg(long)]
    pub(crate) data_dir: PathBuf,
    /// A video file (MP4, H.264) that both sides send; without it a moving card is drawn.
    #[arg(long)]
    pub(crate) clip: Option<PathBuf>,
    /// What carries the media.
    #[arg(long, value_enum, default_value_t = Engine::Direct)]
    pub(crate) engine: Engine,
    /// How long the call is measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(4..=3_600))]
    pub(crate) seconds: u64,
    /// What to log to standard error, as `tracing` filters say it.
    #[arg(long, env = "PARLEY_LOG", default_value = "warn")]
    pub(crate) log: String,
}

/// Media engines that need nothing from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// The built-in one.
    Direct,
}
