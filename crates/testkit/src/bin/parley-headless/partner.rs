//! The provider's process, as the client's sees it.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    arguments::Arguments,
    talk::{self, Ask},
};

/// An answer that takes longer does not come; less than a step may take, so that the step says which.
const ANSWER_WITHIN: Duration = Duration::from_secs(25);
/// The time in which a process ends that has nothing more to do.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A second process of this program that plays the provider. It ends with its standard input, so with us.
pub(crate) struct Partner {
    child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Partner {
    /// Starts it. It does nothing by itself.
    pub(crate) fn start(arguments: &Arguments, server: &str) -> Result<Self> {
        let program = std::env::current_exe().context("this program's file is unknown")?;
        let mut command = Command::new(program);
        command.args(arguments.for_partner(server));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("the provider's process can't be started")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (asks, answers) = pipes.context("the provider's process has no pipes")?;
        Ok(Self { child, asks, answers: BufReader::new(answers).lines() })
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&mut self, ask: Ask) -> Result<T> {
        let exchange = async {
            let mut line = serde_json::to_vec(&ask)?;
            line.push(b'\n');
            self.asks.write_all(&line).await?;
            anyhow::Ok(self.answers.next_line().await?)
        };
        let answer = tokio::time::timeout(ANSWER_WITHIN, exchange).await;
        let answer = answer.with_context(|| format!("the provider's process does not answer {ask:?}"))?;
        // A pipe that broke and an end without an answer mean the same.
        let Some(line) = answer.unwrap_or_default() else {
            bail!("the provider's process ended ({})", self.ended().await)
        };
        talk::from_line(&line).context("the provider's process")
    }

    /// Lets it end, and checks that it ends cleanly.
    pub(crate) async fn end(mut self) -> Result<()> {
        drop(self.asks);
        let status = tokio::time::timeout(END_WITHIN, self.child.wait()).await;
        let status = status.context("the provider's process does not end")??;
        ensure!(status.success(), "the provider's process ended with {status}");
        Ok(())
    }

    async fn ended(&mut self) -> String {
        match tokio::time::timeout(END_WITHIN, self.child.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            _ => "and is still there".to_owned(),
        }
    }
}
