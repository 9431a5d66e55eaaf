//! The one door from the windows to the app core.

use parley_app::App;
use parley_protocol::{
    Code,
    app::{AppError, Command},
};
use tauri::{State, WebviewWindow};

use crate::windows;

/// Runs a command of the UI. The ring window may only look and answer.
#[tauri::command]
pub(crate) async fn execute(
    window: WebviewWindow,
    core: State<'_, App>,
    command: Command,
) -> Result<serde_json::Value, AppError> {
    let answers_ring = matches!(command, Command::Snapshot(_) | Command::AcceptCall(_) | Command::DeclineCall(_));
    if window.label() == windows::RING && !answers_ring {
        return Err(AppError::new(Code::Forbidden, "The ring window can only answer the ring."));
    }
    let opens_call = matches!(command, Command::AcceptCall(_));
    let answer = core.execute(command).await;
    if opens_call && answer.is_ok() {
        windows::show_main(tauri::Manager::app_handle(&window));
    }
    answer
}
