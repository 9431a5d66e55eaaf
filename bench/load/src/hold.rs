//! Many people who are connected and silent.

use std::{io::Write, time::Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, task::JoinSet};

use crate::{Server, people::People, socket::Socket};

/// The accept queue of a listening socket is short.
const CONNECTING_AT_ONCE: usize = 32;

pub(crate) async fn run(server: &Server, sockets: usize) -> Result<Value> {
    let people = People::read(&server.people)?;
    let tokens = people.tokens.get(..sockets).context("the server was seeded with fewer people")?;
    let begun = Instant::now();
    let mut held = JoinSet::new();
    for some in tokens.chunks(CONNECTING_AT_ONCE) {
        let mut connecting = JoinSet::new();
        for token in some {
            let (address, token) = (server.address, token.clone());
            connecting.spawn(async move { Socket::connect(address, &token).await });
        }
        while let Some(socket) = connecting.join_next().await {
            let mut socket = socket??;
            held.spawn(async move {
                loop {
                    if let Err(error) = socket.next_message().await {
                        return error;
                    }
                }
            });
        }
    }
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", json!({ "connected": held.len(), "seconds": begun.elapsed().as_secs_f64() }))?;
    stdout.flush()?;
    let mut nothing = Vec::new();
    let mut stdin = tokio::io::stdin();
    tokio::select! {
        ended = stdin.read_to_end(&mut nothing) => ended?,
        Some(lost) = held.join_next() => bail!("a socket was lost: {:#}", lost?),
    };
    Ok(json!({ "held": held.len() }))
}
