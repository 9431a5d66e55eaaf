//! What every handler shares.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use parley_domain::{MeetingId, Timestamp};
use parley_store::{
    SqliteOptions, SqliteStore, Store, StoreError,
    sqlite::{AtClose, pending_migrations},
};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::{
    attachments::Files,
    auth::{passwords::Passwords, sessions::Sessions},
    config::Config,
    data_dir::{self, DataLock, LockError},
    limits::Limits,
    listener::bounds::Bounds,
    metrics::Metrics,
    proxies::TrustedProxies,
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
    pub(crate) bounds: Arc<Bounds>,
    pub(crate) metrics: Metrics,
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
    /// Held by the one server of a data directory until its end.
    lock: Mutex<Option<DataLock>>,
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
    /// Another server, or a restore, works on the data directory.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// An interrupted restore can't be finished.
    #[error("the restore that was interrupted in {path} can't be finished")]
    Restore {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A server of an older version runs beside; its database is not changed under it.
    #[error(
        "the database has schema {found} and this program needs {known}, but a server of the older version runs: \
             stop it, then start this version's, which migrates"
    )]
    OlderServerRuns {
        /// What the file has.
        found: i32,
        /// What this program needs.
        known: i32,
    },
    /// This program made its keys here, and its database before them; that is gone now.
    #[error(
        "{path} is missing or empty, though this data directory was in use before: put the database back, or a backup \
             by `restore`; to begin anew, move everything in the directory away"
    )]
    DatabaseGone {
        /// Where it should be.
        path: PathBuf,
    },
    /// The secrets can't be read or made.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The database can't be opened.
    #[error("the database can't be opened")]
    Store(#[from] StoreError),
}

impl App {
    /// Opens the data directory to serve from it: makes it if need be, locks it, reads or makes the secrets, opens and
    /// migrates the database.
    ///
    /// Errors if one of these can't be done, or another server has it; nothing runs then.
    pub async fn open(config: Config) -> Result<AppState, OpenError> {
        make_data_dir(&config)?;
        let lock = data_dir::lock(&config.data_dir)?;
        finish_restore(&config)?;
        Self::open_store(config, AtClose::Checkpoint, Some(lock)).await
    }

    /// Opens the data directory for a command, also while a server runs on it.
    ///
    /// Errors as [`App::open`], and if an older server runs whose database this program would have to migrate.
    pub async fn open_beside(config: Config) -> Result<AppState, OpenError> {
        make_data_dir(&config)?;
        let is_restoring = data_dir::restore::is_interrupted(&config.data_dir);
        let pending = if is_restoring { None } else { pending_migrations(&config.database())? };
        // Neither may happen under a server; both are over when the store is open.
        let mut lock = None;
        if is_restoring || pending.is_some() {
            lock = Some(match (data_dir::lock(&config.data_dir), pending) {
                (Err(LockError::Held { .. }), Some((found, known))) => {
                    return Err(OpenError::OlderServerRuns { found, known });
                }
                (lock, _) => lock?,
            });
        }
        if is_restoring {
            finish_restore(&config)?;
        }
        let app = Self::open_store(config, AtClose::LeaveLog, None).await;
        drop(lock);
        app
    }

    async fn open_store(config: Config, at_close: AtClose, lock: Option<DataLock>) -> Result<AppState, OpenError> {
        let uploads = config.data_dir.join("uploads");
        let files = Files::open(uploads.clone()).map_err(|source| OpenError::DataDir { path: uploads, source })?;
        let path = config.database();
        // Otherwise everything would begin anew, and the uploads would be swept away as nobody's.
        if Secrets::were_made(&config) && fs::metadata(&path).map_or(true, |file| file.len() == 0) {
            return Err(OpenError::DatabaseGone { path });
        }
        let options = SqliteOptions { at_close, ..SqliteOptions::default() };
        let store = tokio::task::spawn_blocking(move || SqliteStore::open(path, &options))
            .await
            .map_err(|error| StoreError::Internal(error.to_string()))??;
        let store: Arc<dyn Store> = Arc::new(store);
        // Only now: keys say that the database was there.
        let secrets = Secrets::load(&config)?;
        let app = Self::assemble(config, store, secrets, files);
        *app.lock.lock().unwrap_or_else(PoisonError::into_inner) = lock;
        Ok(Arc::new(app))
    }

    fn assemble(config: Config, store: Arc<dyn Store>, secrets: Secrets, files: Files) -> Self {
        Self {
            limits: Limits::new(config.rate_limits),
            bounds: Arc::new(Bounds::new(config.rate_limits, TrustedProxies::new(config.trusted_proxies.clone()))),
            metrics: Metrics::new(&config),
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
            lock: Mutex::new(None),
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

    /// Lets the next server have the data directory.
    pub(crate) fn unlock(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The store, for the commands beside the server.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }
}

/// Makes the data directory if need be, and sees whether it can be written: SQLite only says that it can't open a file.
pub(crate) fn make_data_dir(config: &Config) -> Result<(), OpenError> {
    create_private_dir(&config.data_dir)
        .and_then(|()| data_dir::touch_lock(&config.data_dir))
        .map_err(|source| OpenError::DataDir { path: config.data_dir.clone(), source })
}

fn finish_restore(config: &Config) -> Result<(), OpenError> {
    data_dir::restore::finish(&config.data_dir)
        .map_err(|source| OpenError::Restore { path: config.data_dir.clone(), source })
}
