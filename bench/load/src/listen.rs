//! Somebody's socket, watched: every message of the conversation must come once and in order.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    http::Connection,
    socket::{Socket, seq_of},
};

/// How long the last events may take once the last call is answered.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Listener {
    last: watch::Receiver<u64>,
    task: JoinHandle<Result<()>>,
}

impl Listener {
    /// Connects and goes on listening; `on_message` is told the number of each message that comes.
    pub(crate) async fn start(
        address: SocketAddr,
        token: &str,
        last_seq: u64,
        mut on_message: impl FnMut(u64) + Send + 'static,
    ) -> Result<Self> {
        let mut socket = Socket::connect(address, token).await?;
        let (heard, last) = watch::channel(last_seq);
        let task = tokio::spawn(async move {
            let mut expected = last_seq + 1;
            loop {
                let seq = seq_of(socket.next_message().await?)?;
                ensure!(seq == expected, "message {seq} came where {expected} was due");
                on_message(seq);
                heard.send_replace(seq);
                expected += 1;
            }
        });
        Ok(Self { last, task })
    }

    /// Waits until message `seq` has come, and ends.
    ///
    /// Errors if a message was lost, doubled or out of order.
    pub(crate) async fn finish(mut self, seq: u64) -> Result<()> {
        let heard = self.last.wait_for(|last| *last >= seq);
        let heard = tokio::time::timeout(PATIENCE, heard).await.map(|heard| heard.map(|last| *last));
        match heard {
            Ok(Ok(last)) => {
                self.task.abort();
                ensure!(last == seq, "{last} was heard, only {seq} was written");
                Ok(())
            }
            // The task has ended, so it has a reason.
            Ok(Err(_)) => self.task.await?.context("a socket failed"),
            Err(_) => bail!("{} was heard, {seq} was written", *self.last.borrow()),
        }
    }
}

/// The number of the newest message, 0 without any.
pub(crate) async fn last_seq(connection: &mut Connection, token: &str, conversation: &str) -> Result<u64> {
    let path = format!("/api/v1/messages/conversation/{conversation}?limit=1");
    let page: Value = serde_json::from_slice(connection.get(&path, token).await?.expect(200)?)?;
    Ok(page["items"][0]["seq"].as_u64().unwrap_or(0))
}
