//! The program `parley-server`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    parley_server::cli::run(parley_server::cli::Cli::parse())
}
