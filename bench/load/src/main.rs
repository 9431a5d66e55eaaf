//! `parley-load`: puts a server under load and says in one JSON line what came of it. It speaks the wire contract, so
//! that any server of the same calls can be measured. One thread, hand-made requests, no parsing beyond what the
//! checks need: the generator must not be what limits the server.
//!
//! Every measurement fails if a call is refused, a message is lost, doubled or out of order, or the history disagrees.

mod cpu;
mod fill;
mod hold;
mod http;
mod latency;
mod listen;
mod message;
mod pages;
mod people;
mod sends;
mod socket;
mod statistics;
mod tokens;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use serde_json::Value;

/// Load for a server that keeps Parley's wire contract.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Sign everybody in and keep the tokens in a file.
    SignIn {
        #[command(flatten)]
        server: Server,
        /// What `seed bench` printed.
        #[arg(long)]
        seeded: PathBuf,
    },
    /// Fill the first conversation up to a number of messages.
    Fill {
        #[command(flatten)]
        server: Server,
        /// How many there shall be.
        #[arg(long)]
        messages: u64,
    },
    /// Durable sends per second: each sender sends its next message once the last one is answered.
    Sends {
        #[command(flatten)]
        server: Server,
        /// How many conversations; both people of each send, and both have a socket.
        #[arg(long, default_value_t = 16)]
        conversations: usize,
        /// For how long.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// From the start of the call to the event at the other person's socket, at a fixed rate.
    Latency {
        #[command(flatten)]
        server: Server,
        /// How many conversations take turns.
        #[arg(long, default_value_t = 16)]
        conversations: usize,
        /// Messages per second.
        #[arg(long, default_value_t = 50.0)]
        rate: f64,
        /// For how long.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// History pages per second in the first conversation.
    Pages {
        #[command(flatten)]
        server: Server,
        /// Which page, counted from the newest; its cursor is found by walking there first.
        #[arg(long, default_value_t = 1)]
        page: usize,
        /// How many ask at once.
        #[arg(long, default_value_t = 8)]
        readers: usize,
        /// For how long.
        #[arg(long, default_value_t = 3.0)]
        seconds: f64,
    },
    /// Connect sockets, say so, and hold them until standard input ends.
    Hold {
        #[command(flatten)]
        server: Server,
        /// How many, each of another person.
        #[arg(long, default_value_t = 1_000)]
        sockets: usize,
    },
    /// Our own token builder, in this process.
    Tokens {
        /// For how long.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// On how many threads.
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
}

#[derive(Args)]
struct Server {
    /// Where it listens.
    #[arg(long)]
    address: SocketAddr,
    /// The file that `sign-in` wrote.
    #[arg(long)]
    people: PathBuf,
    /// Its process, whose processor time is read beside our own.
    #[arg(long)]
    pid: Option<u32>,
}

fn main() -> ExitCode {
    match measure(Arguments::parse().work) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("parley-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(work: Work) -> Result<Value> {
    match work {
        Work::Tokens { seconds, threads } => tokens::run(seconds, threads),
        work => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime")?
            .block_on(put_under_load(work)),
    }
}

async fn put_under_load(work: Work) -> Result<Value> {
    match work {
        Work::SignIn { server, seeded } => people::sign_in(server.address, &seeded, &server.people).await,
        Work::Fill { server, messages } => fill::run(&server, messages).await,
        Work::Sends { server, conversations, seconds } => sends::run(&server, conversations, seconds).await,
        Work::Latency { server, conversations, rate, seconds } => {
            latency::run(&server, conversations, rate, seconds).await
        }
        Work::Pages { server, page, readers, seconds } => pages::run(&server, page, readers, seconds).await,
        Work::Hold { server, sockets } => hold::run(&server, sockets).await,
        Work::Tokens { .. } => unreachable!("measured without a runtime"),
    }
}
