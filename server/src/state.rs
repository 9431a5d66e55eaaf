//! What every handler shares.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parley_domain::{MeetingId, Timestamp};
use parley_store::{SqliteOptions, SqliteStore, Store, StoreError};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::{
    attachments::Files,
    auth::{passwords::Passwords, sessions::Sessions},
    config::Config,
    limits::Limits,
    realtime::{calls::Calls, devices::Devices, typing::Typing},
    secrets::{Secrets, SecretsError, create_private_dir},
    timers::Timers,
};

/// The running server's shared state; cheap to clone.
pub type AppState = Arc<App>;

/// Everything that handlers, sockets and timers work with.
pub struct App {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) secrets: Secrets,
    pub(crate) files: Files,
    pub(crate) limits: Limits,
    pub(crate) passwords: Passwords,
    pub(crate) sessions: Sessions,
    pub(crate) devices: Devices,
    pub(crate) calls: Calls,
    pub(crate) typing: Typing,
    /// Unanswered calls.
    pub(crate) rings: Timers<MeetingId>,
    /// Active meetings that nobody is in.
    pub(crate) absences: Timers<MeetingId>,
    /// Wakes the task that waits for the next due row.
    pub(crate) due_changed: Notify,
    /// Wakes the task that sends mails.
    pub(crate) mail_changed: Notify,
    /// Sockets that went and are still being cleared away.
    pub(crate) farewells: TaskTracker,
    is_draining: AtomicBool,
}

/// The server can't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory can't be made.
    #[error("the data directory {path} can't be used")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The secrets can't be read or made.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The database can't be opened.
    #[error("the database can't be opened")]
    Store(#[from] StoreError),
}

impl App {
    /// Opens the data directory: makes it if need be, reads or makes the secrets, opens and migrates the database.
    ///
    /// Errors if one of these can't be done; nothing runs then.
    pub async fn open(config: Config) -> Result<AppState, OpenError> {
        create_private_dir(&config.data_dir)
            .map_err(|source| OpenError::DataDir { path: config.data_dir.clone(), source })?;
        let secrets = Secrets::load(&config)?;
        let uploads = config.data_dir.join("uploads");
        let files = Files::open(uploads.clone()).map_err(|source| OpenError::DataDir { path: uploads, source })?;
        let path = config.database();
        let store = tokio::task::spawn_blocking(move || SqliteStore::open(path, &SqliteOptions::default()))
            .await
            .map_err(|error| StoreError::Internal(error.to_string()))??;
        let store: Arc<dyn Store> = Arc::new(store);
        Ok(Arc::new(Self::assemble(config, store, secrets, files)))
    }

    fn assemble(config: Config, store: Arc<dyn Store>, secrets: Secrets, files: Files) -> Self {
        Self {
            limits: Limits::new(config.rate_limits),
            passwords: Passwords::new(config.rate_limits),
            sessions: Sessions::default(),
            devices: Devices::default(),
            calls: Calls::default(),
            typing: Typing::default(),
            rings: Timers::default(),
            absences: Timers::default(),
            due_changed: Notify::new(),
            mail_changed: Notify::new(),
            farewells: TaskTracker::new(),
            is_draining: AtomicBool::new(false),
            config,
            store,
            secrets,
            files,
        }
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// Whether the server is stopping.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// From now on `/health/ready` says no and no socket is let in.
    pub(crate) fn start_draining(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// The store, for the commands beside the server.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }
}
