//! The desktop shell: windows, tray, notifications. What a command does stands in the app core.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod notify;
mod options;
mod picker;
mod tray;
mod windows;

use std::io::IsTerminal;

use anyhow::Context as _;
use clap::Parser as _;
use parley_app::App;
use parley_protocol::app::AppEvent;
use tauri::{Emitter, Manager, RunEvent};
use tracing_subscriber::EnvFilter;

use crate::options::Options;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(library) = &options.try_agora_library {
        println!("{}", parley_app::answer_of_loading(library));
        return Ok(());
    }
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&options.log))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();

    #[expect(clippy::disallowed_methods, reason = "the macro's own code for a broken bundle")]
    let mut context = tauri::generate_context!();
    // Each profile is an app of its own to the system: data folder, web view store, instance lock.
    context.config_mut().identifier = options.identifier();

    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| windows::show_main(app)))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_window_state::Builder::default().with_denylist(&[windows::RING]).build())
        .invoke_handler(tauri::generate_handler![commands::execute])
        .setup(move |app| {
            let data_dir = match &options.data_dir {
                Some(dir) => dir.clone(),
                None => app.path().app_local_data_dir()?,
            };
            let shared_dir = app.path().local_data_dir()?.join(options::IDENTIFIER);
            let options_of_app = options.app_options(data_dir, shared_dir, picker::picker(app.handle().clone()));
            let core = tauri::async_runtime::block_on(App::start(options_of_app))
                .map_err(|error| anyhow::anyhow!(error.detail))?;
            let events = core.events();
            app.manage(core);
            app.manage(notify::LastWord::default());
            windows::open_main(app.handle(), &options)?;
            let in_tray = !options.quit_on_close && tray::show(app.handle());
            app.manage(windows::CloseBehaviour { hides: in_tray });
            tauri::async_runtime::spawn(forward(app.handle().clone(), events));
            tauri::async_runtime::spawn(end_when_told(app.handle().clone()));
            Ok(())
        })
        .on_window_event(windows::on_event)
        .build(context)
        .context("the window system can't be used")?
        .run(|app, event| {
            if let RunEvent::Exit = event {
                let core = app.state::<App>();
                tauri::async_runtime::block_on(core.close());
            }
        });
    Ok(())
}

/// Carries what the app core tells to every window, and does the part of it that only the shell can.
async fn forward(app: tauri::AppHandle, mut events: parley_app::AppEvents) {
    while let Some(event) = events.next().await {
        match &event {
            AppEvent::Ring(ring) => windows::show_ring(&app, ring.is_some()),
            AppEvent::Message(message) => notify::on_message(&app, message),
            _ => {}
        }
        if let Err(error) = app.emit("app-event", &event) {
            tracing::warn!(%error, "an event did not reach the windows");
        }
    }
}

/// Ends the app as its menu does when the session or a terminal ends it, so that a running call is left politely.
async fn end_when_told(app: tauri::AppHandle) {
    #[cfg(unix)]
    let told = async {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    };
    #[cfg(not(unix))]
    let told = std::future::pending::<()>();
    tokio::select! {
        () = told => {}
        interrupted = tokio::signal::ctrl_c() => if interrupted.is_err() { return },
    }
    app.exit(0);
}
