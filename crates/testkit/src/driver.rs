//! A client and its events, driven by a test.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use parley_client::{
    Client, ClientEvent, ClientOptions, Credentials, Events, MemorySecrets, ProjectRow, SecretStore, Timing,
};
use parley_domain::{ConversationId, Message, ProjectStatus};
use tokio::time::timeout;

use crate::PATIENCE;

/// The demo's client.
pub const CLIENT: &str = "client@demo.test";
/// The demo's provider.
pub const PROVIDER: &str = "provider@demo.test";
/// The password of both.
pub const PASSWORD: &str = "parley-demo";

/// A signed-in client and the events that were not looked at yet.
pub struct Driver {
    /// The client.
    pub client: Client,
    /// Its events from the beginning.
    pub events: Events,
    /// Outlives the client, as a keyring does.
    pub secrets: Arc<dyn SecretStore>,
}

impl Driver {
    /// Signs a person of the demo in.
    ///
    /// # Errors
    /// When the server refuses or can't be reached.
    pub async fn sign_in(server: &str, email: &str, data_dir: &Path) -> anyhow::Result<Self> {
        let secrets: Arc<dyn SecretStore> = Arc::new(MemorySecrets::default());
        let credentials = Credentials {
            server: server.to_owned(),
            allow_plain_http: false,
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let client = Client::sign_in(options(data_dir, Arc::clone(&secrets)), credentials).await?;
        Ok(Self { events: client.events(), client, secrets })
    }

    /// Goes on with what an earlier client left: its folder and its secrets.
    ///
    /// # Errors
    /// When nothing was left.
    pub async fn restore(data_dir: &Path, secrets: Arc<dyn SecretStore>) -> anyhow::Result<Self> {
        let restored = Client::restore(options(data_dir, Arc::clone(&secrets))).await?;
        let client = restored.context("there is no session")?;
        Ok(Self { events: client.events(), client, secrets })
    }

    /// Waits for the first event that `wanted` makes something of.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&ClientEvent) -> Option<T>,
    ) -> anyhow::Result<T> {
        let found = async {
            while let Some(event) = self.events.next().await {
                if let Some(found) = wanted(&event) {
                    return Ok(found);
                }
            }
            Err(anyhow!("the client is gone"))
        };
        timeout(PATIENCE, found).await.with_context(|| format!("{what} did not come"))?
    }

    /// Waits for the next message of a conversation.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn next_message(&mut self, conversation: ConversationId) -> anyhow::Result<Message> {
        self.until("a message", |event| match event {
            ClientEvent::Message(message) if message.conversation_id == conversation => Some((**message).clone()),
            _ => None,
        })
        .await
    }

    /// The active project of the demo, once everything is loaded.
    ///
    /// # Errors
    /// When the line does not come up in time or there is no such project.
    pub async fn active_project(&self) -> anyhow::Result<ProjectRow> {
        timeout(PATIENCE, self.client.connected()).await.context("the line did not come up")??;
        let projects = self.client.cache().run(|db| db.projects()).await?;
        projects.into_iter().find(|row| row.project.status == ProjectStatus::Active).context("no active project")
    }

    /// Waits until the outbox is empty.
    ///
    /// # Errors
    /// When it does not become so in time.
    pub async fn all_sent(&mut self) -> anyhow::Result<()> {
        loop {
            if self.client.cache().run(|db| db.outbox_waiting()).await? == 0 {
                return Ok(());
            }
            self.until("an arrival", |event| matches!(event, ClientEvent::OutboxGone { .. }).then_some(())).await?;
        }
    }
}

/// Short delays, so that a test that cuts lines does not wait for people's patience.
fn options(data_dir: &Path, secrets: Arc<dyn SecretStore>) -> ClientOptions {
    let timing = Timing {
        request: Duration::from_secs(5),
        first_backoff: Duration::from_millis(20),
        longest_backoff: Duration::from_millis(300),
        ..Timing::default()
    };
    ClientOptions { timing, ..ClientOptions::new(data_dir, secrets) }
}
