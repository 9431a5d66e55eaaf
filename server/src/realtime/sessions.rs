//! Sign-ins that are ended by a command beside the server, such as `admin reset-password`: no call of this process did
//! it, so their sockets are looked up every little while, all of them in one statement.

use std::{collections::HashSet, time::Duration};

use parley_domain::SessionId;

use crate::state::AppState;

/// Works until it is dropped.
pub(crate) async fn run(app: AppState) {
    loop {
        tokio::time::sleep(app.config.timing.session_check.max(Duration::from_millis(1))).await;
        let devices = app.devices.all();
        let sessions: HashSet<SessionId> = devices.iter().map(|device| device.session).collect();
        if sessions.is_empty() {
            continue;
        }
        match app.store.ended_sessions(sessions.into_iter().collect()).await {
            Ok(ended) if ended.is_empty() => {}
            Ok(ended) => {
                app.sessions.forget();
                devices.iter().filter(|device| ended.contains(&device.session)).for_each(|device| device.dismiss());
            }
            Err(error) => tracing::warn!(%error, "the sockets' sessions could not be looked up"),
        }
    }
}
