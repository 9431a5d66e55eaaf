//! `cargo xtask run`: the server with the demo marketplace and two signed-in windows.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    Engine, RunArguments,
    agora::Library,
    build,
    children::{Children, supervised},
    clip,
    environment::Environment,
    network, node,
    packages::{self, Need},
    shell,
    steps::Steps,
    workspace::Workspace,
};

/// The demo marketplace's accounts, as `parley-server seed demo` makes them, and where their windows first open.
const PEOPLE: [(&str, &str, &str); 2] =
    [("client", "client@demo.test", "40,40,1180,760"), ("provider", "provider@demo.test", "160,140,1180,760")];
const DEMO_PASSWORD: &str = "parley-demo";
const READY_WITHIN: Duration = Duration::from_secs(30);

pub(crate) fn run(workspace: &Workspace, environment: &Environment, arguments: &RunArguments) -> Result<()> {
    let is_terminal = environment.is_terminal;
    let mut steps = Steps::new(if arguments.engine == Engine::Agora { 8 } else { 7 });
    steps.step("system packages", || packages::install(workspace, Need::Windows, is_terminal))?;
    steps.step("UI packages", || {
        node::check_version()?;
        node::install(workspace, "ui", is_terminal)
    })?;
    steps.step("build the UI", || node::build_ui(workspace, is_terminal))?;
    steps.step("build the server and the app", || build::windows(workspace, is_terminal))?;
    let clips = steps.step("video clips in place of cameras", || Ok(clip::fetch(workspace, is_terminal)))?;
    let library = Library::of_run(arguments.engine, workspace, environment, &mut steps)?;

    let data = workspace.out("run");
    if arguments.fresh {
        for part in ["server", "client", "provider"] {
            remove(&data.join(part))?;
        }
    }
    let mut children = Children::new()?;
    let port = steps
        .step("start the server", || start_server(workspace, &data.join("server"), library.as_ref(), &mut children))?;
    let bus = if environment.has_session_bus { None } else { start_bus(&mut children) };
    steps.step("open the windows", || {
        let password = data.join("demo-password");
        fs::write(&password, DEMO_PASSWORD)?;
        for (profile, email, place) in PEOPLE {
            let folder = data.join(profile);
            let is_first_time = !folder.exists();
            let mut app = supervised(&workspace.program("parley"));
            app.args(["--profile", profile, "--server", &format!("http://127.0.0.1:{port}"), "--sign-in", email])
                .arg("--password-file")
                .arg(&password)
                .arg("--data-dir")
                .arg(folder)
                // One for both, where `cargo xtask agora-sdk` puts it.
                .arg("--library-dir")
                .arg(&data)
                .arg("--quit-on-close")
                // Without a graphics driver the accelerated path of the web view shows nothing.
                .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
            if is_first_time {
                app.args(["--place", place]);
            }
            if let Some(clips) = &clips {
                app.arg("--clip").arg(if profile == "client" { &clips.client } else { &clips.provider });
            }
            if let Some(bus) = &bus {
                app.env("DBUS_SESSION_BUS_ADDRESS", bus);
            }
            if let Some(library) = &library {
                library.hand_to(&mut app);
            }
            children.spawn_logged(profile, &mut app, &workspace.out(&format!("logs/{profile}.log")))?;
        }
        Ok(())
    })?;
    eprintln!("Parley is open twice, as the client and as the provider. Close both windows or press Ctrl-C to end.");
    let failed = children.wait_for(&PEOPLE.map(|(profile, ..)| profile))?;
    eprintln!("ending");
    if !failed.is_empty() && !children.is_interrupted() {
        bail!("{}; see {}", failed.join(", "), workspace.out("logs").display());
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn start_server(workspace: &Workspace, data: &Path, library: Option<&Library>, children: &mut Children) -> Result<u16> {
    let program = workspace.program("parley-server");
    fs::create_dir_all(data)?;
    // A mark of ours, written after the seed: a seed that was interrupted is done again.
    let seeded: PathBuf = data.join("demo-is-seeded");
    if !seeded.exists() {
        let mut seed = Command::new(&program);
        seed.args(["seed", "demo", "--data-dir"]).arg(data);
        shell::run_quietly(&mut seed, &workspace.out("logs/seed.log"), false)?;
        fs::write(&seeded, "")?;
    }
    let port = network::free_port()?;
    let mut serve = supervised(&program);
    serve.arg("serve").arg("--listen").arg(format!("127.0.0.1:{port}")).arg("--data-dir").arg(data);
    if let Some(library) = library {
        library.hand_to(&mut serve);
    }
    let log = workspace.out("logs/server.log");
    children.spawn_logged("the server", &mut serve, &log)?;
    let is_ready = children
        .wait_until(READY_WITHIN, || network::is_ready(port))
        .with_context(|| format!("the server is not ready; see {}", log.display()))?;
    if is_ready { Ok(port) } else { bail!("interrupted") }
}

/// A message bus for this run where the session has none: the apps use it to find an earlier copy of themselves.
fn start_bus(children: &mut Children) -> Option<String> {
    let daemon = shell::find_program("dbus-daemon")?;
    let mut command = supervised(&daemon);
    command.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
    let (reader, writer) = std::io::pipe().ok()?;
    children.spawn("the message bus", command.stdout(writer).stderr(Stdio::null())).ok()?;
    drop(command);
    let mut address = String::new();
    BufReader::new(reader).read_line(&mut address).ok()?;
    let address = address.trim().to_owned();
    if address.is_empty() { None } else { Some(address) }
}
