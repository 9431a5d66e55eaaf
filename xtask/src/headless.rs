//! `cargo xtask run --headless`: the whole path without windows, one JSON line a step on standard output.

use std::{fs, process::Stdio};

use anyhow::{Result, bail};

use crate::{
    Engine, RunArguments,
    agora::Library,
    build,
    children::{Children, supervised},
    clip,
    environment::Environment,
    packages::{self, Need},
    shell,
    steps::Steps,
    workspace::Workspace,
};

pub(crate) fn run(workspace: &Workspace, environment: &Environment, arguments: &RunArguments) -> Result<()> {
    let is_terminal = environment.is_terminal;
    if !arguments.headless {
        eprintln!("no display here: running without windows");
    }
    let mut steps = Steps::new(if arguments.engine == Engine::Agora { 5 } else { 4 });
    steps.step("system packages", || packages::install(workspace, Need::Headless, is_terminal))?;
    steps.step("build the server and the headless clients", || build::headless(workspace, is_terminal))?;
    let clips = steps.step("video clip", || Ok(clip::fetch(workspace, is_terminal)))?;
    let library = Library::of_run(arguments.engine, workspace, environment, &mut steps)?;

    let data = workspace.out("run/headless");
    if arguments.fresh && data.exists() {
        fs::remove_dir_all(&data)?;
    }
    fs::create_dir_all(&data)?;
    steps.step("two clients: an offer, a message, a call", || {
        let mut children = Children::new()?;
        let mut headless = supervised(&workspace.program("parley-headless"));
        headless.arg("--server-program").arg(workspace.program("parley-server")).arg("--data-dir").arg(&data);
        if let Some(clips) = &clips {
            headless.arg("--clip").arg(&clips.client);
        }
        if let Some(library) = &library {
            headless.args(["--engine", "agora", "--agora-sdk"]).arg(&library.folder);
            library.hand_to(&mut headless);
        }
        let spoken = shell::spoken(&headless);
        children.spawn("the headless run", headless.stdout(Stdio::inherit()).stderr(Stdio::inherit()))?;
        let failed = children.wait_for(&["the headless run"])?;
        if children.is_interrupted() {
            bail!("interrupted");
        }
        if !failed.is_empty() {
            bail!("a step failed; the line above with \"ok\":false says which (`{spoken}`)");
        }
        Ok(())
    })
}
