//! `test` and `ci`: what green means.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result};

use crate::{
    TestArguments,
    agora::Library,
    android,
    build::{self, EVERYTHING, cargo_in},
    clip::{self, Clips},
    environment::Environment,
    fuzz, layers, node,
    packages::{self, Need},
    python, room, sanitizer,
    shell::{self, run, run_cargo, run_quietly},
    steps::Steps,
    systems, types, unused,
    workspace::Workspace,
};

/// Speaks WebDriver for apps made with Tauri; this version goes with Tauri 2.
const TAURI_DRIVER: &str = "2.1.0";

/// How often `nightly` kills the server; `test` does five times.
const NIGHTLY_CRASHES: u32 = 50;
/// How many calls `nightly` makes up for each operation of the API; `test` makes up ten, and the same every time.
const NIGHTLY_EXAMPLES: u32 = 200;

/// How often `nightly` joins and leaves over Agora's interface, and how long one call lasts; `test` does 200 and 60.
const NIGHTLY_CYCLES: &str = "10000";
const NIGHTLY_SOAK_SECONDS: &str = "600";

struct Checks<'a> {
    workspace: &'a Workspace,
    is_terminal: bool,
    only: Option<&'a str>,
    steps: Steps,
}

pub(crate) fn test(workspace: &Workspace, environment: &Environment, arguments: &TestArguments) -> Result<()> {
    room::check(workspace, environment)?;
    let mut checks = Checks::new(workspace, environment, arguments, 24);
    checks.prepare()?;
    checks.cheap();
    checks.tests()?;
    checks.steps.finish()
}

pub(crate) fn ci(workspace: &Workspace, environment: &Environment, arguments: &TestArguments) -> Result<()> {
    room::check(workspace, environment)?;
    let mut checks = Checks::new(workspace, environment, arguments, 28);
    checks.prepare()?;
    checks.cheap();
    checks.thorough();
    checks.tests()?;
    checks.steps.finish()
}

/// What takes too long for every day: the same tools, for longer.
pub(crate) fn nightly(workspace: &Workspace, environment: &Environment, arguments: &TestArguments) -> Result<()> {
    room::check(workspace, environment)?;
    let mut checks = Checks::new(workspace, environment, arguments, 9);
    checks.prepare()?;
    let is_terminal = checks.is_terminal;
    checks.steps.step("build programs and tests", || build::tests(workspace, is_terminal))?;
    checks.check("API fuzzing", |workspace| fuzz_api(workspace, Some(NIGHTLY_EXAMPLES)));
    checks.check("crashes", |workspace| crashes(workspace, Some(NIGHTLY_CRASHES)));
    checks.check("Agora's interface for long", |workspace| {
        let mut soak = cargo_in(workspace, "test");
        soak.args(["--package", "parley-agora", "--test", "gateway_gives_everything_back"]);
        soak.env("PARLEY_SOAK_CYCLES", NIGHTLY_CYCLES).env("PARLEY_SOAK_SECONDS", NIGHTLY_SOAK_SECONDS);
        run_cargo(&mut soak, is_terminal)
    });
    checks.fuzz(fuzz::LONG);
    checks.steps.finish()
}

impl<'a> Checks<'a> {
    fn new(workspace: &'a Workspace, environment: &Environment, arguments: &'a TestArguments, total: usize) -> Self {
        let (is_terminal, only) = (environment.is_terminal, arguments.only.as_deref());
        Self { workspace, is_terminal, only, steps: Steps::new(total) }
    }

    /// A named check, unless the person asked for others only.
    fn check(&mut self, name: &str, work: impl FnOnce(&Workspace) -> Result<()>) {
        if self.only.is_none_or(|wanted| name.contains(wanted)) {
            let workspace = self.workspace;
            self.steps.check(name, || work(workspace));
        }
    }

    /// What everything else stands on.
    fn prepare(&mut self) -> Result<()> {
        let (workspace, is_terminal) = (self.workspace, self.is_terminal);
        self.steps.step("system packages", || packages::install(workspace, Need::Tests, is_terminal))?;
        self.steps.step("Node packages", || {
            node::check_version()?;
            node::install(workspace, "ui", is_terminal)?;
            node::install(workspace, "tests", is_terminal)
        })?;
        self.steps.step("Python tools", || python::install(workspace, is_terminal))?;
        // The app embeds the built UI, so this comes before anything that compiles it, lints included.
        self.steps.step("build the UI", || node::build_ui(workspace, is_terminal))
    }

    /// Seconds each, so they come first.
    fn cheap(&mut self) {
        self.check("format", |workspace| {
            run(cargo_in_unlocked(workspace, "fmt").args(["--all", "--check"]))?;
            run(cargo_in_unlocked(workspace, "fmt").args(["--manifest-path", "fuzz/Cargo.toml", "--check"]))
        });
        self.check("layers", layers::check);
        self.check("unused dependencies", unused::check);
        self.check("UI lint", |workspace| run(&mut node::npm_in(&workspace.root.join("ui"), &["run", "lint"])));
        self.check("UI types", |workspace| run(&mut node::npm_in(&workspace.root.join("ui"), &["run", "check"])));
        self.check("UI tests", |workspace| run(&mut node::npm_in(&workspace.root.join("ui"), &["run", "test"])));
    }

    /// What compiles everything once more in another way.
    fn thorough(&mut self) {
        let is_terminal = self.is_terminal;
        self.check("clippy", |workspace| {
            let mut clippy = cargo_in(workspace, "clippy");
            run_cargo(clippy.args(["--workspace", "--all-targets", "--", "-D", "warnings"]), is_terminal)
        });
        self.check("documentation", |workspace| {
            let mut doc = cargo_in(workspace, "doc");
            run_cargo(doc.args(["--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-Dwarnings"), is_terminal)
        });
        self.check("native crates on other systems", |workspace| systems::check(workspace, is_terminal));
        if shell::find_program("cargo-deny").is_some() {
            self.check("licences and advisories", |workspace| run(cargo_in_unlocked(workspace, "deny").arg("check")));
        } else {
            self.steps.skip("licences and advisories", "cargo-deny is not installed");
        }
    }

    fn fuzz(&mut self, each: Duration) {
        let (name, is_terminal) = (fuzz::name(each), self.is_terminal);
        if cfg!(target_os = "linux") {
            self.check(&name, |workspace| fuzz::check(workspace, each, is_terminal));
        } else {
            self.steps.skip(&name, "tried on Linux only");
        }
    }

    fn tests(&mut self) -> Result<()> {
        let (workspace, is_terminal) = (self.workspace, self.is_terminal);
        self.steps.step("build programs and tests", || build::tests(workspace, is_terminal))?;
        self.check("generated types", types::check_built);
        self.check("Rust tests", |workspace| {
            let mut tests = cargo_in(workspace, "test");
            tests.args(EVERYTHING).arg("--no-fail-fast").env("PARLEY_PYTHON", python::interpreter(workspace));
            if let Some(archive) = android::archive(workspace, is_terminal) {
                tests.env("PARLEY_AGORA_ANDROID", archive);
            }
            run_cargo(&mut tests, is_terminal)
        });
        self.check("tests of the tasks", |workspace| {
            run_cargo(cargo_in(workspace, "test").args(["--package", "xtask"]), is_terminal)
        });
        if cfg!(target_os = "linux") {
            self.check("native tests under the address sanitizer", |workspace| {
                sanitizer::check(workspace, is_terminal)
            });
        } else {
            self.steps.skip("native tests under the address sanitizer", "the stand-in libraries are for Linux");
        }
        self.check("foreign clients", |workspace| run(&mut node_tests(workspace, "foreign")));
        self.check("API fuzzing", |workspace| fuzz_api(workspace, None));
        self.check("crashes", |workspace| crashes(workspace, None));
        self.fuzz(fuzz::SHORTLY);
        let clips = self.steps.step("video clips", || Ok(clip::fetch(workspace, is_terminal)))?;
        self.check("headless run", |workspace| headless_run(workspace, clips.as_ref(), None));
        let name = "headless run over Agora's interface (stand-in)";
        if cfg!(target_os = "linux") {
            self.check(name, |workspace| headless_run(workspace, clips.as_ref(), Some(&Library::stand_in(workspace)?)));
        } else {
            self.steps.skip(name, "the stand-in library is for Linux");
        }
        self.check("black box: the built app", |workspace| {
            install_driver(workspace, is_terminal)?;
            run(&mut black_box(workspace, clips.as_ref()))
        });
        let name = "black box: a call over Agora's interface (stand-in)";
        if cfg!(target_os = "linux") {
            self.check(name, |workspace| {
                install_driver(workspace, is_terminal)?;
                let mut black_box = black_box(workspace, clips.as_ref());
                Library::stand_in(workspace)?.hand_to(black_box.env("PARLEY_ENGINE", "agora"));
                run(&mut black_box)
            });
        } else {
            self.steps.skip(name, "the stand-in library is for Linux");
        }
        Ok(())
    }
}

/// `cargo fmt` and `cargo deny` do not know `--locked`.
fn cargo_in_unlocked(workspace: &Workspace, verb: &str) -> Command {
    let mut command = Command::new(crate::workspace::cargo());
    command.arg(verb).current_dir(&workspace.root);
    command
}

fn node_tests(workspace: &Workspace, script: &str) -> Command {
    let mut command = node::npm_in(&workspace.root.join("tests"), &["run", "--silent", script]);
    command
        .env("PARLEY_SERVER", workspace.program("parley-server"))
        .env("PARLEY_OUT", workspace.out(""))
        .env("PARLEY_PYTHON", python::interpreter(workspace))
        .env("PARLEY_EXAMPLES", workspace.program("examples"));
    command
}

/// schemathesis over the server's description as each role: that many calls an operation by a new seed, which is
/// printed, or what the script does by itself.
fn fuzz_api(workspace: &Workspace, examples: Option<u32>) -> Result<()> {
    let mut fuzzing = Command::new(python::interpreter(workspace));
    fuzzing.arg(workspace.root.join("tests/python/fuzz_api.py"));
    fuzzing.env("PARLEY_SERVER", workspace.program("parley-server")).env("PARLEY_OUT", workspace.out(""));
    if let Some(examples) = examples {
        fuzzing.env("PARLEY_FUZZ_EXAMPLES", examples.to_string()).env("PARLEY_FUZZ_SEED", "random");
    }
    run(&mut fuzzing)
}

/// The server killed at random moments, that often or as often as the harness says by itself.
fn crashes(workspace: &Workspace, rounds: Option<u32>) -> Result<()> {
    let mut crashes = node_tests(workspace, "crash");
    if let Some(rounds) = rounds {
        crashes.env("PARLEY_CRASH_ROUNDS", rounds.to_string());
    }
    run(&mut crashes)
}

fn headless_run(workspace: &Workspace, clips: Option<&Clips>, library: Option<&Library>) -> Result<()> {
    let data = workspace.out("test/headless");
    if data.exists() {
        std::fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    let mut headless = Command::new(workspace.program("parley-headless"));
    headless.arg("--server-program").arg(workspace.program("parley-server")).arg("--data-dir").arg(data);
    if let Some(clips) = clips {
        headless.arg("--clip").arg(&clips.client);
    }
    if let Some(library) = library {
        headless.args(["--engine", "agora", "--agora-sdk"]).arg(&library.folder);
        library.hand_to(&mut headless);
    }
    run(&mut headless)
}

/// The built app in two windows; each sends a clip, if there are any.
fn black_box(workspace: &Workspace, clips: Option<&Clips>) -> Command {
    let mut black_box = node_tests(workspace, "blackbox");
    black_box.env("PARLEY_APP", workspace.program("parley")).env("TAURI_DRIVER", driver(workspace));
    if let Some(clips) = clips {
        black_box.env("PARLEY_CLIENT_CLIP", &clips.client).env("PARLEY_PROVIDER_CLIP", &clips.provider);
    }
    black_box
}

fn driver(workspace: &Workspace) -> std::path::PathBuf {
    workspace.out("tools/bin").join(format!("tauri-driver{}", std::env::consts::EXE_SUFFIX))
}

fn install_driver(workspace: &Workspace, is_terminal: bool) -> Result<()> {
    if driver(workspace).exists() {
        return Ok(());
    }
    let mut install = Command::new(crate::workspace::cargo());
    install.args(["install", "--locked", "--version", TAURI_DRIVER, "--root"]).arg(workspace.out("tools"));
    // Unoptimised: it only passes requests on.
    install.arg("--debug").arg("tauri-driver").env("CARGO_TARGET_DIR", &workspace.target);
    run_quietly(&mut install, &workspace.out("logs/tauri-driver.log"), is_terminal)
}
