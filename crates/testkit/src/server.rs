//! A server inside the test's process.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use anyhow::Context as _;
use parley_server::{
    App, Config,
    config::{Switch, Timing},
    seed, serve_app,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// The demo marketplace on a free port of the loopback interface, without rate limits. Ends when it is dropped.
pub struct TestServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl TestServer {
    /// Serves from that data directory.
    ///
    /// # Errors
    /// When the directory or the port can't be used.
    pub async fn start(data_dir: &Path) -> anyhow::Result<Self> {
        Self::start_at(data_dir, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Timing::default()).await
    }

    /// Serves from that data directory on that address, with those spans of time.
    ///
    /// # Errors
    /// When the directory or the address can't be used.
    pub async fn start_at(data_dir: &Path, listen: SocketAddr, timing: Timing) -> anyhow::Result<Self> {
        Self::start_with(Config { timing, ..Config::new(data_dir) }, listen).await
    }

    /// Serves as configured, but without rate limits, on that address.
    ///
    /// # Errors
    /// When the directory or the address can't be used.
    pub async fn start_with(config: Config, listen: SocketAddr) -> anyhow::Result<Self> {
        let config = Config { rate_limits: Switch::Off, ..config };
        let listener = TcpListener::bind(listen).await.context("the address is taken")?;
        let address = listener.local_addr()?;
        let app = App::open(config).await?;
        seed::demo(&app).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let task = tokio::spawn(async move { Ok(serve_app(app, listener, shutdown).await?) });
        Ok(Self { address, stop: Some(stop), task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it as SIGTERM does, and waits until its database is closed.
    ///
    /// # Errors
    /// When it did not end cleanly.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stop.take());
        (&mut self.task).await?
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
