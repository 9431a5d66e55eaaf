//! `serve`: until a signal says otherwise.

use std::pin::pin;

use anyhow::{Context, bail};
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot};

use super::print;
use crate::{App, Config, serve_app};

/// Serves until SIGTERM or Ctrl-C, then ends cleanly; a second signal ends it at once.
pub(super) async fn serve(config: Config) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("{} can't be listened on", config.listen))?;
    let address = listener.local_addr()?;
    let app = App::open(config).await?;
    print(&json!({ "listening": address.to_string() }))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = pin!(serve_app(app, listener, async move { drop(stopped.await) }));
    tokio::select! {
        ended = serving.as_mut() => return Ok(ended?),
        () = signals.next() => {}
    }
    drop(stop);
    tokio::select! {
        ended = serving => Ok(ended?),
        () = signals.next() => bail!("ended at once by a second signal; what was answered is on disk"),
    }
}

/// SIGTERM and Ctrl-C.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("signals can't be listened to");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
