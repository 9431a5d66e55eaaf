//! The server of this run: one that we start, or one that is there.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
};

use crate::arguments::Arguments;

/// Between two looks at a server that is starting.
const LOOK_AGAIN: Duration = Duration::from_millis(15);
/// A server that listens opens its database in much less.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// The server's own limits for ending add up to less.
const END_WITHIN: Duration = Duration::from_secs(20);

/// A server that answers. One that we started ends with this.
pub(crate) struct Server {
    address: String,
    child: Option<Child>,
}

impl Server {
    /// Starts it (and makes the demo marketplace the first time) or looks for it, and waits until it is ready.
    pub(crate) async fn ready(arguments: &Arguments) -> Result<Self> {
        let server = match (&arguments.server, &arguments.server_program) {
            (Some(address), _) => Self { address: address.clone(), child: None },
            (None, Some(program)) => Self::start(program, &arguments.data_dir.join("server")).await?,
            (None, None) => bail!("give --server or --server-program"),
        };
        if let Some(plain) = server.address.strip_prefix("http://") {
            let authority = plain.trim_end_matches('/');
            let ready = async {
                while !is_ready(authority).await {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            };
            let is_ready = tokio::time::timeout(READY_WITHIN, ready).await;
            is_ready.with_context(|| format!("no server at {} says that it is ready", server.address))?;
        }
        Ok(server)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    async fn start(program: &Path, data: &Path) -> Result<Self> {
        fs::create_dir_all(data).with_context(|| format!("{} can't be made", data.display()))?;
        seed(program, data).await?;
        // Of an earlier run that was killed.
        let told: PathBuf = data.join("listen");
        if told.exists() {
            fs::remove_file(&told)?;
        }
        let log = fs::File::create(data.join("server.log"))?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} can't be started", program.display()))?;
        let address = loop {
            if let Some(address) =
                fs::read_to_string(&told).ok().and_then(|text| text.trim().parse::<SocketAddr>().ok())
            {
                break address;
            }
            if let Some(status) = child.try_wait()? {
                bail!("the server ended at once ({status}); see {}", data.join("server.log").display());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        Ok(Self { address: format!("http://{address}"), child: Some(child) })
    }

    /// Ends a server that we started and checks that it ends cleanly.
    pub(crate) async fn end(mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        ask_to_end(&mut child)?;
        let status = tokio::time::timeout(END_WITHIN, child.wait()).await.context("the server does not end")??;
        ensure!(status.success() || cfg!(not(unix)), "the server ended with {status}");
        Ok(())
    }
}

async fn seed(program: &Path, data: &Path) -> Result<()> {
    // Written after the seed: one that was interrupted is done again.
    let mark = data.join("demo-is-seeded");
    if mark.exists() {
        return Ok(());
    }
    let output = Command::new(program)
        .args(["seed", "demo", "--data-dir"])
        .arg(data)
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("{} can't be started", program.display()))?;
    ensure!(output.status.success(), "seed demo failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    fs::write(mark, "")?;
    Ok(())
}

#[cfg(unix)]
fn ask_to_end(child: &mut Child) -> Result<()> {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    let id = id.context("the server ended before it was asked to")?;
    rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
    Ok(())
}

#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) -> Result<()> {
    Ok(child.start_kill()?)
}

async fn is_ready(authority: &str) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(authority).await?;
        let request = format!("GET /health/ready HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        std::io::Result::Ok(&status == b"HTTP/1.1 200")
    };
    matches!(tokio::time::timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
}
