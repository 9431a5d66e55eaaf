//! The two windows: the main one, and the small one that rings.

use tauri::{
    AppHandle, Manager, Runtime, Webview, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Window, WindowEvent,
};

use crate::options::Options;

pub(crate) const MAIN: &str = "main";
pub(crate) const RING: &str = "ring";

/// What closing the main window does.
pub(crate) struct CloseBehaviour {
    /// It stays in the tray, so that it can ring.
    pub(crate) hides: bool,
}

/// Opens the main window.
pub(crate) fn open_main(app: &AppHandle, options: &Options) -> tauri::Result<()> {
    let title = match options.profile.as_str() {
        "default" => "Parley".to_owned(),
        profile => format!("Parley — {profile}"),
    };
    let mut builder = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default()).title(title);
    builder = match options.place {
        Some(place) => builder.inner_size(place.width, place.height).position(place.x, place.y),
        None => builder.inner_size(1280.0, 800.0),
    };
    builder.min_inner_size(480.0, 480.0).build()?;
    Ok(())
}

/// Brings the main window to the front.
pub(crate) fn show_main<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the main window can't be brought to the front");
    }
}

/// Opens the ring window (without taking what is being typed elsewhere), or closes it.
pub(crate) fn show_ring(app: &AppHandle, rings: bool) {
    let done = match (app.get_webview_window(RING), rings) {
        (Some(window), false) => window.destroy(),
        (None, true) => WebviewWindowBuilder::new(app, RING, WebviewUrl::App("index.html#/ring".into()))
            .title("Parley — incoming call")
            .inner_size(380.0, 232.0)
            .resizable(false)
            .maximizable(false)
            .minimizable(false)
            .always_on_top(true)
            .visible_on_all_workspaces(true)
            .skip_taskbar(true)
            .focused(false)
            .center()
            .build()
            .and_then(|window| listen_to_keys(&window)),
        _ => Ok(()),
    };
    if let Err(error) = done {
        tracing::error!(%error, rings, "the ring window can't be opened or closed");
    }
}

/// Gives the page the focus within its window, which stays behind what is being typed in. On Linux a window that was
/// opened without focus keeps its keys to itself otherwise, even when the person turns to it.
fn listen_to_keys(window: &WebviewWindow) -> tauri::Result<()> {
    let page: &Webview = window.as_ref();
    if cfg!(target_os = "linux") { page.set_focus() } else { Ok(()) }
}

/// Closing the main window hides it where a tray icon brings it back, and ends the app otherwise.
pub(crate) fn on_event<R: Runtime>(window: &Window<R>, event: &WindowEvent) {
    if window.label() != MAIN {
        return;
    }
    match event {
        WindowEvent::CloseRequested { api, .. } if window.state::<CloseBehaviour>().hides => {
            api.prevent_close();
            if let Err(error) = window.hide() {
                tracing::warn!(%error, "the main window can't be hidden");
            }
        }
        WindowEvent::Destroyed => window.app_handle().exit(0),
        _ => {}
    }
}
