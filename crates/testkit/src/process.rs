//! A server in a process of its own, for tests that kill it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

use crate::PATIENCE;

/// `parley-server` as a process. Killed when it is dropped.
pub struct ServerProcess {
    program: PathBuf,
    data_dir: PathBuf,
    address: SocketAddr,
    child: Child,
}

impl ServerProcess {
    /// Seeds the demo marketplace into that data directory and serves it on a free port.
    ///
    /// # Errors
    /// When the program can't be run or does not answer in time.
    pub async fn start(program: &Path, data_dir: &Path) -> anyhow::Result<Self> {
        let seeded = Command::new(program)
            .args(["--log", "warn", "--data-dir"])
            .arg(data_dir)
            .args(["seed", "demo"])
            .stdout(Stdio::null())
            .status()
            .context("the server's program can't be run")?;
        ensure!(seeded.success(), "seeding failed: {seeded}");
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let child = serve(program, data_dir, address)?;
        let mut server = Self { program: program.to_owned(), data_dir: data_dir.to_owned(), address, child };
        server.until_it_listens().await?;
        Ok(server)
    }

    /// `http://127.0.0.1:PORT`, the same over all its lives.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it at once, as SIGKILL does: nothing is flushed, nobody is told.
    ///
    /// # Errors
    /// When the system doesn't let us.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Serves again on the same data and the same address.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = serve(&self.program, &self.data_dir, self.address)?;
        self.until_it_listens().await
    }

    async fn until_it_listens(&mut self) -> anyhow::Result<()> {
        let give_up = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended: {status}");
            }
            ensure!(Instant::now() < give_up, "the server does not listen");
            sleep(std::time::Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn serve(program: &Path, data_dir: &Path, address: SocketAddr) -> anyhow::Result<Child> {
    Command::new(program)
        .args(["--log", "warn", "--rate-limits", "off", "--listen", &address.to_string(), "--data-dir"])
        .arg(data_dir)
        .arg("serve")
        .stdout(Stdio::null())
        .spawn()
        .context("the server's program can't be run")
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.kill();
    }
}
