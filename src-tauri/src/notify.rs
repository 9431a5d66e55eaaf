//! A quiet word when something came while the window is not looked at.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use parley_protocol::app::{Delivery, MessageView};
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;

use crate::windows;

/// A night's worth of messages that arrives at once is one word, not hundreds.
const QUIET_FOR: Duration = Duration::from_secs(5);

/// When the last word was said.
#[derive(Default)]
pub(crate) struct LastWord(Mutex<Option<Instant>>);

impl LastWord {
    fn may_speak(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may = last.is_none_or(|last| last.elapsed() >= QUIET_FOR);
        if may {
            *last = Some(Instant::now());
        }
        may
    }
}

/// Tells of another person's new message. Its words stay in the app: a lock screen is not the place for them.
pub(crate) fn on_message(app: &AppHandle, message: &MessageView) {
    let looked_at = app
        .get_webview_window(windows::MAIN)
        .is_some_and(|window| window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false));
    let is_new = message.message.as_ref().is_some_and(|row| row.edited_at.is_none() && row.deleted_at.is_none());
    if message.delivery != Delivery::Received || !is_new || looked_at || !app.state::<LastWord>().may_speak() {
        return;
    }
    if let Err(error) = app.notification().builder().title("Parley").body("You have a new message.").show() {
        tracing::debug!(%error, "the desktop shows no notifications");
    }
}
