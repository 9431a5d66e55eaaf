//! Reading history, one page over and over: every answer must be the very bytes of the first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{Server, cpu::Watch, http::Connection, people::People, statistics};

/// The contract's page.
const LIMIT: usize = 50;
const WARM_UP: Duration = Duration::from_millis(300);

pub(crate) async fn run(server: &Server, page: usize, readers: usize, seconds: f64) -> Result<Value> {
    let people = People::read(&server.people)?;
    let id = &people.some(1)?[0];
    let mut connection = Connection::open(server.address).await?;
    let (path, reference) = walk(&mut connection, &people.tokens[0], id, page).await?;
    let bytes = reference.len();
    let counted_from = Instant::now() + WARM_UP;
    let until = counted_from + Duration::from_secs_f64(seconds);
    let mut lanes = JoinSet::new();
    for reader in 0..readers {
        let connection = Connection::open(server.address).await?;
        let (token, path, reference) = (people.tokens[reader % 2].clone(), path.clone(), reference.clone());
        lanes.spawn(read(connection, token, path, reference, counted_from..until));
    }
    tokio::time::sleep_until(counted_from.into()).await;
    let watch = Watch::begin(server.pid);
    let mut times = Vec::new();
    let mut cpu = Value::Null;
    while let Some(lane) = lanes.join_next().await {
        if cpu.is_null() {
            cpu = watch.end();
        }
        times.extend(lane??);
    }
    Ok(json!({
        "pagesPerSecond": times.len() as f64 / seconds,
        "page": page,
        "limit": LIMIT,
        "bytes": bytes,
        "readers": readers,
        "answeredMs": statistics::summary(times),
        "cpu": cpu,
    }))
}

/// The address and the content of that page, found by following the cursors from the newest.
async fn walk(connection: &mut Connection, token: &str, id: &str, page: usize) -> Result<(String, Vec<u8>)> {
    let first = format!("/api/v1/messages/conversation/{id}?limit={LIMIT}");
    let mut path = first.clone();
    let mut oldest = None;
    for number in 1..=page {
        let body = connection.get(&path, token).await?.expect(200)?.to_vec();
        let read: Value = serde_json::from_slice(&body)?;
        let items = read["items"].as_array().context("a page has items")?;
        let seqs: Vec<u64> = items.iter().filter_map(|item| item["seq"].as_u64()).collect();
        ensure!(seqs.len() == LIMIT, "page {number} has {} messages", seqs.len());
        ensure!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "page {number} is out of order");
        let newest = seqs.last().copied();
        ensure!(oldest.is_none() || newest.map(|seq| seq + 1) == oldest, "page {number} does not go on");
        oldest = seqs.first().copied();
        if number == page {
            return Ok((path, body));
        }
        let cursor = read["nextCursor"].as_str().with_context(|| format!("page {number} is the last"))?;
        path = format!("{first}&cursor={cursor}");
    }
    anyhow::bail!("pages are counted from 1")
}

async fn read(
    mut connection: Connection,
    token: String,
    path: String,
    reference: Vec<u8>,
    counted: std::ops::Range<Instant>,
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    loop {
        let begun = Instant::now();
        if begun >= counted.end {
            return Ok(times);
        }
        let body = connection.get(&path, &token).await?.expect(200)?;
        ensure!(body == reference, "a page changed while nobody wrote");
        let ended = Instant::now();
        if counted.contains(&ended) {
            times.push(ended - begun);
        }
    }
}
