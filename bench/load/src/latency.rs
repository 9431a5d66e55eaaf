//! How long a message takes from one person's call to the other person's socket, at a rate that no server minds.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

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

/// Rounds of all conversations that are sent but not counted.
const WARM_UP_ROUNDS: usize = 2;

/// The two people of a conversation, who write in turns.
struct Pair {
    connections: [Connection; 2],
    listeners: [Listener; 2],
    tokens: [String; 2],
    id: String,
    base: u64,
    /// When each message's call began, and what the other side's socket heard of it after how long.
    begun: Arc<Mutex<Vec<Instant>>>,
    delivered: Arc<Mutex<Vec<Duration>>>,
}

struct Outcome {
    delivered: Vec<Duration>,
    answered: Vec<Duration>,
    late: usize,
}

pub(crate) async fn run(server: &Server, conversations: usize, rate: f64, seconds: f64) -> Result<Value> {
    let people = People::read(&server.people)?;
    let mut pairs = Vec::new();
    for (index, id) in people.some(conversations)?.iter().enumerate() {
        pairs.push(open(server, id, [people.tokens[2 * index].clone(), people.tokens[2 * index + 1].clone()]).await?);
    }
    let between = Duration::from_secs_f64(1.0 / rate);
    let turns = WARM_UP_ROUNDS + (seconds * rate / conversations as f64).ceil() as usize;
    let start = Instant::now() + between;
    let watch = Watch::begin(server.pid);
    let mut lanes = JoinSet::new();
    for (index, pair) in pairs.into_iter().enumerate() {
        let first = start + between * u32::try_from(index)?;
        lanes.spawn(pair.talk(first, between * u32::try_from(conversations)?, turns));
    }
    let (mut delivered, mut answered, mut late) = (Vec::new(), Vec::new(), 0);
    while let Some(lane) = lanes.join_next().await {
        let lane = lane??;
        delivered.extend(lane.delivered);
        answered.extend(lane.answered);
        late += lane.late;
    }
    Ok(json!({
        "deliveredMs": statistics::summary(delivered),
        "answeredMs": statistics::summary(answered),
        "messagesPerSecond": rate,
        "late": late,
        "cpu": watch.end(),
    }))
}

async fn open(server: &Server, id: &str, tokens: [String; 2]) -> Result<Pair> {
    let mut connections = [Connection::open(server.address).await?, Connection::open(server.address).await?];
    let base = last_seq(&mut connections[0], &tokens[0], id).await?;
    let begun: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let delivered: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let hear = |person: usize| {
        let (begun, delivered) = (Arc::clone(&begun), Arc::clone(&delivered));
        let on_message = move |seq: u64| {
            let index = usize::try_from(seq - base - 1).unwrap_or(usize::MAX);
            // The one who wrote it hears it too, which is not what is measured.
            if index % 2 != person
                && index >= WARM_UP_ROUNDS
                && let Some(begun) = begun.lock().expect("no thread panics here").get(index)
            {
                delivered.lock().expect("no thread panics here").push(begun.elapsed());
            }
        };
        Listener::start(server.address, &tokens[person], base, on_message)
    };
    let listeners = [hear(0).await?, hear(1).await?];
    Ok(Pair { connections, listeners, tokens, id: id.to_owned(), base, begun, delivered })
}

impl Pair {
    async fn talk(mut self, first: Instant, every: Duration, turns: usize) -> Result<Outcome> {
        let (mut answered, mut late) = (Vec::new(), 0);
        for turn in 0..turns {
            let due = first + every * u32::try_from(turn)?;
            late += usize::from(Instant::now() > due);
            tokio::time::sleep_until(due.into()).await;
            let person = turn % 2;
            let body = message::body(&self.id, &format!("{}-{turn}", self.base));
            let begun = Instant::now();
            self.begun.lock().expect("no thread panics here").push(begun);
            let answer = self.connections[person].post("/api/v1/messages", Some(&self.tokens[person]), &body);
            answer.await?.expect(201)?;
            if turn >= WARM_UP_ROUNDS {
                answered.push(begun.elapsed());
            }
        }
        let last = self.base + turns as u64;
        for listener in self.listeners {
            listener.finish(last).await?;
        }
        let delivered = std::mem::take(&mut *self.delivered.lock().expect("no thread panics here"));
        let wanted = turns - WARM_UP_ROUNDS;
        ensure!(delivered.len() == wanted, "{} of {wanted} were timed", delivered.len());
        Ok(Outcome { delivered, answered, late })
    }
}
