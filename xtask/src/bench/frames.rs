//! `cargo xtask bench frames`: what a 720p picture costs on its way through our layer over Agora's library, beside a
//! plain copy of its bytes, in turns in one process; one JSON line a way on standard output.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::conditions;
use crate::{
    build::cargo_in,
    environment::Environment,
    packages::{self, Need},
    shell,
    steps::Steps,
    workspace::Workspace,
};

/// A layer that copies each picture once has half a copy left for everything else.
const AT_MOST_COPIES: f64 = 1.5;

#[derive(clap::Args)]
pub(crate) struct FramesArguments {
    /// How often each way and the plain copy take their turns.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many pictures a turn has.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    pictures: u32,
}

pub(crate) fn frames(workspace: &Workspace, environment: &Environment, arguments: &FramesArguments) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("the library of empty functions that stands where Agora's would is made for Linux only");
    }
    let is_terminal = environment.is_terminal;
    let mut steps = Steps::new(3);
    steps.step("system packages", || packages::install(workspace, Need::Headless, is_terminal))?;
    steps.step("build the measurement", || {
        let mut build = cargo_in(workspace, "build");
        build.args(["--release", "--package", "parley-agora", "--example", "frame_cost"]);
        shell::run_cargo(&mut build, is_terminal)
    })?;
    let before = conditions::machine(workspace)?;
    steps.step("measure in turns", || {
        let mut measurement = Command::new(workspace.target.join("release/examples/frame_cost"));
        measurement.args(["--rounds", &arguments.rounds.to_string(), "--pictures", &arguments.pictures.to_string()]);
        let printed = shell::output(measurement.arg(workspace.out("bench/empty-library")))?;
        println!(
            "{}",
            json!({ "metric": "conditions", "before": before, "loadAverageAfter": conditions::load_average() })
        );
        for line in printed.lines() {
            let mut way: Value =
                serde_json::from_str(line).context("the measurement printed something else than JSON")?;
            let copies = way["copies"]["median"].as_f64().context("the measurement left a figure out")?;
            way["target"] = json!(format!("at most {AT_MOST_COPIES} copies"));
            way["met"] = json!(copies <= AT_MOST_COPIES);
            println!("{way}");
        }
        Ok(())
    })
}
