//! The program `parley-server`.

use std::process::ExitCode;

use clap::Parser;

/// Bursts of messages leave the GNU allocator's heaps too scattered to be given back; docs/decisions/0012 has the figures.
/// `.cargo/config.toml` holds its settings.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    parley_server::cli::run(parley_server::cli::Cli::parse())
}
