//! As many durable sends as the server takes: a closed loop with two senders in each conversation.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    Server,
    cpu::Watch,
    http::Connection,
    listen::{Listener, last_seq},
    message,
    people::People,
    statistics,
};

/// The first sends of a connection are not counted.
const WARM_UP: Duration = Duration::from_millis(500);

struct Lane {
    connection: Connection,
    listener: Listener,
    conversation: usize,
    person: usize,
    /// The number of the newest message before the run.
    base: u64,
}

struct Sent {
    conversation: usize,
    /// All of them, those of the warm-up too.
    acknowledged: u64,
    times: Vec<Duration>,
}

pub(crate) async fn run(server: &Server, conversations: usize, seconds: f64) -> Result<Value> {
    let people = People::read(&server.people)?;
    let ids = people.some(conversations)?;
    let lanes = open(server, &people, ids).await?;
    let bases: Vec<u64> = lanes.iter().step_by(2).map(|lane| lane.base).collect();

    let counted_from = Instant::now() + WARM_UP;
    let until = counted_from + Duration::from_secs_f64(seconds);
    let mut senders = JoinSet::new();
    let mut listeners = Vec::new();
    for lane in lanes {
        let (token, id) = (people.tokens[lane.person].clone(), ids[lane.conversation].clone());
        listeners.push((lane.conversation, lane.listener));
        let sender = Sender { connection: lane.connection, token, id, name: format!("{}-{}", lane.base, lane.person) };
        senders.spawn(sender.send(lane.conversation, counted_from, until));
    }
    tokio::time::sleep_until(counted_from.into()).await;
    let watch = Watch::begin(server.pid);
    let mut acknowledged = bases.clone();
    let mut times = Vec::new();
    let mut cpu = Value::Null;
    while let Some(sent) = senders.join_next().await {
        if cpu.is_null() {
            cpu = watch.end();
        }
        let sent = sent??;
        acknowledged[sent.conversation] += sent.acknowledged;
        times.extend(sent.times);
    }
    for (conversation, listener) in listeners {
        listener.finish(acknowledged[conversation]).await?;
    }
    let mut connection = Connection::open(server.address).await?;
    for (conversation, id) in ids.iter().enumerate() {
        let last = last_seq(&mut connection, &people.tokens[2 * conversation], id).await?;
        let wanted = acknowledged[conversation];
        ensure!(last == wanted, "the history ends with {last}, {wanted} was acknowledged");
    }
    Ok(json!({
        "sendsPerSecond": times.len() as f64 / seconds,
        "acknowledged": acknowledged.iter().sum::<u64>() - bases.iter().sum::<u64>(),
        "answeredMs": statistics::summary(times),
        "senders": 2 * conversations,
        "conversations": conversations,
        "cpu": cpu,
    }))
}

/// A connection and a socket for each person.
async fn open(server: &Server, people: &People, ids: &[String]) -> Result<Vec<Lane>> {
    let mut lanes = Vec::new();
    for person in 0..2 * ids.len() {
        let (conversation, token) = (person / 2, &people.tokens[person]);
        let mut connection = Connection::open(server.address).await?;
        let base = last_seq(&mut connection, token, &ids[conversation]).await?;
        let listener = Listener::start(server.address, token, base, |_| {}).await?;
        lanes.push(Lane { connection, listener, conversation, person, base });
    }
    Ok(lanes)
}

struct Sender {
    connection: Connection,
    token: String,
    id: String,
    name: String,
}

impl Sender {
    async fn send(mut self, conversation: usize, counted_from: Instant, until: Instant) -> Result<Sent> {
        let mut sent = Sent { conversation, acknowledged: 0, times: Vec::new() };
        loop {
            let body = message::body(&self.id, &format!("{}-{}", self.name, sent.acknowledged));
            let begun = Instant::now();
            if begun >= until {
                return Ok(sent);
            }
            self.connection.post("/api/v1/messages", Some(&self.token), &body).await?.expect(201)?;
            sent.acknowledged += 1;
            let ended = Instant::now();
            // Counted is what was answered within the time, whenever it began.
            if ended >= counted_from && ended < until {
                sent.times.push(ended - begun);
            }
        }
    }
}
