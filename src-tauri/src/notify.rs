//! A quiet word when something came while the window is not looked at.

use parley_protocol::app::{Delivery, MessageView};
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;

use crate::windows;

/// Tells of another person's message. Its words stay in the app: a lock screen is not the place for them.
pub(crate) fn on_message(app: &AppHandle, message: &MessageView) {
    let looked_at = app
        .get_webview_window(windows::MAIN)
        .is_some_and(|window| window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false));
    if message.delivery != Delivery::Received || looked_at {
        return;
    }
    if let Err(error) = app.notification().builder().title("Parley").body("You have a new message.").show() {
        tracing::debug!(%error, "the desktop shows no notifications");
    }
}
