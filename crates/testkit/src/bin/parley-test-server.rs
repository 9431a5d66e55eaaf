//! The server's program, built with the tests that kill it.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    parley_server::cli::run(parley_server::cli::Cli::parse())
}
