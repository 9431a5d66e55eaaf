//! The one door for tasks: `cargo xtask run` to see Parley, `cargo xtask test` to test it, and what a contributor needs.

mod agora;
mod agora_sdk;
mod android;
mod bench;
mod build;
mod checks;
mod children;
mod clip;
mod environment;
mod fuzz;
mod headless;
mod layers;
mod network;
mod node;
mod packages;
mod python;
mod room;
mod sanitizer;
mod shell;
mod steps;
mod systems;
mod types;
mod unused;
mod windows;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{environment::Environment, packages::Need, workspace::Workspace};

/// Tasks of the Parley workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, start the server with the demo marketplace and open two signed-in windows.
    Run(RunArguments),
    /// Install what tests need, then run them all, the test of the built app included.
    Test(TestArguments),
    /// Format, lints, layers, generated types, documentation, then everything that `test` does.
    Ci(TestArguments),
    /// What takes too long for `test`: fifty crashes of the server, minutes of fuzzing.
    Nightly(TestArguments),
    /// Install the Python tools of the tests and print the path of their interpreter, for `PARLEY_PYTHON`.
    Python,
    /// Measure what is promised of speed and size.
    #[command(subcommand)]
    Bench(BenchTask),
    /// Agora's library for the apps that `run` opens: install FILE.zip|DIR, status, check, remove.
    AgoraSdk {
        /// What `parley-agora-sdk` is to do.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<std::ffi::OsString>,
    },
    /// Check that the crates use each other only downwards, and the UI reaches Tauri through one folder.
    Layers,
    /// Write agora-sys' bindings, made by bindgen from its headers (a test says when that is due).
    Bindings,
    /// Write the UI's types, generated from crates/protocol.
    Types {
        /// Change nothing; fail if something would change.
        #[arg(long)]
        check: bool,
    },
}

#[derive(Subcommand)]
enum BenchTask {
    /// The server beside a plain Node server of the same calls, in turns: one JSON line a metric.
    Server(bench::ServerArguments),
    /// A 720p picture on its way to and from Agora's library, beside a plain copy of it: one JSON line a way.
    Frames(bench::FramesArguments),
}

#[derive(Args)]
pub(crate) struct RunArguments {
    /// Two clients without windows go the same way and report each step as one JSON line.
    #[arg(long)]
    headless: bool,
    /// What carries calls: the built-in engine, or Agora's library (the one in AGORA_SDK_DIR, else a stand-in with its
    /// interface, built here).
    #[arg(long, value_enum, default_value_t = Engine::Direct)]
    engine: Engine,
    /// Forget the data of earlier runs.
    #[arg(long)]
    fresh: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    Direct,
    Agora,
}

#[derive(Args)]
pub(crate) struct TestArguments {
    /// Run only the steps whose name contains this text (builds are done as needed).
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

fn main() -> ExitCode {
    match perform(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: &Task) -> anyhow::Result<()> {
    let environment = Environment::read();
    let workspace = Workspace::locate()?;
    match task {
        Task::Run(arguments) if arguments.headless || !environment.has_display => {
            headless::run(&workspace, &environment, arguments)
        }
        Task::Run(arguments) => windows::run(&workspace, &environment, arguments),
        Task::Test(arguments) => checks::test(&workspace, &environment, arguments),
        Task::Ci(arguments) => checks::ci(&workspace, &environment, arguments),
        Task::Nightly(arguments) => checks::nightly(&workspace, &environment, arguments),
        Task::Python => {
            packages::install(&workspace, Need::Tests, environment.is_terminal)?;
            python::install(&workspace, environment.is_terminal)?;
            println!("{}", python::interpreter(&workspace).display());
            Ok(())
        }
        Task::Bench(BenchTask::Server(arguments)) => bench::server(&workspace, &environment, arguments),
        Task::Bench(BenchTask::Frames(arguments)) => bench::frames(&workspace, &environment, arguments),
        Task::AgoraSdk { words } => agora_sdk::run(&workspace, words, environment.is_terminal),
        Task::Layers => layers::check(&workspace),
        Task::Bindings => bindings(&workspace),
        Task::Types { check: false } => types::write(&workspace),
        Task::Types { check: true } => types::check(&workspace),
    }
}

fn bindings(workspace: &Workspace) -> anyhow::Result<()> {
    shell::run(build::cargo_in(workspace, "run").args(["--package", "agora-sys", "--example", "bindings"]))
}
