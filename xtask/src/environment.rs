//! What the environment says, read once.

use std::{
    env,
    io::IsTerminal,
    path::{Path, PathBuf},
};

pub(crate) struct Environment {
    /// Windows can be opened.
    pub(crate) has_display: bool,
    /// Processes of this session find each other over D-Bus already.
    pub(crate) has_session_bus: bool,
    /// Somebody watches: progress may redraw its line.
    pub(crate) is_terminal: bool,
    /// Cargo keeps what makes the next build faster.
    pub(crate) is_incremental: bool,
    /// The folder of a library of Agora's that the person has.
    pub(crate) agora_sdk: Option<PathBuf>,
    /// The server will find an App ID and its certificate.
    pub(crate) has_agora_credentials: bool,
}

impl Environment {
    pub(crate) fn read() -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let needs_display_variable = cfg!(all(unix, not(target_os = "macos")));
        let bus_socket = env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists());
        Self {
            has_display: !needs_display_variable || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"),
            has_session_bus: is_set("DBUS_SESSION_BUS_ADDRESS") || bus_socket,
            is_terminal: std::io::stderr().is_terminal(),
            is_incremental: env::var_os("CARGO_INCREMENTAL").is_none_or(|value| value != "0"),
            agora_sdk: env::var_os("AGORA_SDK_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from),
            has_agora_credentials: is_set("AGORA_APP_ID") && is_set("AGORA_APP_CERTIFICATE"),
        }
    }
}
