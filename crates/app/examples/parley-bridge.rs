//! The app core behind a WebSocket, so that the UI runs in a plain browser: for tests and for work on the UI.
//!
//! One message is `{ "id": …, "command": { "name": …, "args": … } }`, its answer `{ "id": …, "ok": … }` or
//! `{ "id": …, "error": … }`; events come in between as they are. Prints its address as one JSON line. Whoever has the
//! address is the person: it listens on the loopback interface only and has a secret in its path.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use parley_app::{App, AppOptions, PresetSignIn, SecretPlace};
use parley_protocol::{
    Code,
    app::{AppError, Command},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
    },
};

#[derive(Parser)]
struct Options {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    bridge: u16,
    /// Keeps data and sign-in apart from those of other profiles.
    #[arg(long, default_value = "bridge")]
    profile: String,
    /// Where the profile keeps its files.
    #[arg(long)]
    data_dir: PathBuf,
    /// The server to propose at the sign-in.
    #[arg(long)]
    server: Option<String>,
    /// Sign in as this person.
    #[arg(long, requires_all = ["server", "password_file"])]
    sign_in: Option<String>,
    /// A file that holds the password for --sign-in.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// A video file that can stand in for the camera.
    #[arg(long)]
    clip: Option<PathBuf>,
    /// Where the UI is served from; only pages from there get in.
    #[arg(long, default_value = "http://127.0.0.1:5173")]
    origin: String,
    /// What to log, as tracing's filter directives.
    #[arg(long, default_value = "warn")]
    log: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    tracing_subscriber::fmt().with_env_filter(&options.log).with_writer(std::io::stderr).init();
    let sign_in = match (&options.server, options.sign_in, options.password_file) {
        (Some(server), Some(email), Some(password_file)) => {
            Some(PresetSignIn { server: server.clone(), email, password_file })
        }
        _ => None,
    };
    let app = App::start(AppOptions {
        server: options.server,
        sign_in,
        secrets: SecretPlace::File,
        video_file: options.clip,
        extra_origins: vec![options.origin.clone()],
        ..AppOptions::new(options.profile, options.data_dir)
    });
    let app = Arc::new(app.await.map_err(|error| anyhow::anyhow!(error.detail))?);
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.bridge))).await?;
    let path = format!("/{:032x}", rand::random::<u128>());
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", json!({ "bridge": format!("ws://{}{path}", listener.local_addr()?) }))?;
    stdout.flush()?;
    let mut pages = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.context("the bridge can't listen")?;
                let (app, path, origin) = (Arc::clone(&app), path.clone(), options.origin.clone());
                pages.spawn(async move {
                    if let Err(error) = serve(stream, &app, &path, &origin).await {
                        tracing::debug!(%error, "a page went");
                    }
                });
            }
            Some(_) = pages.join_next() => {}
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    app.close().await;
    Ok(())
}

#[derive(Deserialize)]
struct Asked {
    id: Value,
    command: Value,
}

#[allow(clippy::result_large_err, reason = "the shape is the library's")]
async fn serve(stream: TcpStream, app: &Arc<App>, path: &str, origin: &str) -> anyhow::Result<()> {
    let admit = |request: &Request, response: Response| {
        let from = request.headers().get("origin").and_then(|origin| origin.to_str().ok());
        if request.uri().path() == path && from == Some(origin) {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        Err(refusal)
    };
    let (mut to_page, mut from_page) = accept_hdr_async(stream, admit).await?.split();
    let mut events = app.events();
    let (answers, mut answered) = mpsc::channel::<Value>(64);
    // Commands run side by side, as the shell's do; they end with the page.
    let mut commands = JoinSet::new();
    loop {
        let said = tokio::select! {
            asked = from_page.next() => {
                let text = match asked {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    _ => return Ok(()),
                };
                let asked: Asked = serde_json::from_str(&text).context("not a question")?;
                let (app, answers) = (Arc::clone(app), answers.clone());
                commands.spawn(async move {
                    let answer = match execute(&app, asked.command).await {
                        Ok(ok) => json!({ "id": asked.id, "ok": ok }),
                        Err(error) => json!({ "id": asked.id, "error": error }),
                    };
                    // A page that went needs no answer.
                    let _ = answers.send(answer).await;
                });
                continue;
            }
            Some(answer) = answered.recv() => answer,
            event = events.next() => match event {
                Some(event) => serde_json::to_value(event)?,
                None => return Ok(()),
            },
            Some(_) = commands.join_next() => continue,
        };
        to_page.send(Message::text(said.to_string())).await?;
    }
}

async fn execute(app: &App, command: Value) -> Result<Value, AppError> {
    let command: Command =
        serde_json::from_value(command).map_err(|error| AppError::new(Code::Malformed, error.to_string()))?;
    app.execute(command).await
}
