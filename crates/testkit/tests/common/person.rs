//! An app core that a test drives as the UI would.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use parley_app::{App, AppEvents, AppOptions, PresetSignIn, SecretPlace};
use parley_protocol::{
    app::{AppError, AppEvent, CallView, Command, ConnectionState, MessageView, Nothing, ProjectsView, Snapshot},
    frames::HEADER_LEN,
};
use parley_testkit::{PASSWORD, PATIENCE};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

/// One app core and what it tells.
pub(crate) struct Person {
    pub(crate) app: App,
    events: AppEvents,
}

impl Person {
    pub(crate) async fn start(dir: &Path, server: &str, email: &str) -> Self {
        Self::open(Self::options(dir, server, email)).await
    }

    /// Signs in by itself; its files lie in `dir`.
    pub(crate) fn options(dir: &Path, server: &str, email: &str) -> AppOptions {
        let password_file = dir.join("password");
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(&password_file, format!("{PASSWORD}\n")).unwrap();
        AppOptions {
            server: Some(server.to_owned()),
            sign_in: Some(PresetSignIn { server: server.to_owned(), email: email.to_owned(), password_file }),
            secrets: SecretPlace::File,
            ..AppOptions::new("test", dir.join("profile"))
        }
    }

    pub(crate) async fn open(options: AppOptions) -> Self {
        let app = App::start(options).await.unwrap();
        Self { events: app.events(), app }
    }

    pub(crate) async fn run<T: DeserializeOwned>(&self, command: Command) -> Result<T, AppError> {
        self.app.execute(command).await.map(|answer| serde_json::from_value(answer).unwrap())
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        self.run(Command::Snapshot(Nothing {})).await.unwrap()
    }

    /// Waits for the first event that `wanted` makes something of.
    pub(crate) async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(AppEvent) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = wanted(self.events.next().await.expect("the app is open")) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{what} did not come"))
    }

    /// Waits until the snapshot is as wanted; looks again at every event.
    pub(crate) async fn sees<T>(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> Option<T>) -> T {
        let seen = async {
            loop {
                if let Some(seen) = wanted(&self.snapshot().await) {
                    return seen;
                }
                self.events.next().await.expect("the app is open");
            }
        };
        timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{what} was not seen"))
    }

    pub(crate) async fn ready(&mut self) -> ProjectsView {
        self.sees("the list", |now| {
            let is_up = now.connection.state == ConnectionState::Connected && now.projects.loaded;
            is_up.then(|| now.projects.clone())
        })
        .await
    }

    pub(crate) async fn message(&mut self, what: &str, wanted: impl Fn(&MessageView) -> bool) -> MessageView {
        self.until(what, |event| match event {
            AppEvent::Message(view) if wanted(&view) => Some(view),
            _ => None,
        })
        .await
    }

    pub(crate) async fn call_is(&mut self, what: &str, wanted: impl Fn(&CallView) -> bool) -> CallView {
        let seen = async {
            loop {
                if let Some(call) = self.snapshot().await.call.filter(&wanted) {
                    return call;
                }
                self.events.next().await.expect("the app is open");
            }
        };
        let seen = timeout(PATIENCE, seen).await;
        let Ok(call) = seen else { panic!("{what} was not seen; the call is {:?}", self.snapshot().await.call) };
        call
    }
}

/// Stream, width and height of the pictures that a window gets, until there was one of each stream.
pub(crate) async fn pictures(url: &str) -> Result<BTreeSet<(u8, u32, u32)>> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("origin", "tauri://localhost".parse()?);
    let (mut viewer, _) = tokio_tungstenite::connect_async(request).await?;
    let mut seen: BTreeSet<(u8, u32, u32)> = BTreeSet::new();
    while seen.iter().map(|(stream, ..)| stream).collect::<BTreeSet<_>>().len() < 2 {
        let message = timeout(PATIENCE, viewer.next()).await?.context("the pictures ended")??;
        let Message::Binary(bytes) = message else { continue };
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let (width, height) = (number(8), number(12));
        ensure!(bytes.len() == HEADER_LEN + (width * height) as usize * 3 / 2, "an odd picture");
        seen.insert((bytes[4], width, height));
        viewer.send(Message::binary(bytes[16..24].to_vec())).await?;
    }
    Ok(seen)
}
