//! The state behind the commands.

use std::sync::{Arc, Mutex, PoisonError};

use parley_protocol::{
    Code,
    app::{
        AppError, AppEvent, Command, ConnectionState, ConnectionView, ProjectsView, SecretStore, SessionState,
        SessionView, Snapshot,
    },
};
use tokio::sync::broadcast;

use crate::{
    events::{AppEvents, BACKLOG},
    options::AppOptions,
};

pub(crate) struct Core {
    present: Arc<Mutex<Snapshot>>,
    events: Mutex<Option<broadcast::Sender<AppEvent>>>,
}

impl Core {
    pub(crate) async fn start(options: AppOptions) -> Result<Self, AppError> {
        tokio::fs::create_dir_all(&options.data_dir)
            .await
            .map_err(|error| AppError::new(Code::LocalStorage, format!("The app's folder can't be made: {error}.")))?;
        let session = SessionView {
            state: SessionState::SignedOut,
            user: None,
            server: options.server.clone(),
            profile: options.profile.clone(),
            secret_store: SecretStore::File,
            ended: None,
        };
        let present = Snapshot {
            session,
            connection: ConnectionView { state: ConnectionState::Offline, waiting: 0 },
            projects: ProjectsView { offers: Vec::new(), active: Vec::new(), past: Vec::new(), loaded: false },
            ring: None,
            call: None,
        };
        Ok(Self { present: Arc::new(Mutex::new(present)), events: Mutex::new(Some(broadcast::channel(BACKLOG).0)) })
    }

    pub(crate) async fn execute(&self, command: Command) -> Result<serde_json::Value, AppError> {
        match command {
            Command::Snapshot(_) => serde_json::to_value(&*self.present.lock().unwrap_or_else(PoisonError::into_inner))
                .map_err(|error| AppError::new(Code::Internal, error.to_string())),
            _ => Err(AppError::new(Code::Unauthenticated, "Nobody is signed in.")),
        }
    }

    pub(crate) fn events(&self) -> AppEvents {
        let sender = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = match sender.as_ref() {
            Some(sender) => sender.subscribe(),
            None => broadcast::channel(1).1,
        };
        let present = self.present.clone();
        AppEvents::new(receiver, Arc::new(move || present.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }

    pub(crate) async fn close(&self) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
