//! A long conversation, written through the API by many connections at once.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{Server, http::Connection, listen::last_seq, message, people::People};

const CONNECTIONS: u64 = 64;

pub(crate) async fn run(server: &Server, messages: u64) -> Result<Value> {
    let people = People::read(&server.people)?;
    let id = &people.some(1)?[0];
    let mut connection = Connection::open(server.address).await?;
    let there = last_seq(&mut connection, &people.tokens[0], id).await?;
    let begun = Instant::now();
    let mut lanes = JoinSet::new();
    for lane in 0..CONNECTIONS {
        let numbers = (there + 1 + lane..=messages).step_by(usize::try_from(CONNECTIONS)?);
        let token = people.tokens[usize::from(lane % 2 == 1)].clone();
        let (mut connection, id) = (Connection::open(server.address).await?, id.clone());
        lanes.spawn(async move {
            for number in numbers {
                let body = message::body(&id, &format!("fill-{number}"));
                connection.post("/api/v1/messages", Some(&token), &body).await?.expect(201)?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    let last = last_seq(&mut connection, &people.tokens[0], id).await?;
    ensure!(last == messages.max(there), "{last} messages are there, {messages} were wanted");
    Ok(json!({ "messages": last, "written": last - there, "seconds": begun.elapsed().as_secs_f64() }))
}
