//! One Socket.IO connection: let in, kept alive, events in order, answers with time-outs. Reconnecting is the line's
//! business.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use parley_protocol::{
    Code,
    socket::{Ack, ConnectAuth},
};
use serde::Serialize;
use serde_json::Value;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Error as WsError, Message, protocol::WebSocketConfig},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    ClientError,
    error::Refusal,
    wire::{self, Packet},
};

/// Events that may wait for the client; a client that is further behind is better served by `/sync`.
const EVENT_BACKLOG: usize = 4096;
/// Packets that may wait for the network.
const SEND_BACKLOG: usize = 256;
/// No packet of a Parley server is longer.
const MAX_PACKET_BYTES: usize = 4 << 20;

/// An event from the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Its name.
    pub name: String,
    /// Its payload.
    pub payload: Value,
}

/// Sends on one connection. Clones share it; the connection ends with the last one.
#[derive(Clone)]
pub struct Socket {
    outgoing: mpsc::Sender<Outgoing>,
    next_id: Arc<AtomicU64>,
    ack_timeout: Duration,
    _driver: Arc<AbortOnDropHandle<()>>,
}

struct Outgoing {
    text: String,
    ack: Option<(u64, oneshot::Sender<Value>)>,
}

/// How long one step may take.
#[derive(Clone, Copy, Debug)]
pub struct SocketTiming {
    /// From the first byte to being let in.
    pub connect: Duration,
    /// From an event to its answer.
    pub ack: Duration,
}

impl Default for SocketTiming {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), ack: Duration::from_secs(10) }
    }
}

impl Socket {
    /// Connects and is let in. The receiver yields the events in the order of the server and ends with the connection.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the server's code, [`ClientError::TimedOut`] when the peer accepts and never
    /// answers, [`ClientError::Unreachable`], [`ClientError::NotAParleyServer`].
    pub async fn connect(
        url: &str,
        auth: &ConnectAuth,
        timing: SocketTiming,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), ClientError> {
        let deadline = Instant::now() + timing.connect;
        let (stream, keep_alive) = timeout_at(deadline, open(url, auth)).await.map_err(|_| ClientError::TimedOut)??;
        let (outgoing, to_send) = mpsc::channel(SEND_BACKLOG);
        let (events, received) = mpsc::channel(EVENT_BACKLOG);
        let driver = Driver { stream, keep_alive, to_send, events, acks: HashMap::new() };
        let task = AbortOnDropHandle::new(tokio::spawn(driver.run()));
        let socket =
            Self { outgoing, next_id: Arc::new(AtomicU64::new(0)), ack_timeout: timing.ack, _driver: Arc::new(task) };
        Ok((socket, received))
    }

    /// Sends an event and does not ask what became of it.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] when the connection is gone or doesn't take more.
    pub fn emit(&self, name: &str, payload: &impl Serialize) -> Result<(), ClientError> {
        let text = wire::event(None, name, &to_value(payload)?);
        self.outgoing.try_send(Outgoing { text, ack: None }).map_err(|_| gone())
    }

    /// Sends an event and waits for its answer.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the answer is no, [`ClientError::TimedOut`], [`ClientError::Unreachable`].
    pub async fn ask(&self, name: &str, payload: &impl Serialize) -> Result<Ack, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let text = wire::event(Some(id), name, &to_value(payload)?);
        let (answer, answered) = oneshot::channel();
        let exchange = async {
            self.outgoing.send(Outgoing { text, ack: Some((id, answer)) }).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())
        };
        let value = timeout(self.ack_timeout, exchange).await.map_err(|_| ClientError::TimedOut)??;
        let ack = serde_json::from_value(value).map_err(|_| ClientError::NotAParleyServer("an odd answer".into()))?;
        ClientError::from_ack(ack)
    }
}

fn to_value(payload: &impl Serialize) -> Result<Value, ClientError> {
    serde_json::to_value(payload).map_err(|error| ClientError::Storage(error.to_string()))
}

fn gone() -> ClientError {
    ClientError::Unreachable("the connection is gone".to_owned())
}

#[derive(Clone, Copy)]
struct KeepAlive {
    silence: Duration,
    send: Duration,
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(url: &str, auth: &ConnectAuth) -> Result<(Stream, KeepAlive), ClientError> {
    let config =
        WebSocketConfig::default().max_message_size(Some(MAX_PACKET_BYTES)).max_frame_size(Some(MAX_PACKET_BYTES));
    let (mut stream, _) = connect_async_with_config(url, Some(config), true).await.map_err(|error| match error {
        WsError::Io(_) | WsError::Tls(_) => ClientError::Unreachable(error.to_string()),
        WsError::Http(response) if response.status().is_server_error() => {
            ClientError::Unreachable(format!("the server answered {}", response.status()))
        }
        other => ClientError::NotAParleyServer(other.to_string()),
    })?;
    let Packet::Open { ping_interval, ping_timeout } = next_packet(&mut stream).await? else {
        return Err(ClientError::NotAParleyServer("no Socket.IO greeting".to_owned()));
    };
    let auth = to_value(auth)?;
    stream.send(Message::text(wire::connect(&auth))).await.map_err(broken)?;
    loop {
        match next_packet(&mut stream).await? {
            Packet::Connect => break,
            Packet::ConnectError(word) => return Err(refused(&word)),
            Packet::Ping => stream.send(Message::text(wire::PONG)).await.map_err(broken)?,
            Packet::Idle | Packet::Elsewhere => {}
            _ => return Err(ClientError::NotAParleyServer("no answer to the connect".to_owned())),
        }
    }
    // One interval may pass before the next ping is due, and the timeout again before it is late.
    let silence = ping_interval.saturating_add(ping_timeout).clamp(Duration::from_secs(1), Duration::from_secs(300));
    Ok((stream, KeepAlive { silence, send: Duration::from_secs(10) }))
}

fn refused(word: &str) -> ClientError {
    let code = Code::from_word(word).unwrap_or(Code::Unavailable);
    ClientError::Refused(Box::new(Refusal::new(code, code.title())))
}

fn broken(error: WsError) -> ClientError {
    ClientError::Unreachable(error.to_string())
}

/// The next Engine.IO packet of the handshake.
async fn next_packet(stream: &mut Stream) -> Result<Packet, ClientError> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => {
                return wire::parse(text.as_str()).map_err(|error| ClientError::NotAParleyServer(error.to_string()));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Err(gone()),
            Some(Ok(_)) => return Err(ClientError::NotAParleyServer("a binary packet".to_owned())),
            Some(Err(error)) => return Err(broken(error)),
        }
    }
}

struct Driver {
    stream: Stream,
    keep_alive: KeepAlive,
    to_send: mpsc::Receiver<Outgoing>,
    events: mpsc::Sender<Incoming>,
    acks: HashMap<u64, oneshot::Sender<Value>>,
}

impl Driver {
    async fn run(mut self) {
        let reason = self.drive().await;
        tracing::debug!(reason, "the socket ended");
        // The events' sender and the open answers go with `self`: whoever waits is told.
        let _ = timeout(Duration::from_secs(1), self.stream.close(None)).await;
    }

    async fn drive(&mut self) -> &'static str {
        let mut late = Instant::now() + self.keep_alive.silence;
        loop {
            tokio::select! {
                message = self.stream.next() => {
                    late = Instant::now() + self.keep_alive.silence;
                    match message {
                        Some(Ok(Message::Text(text))) => if let Err(reason) = self.on_text(text.as_str()).await {
                            return reason;
                        },
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_))) | None => return "closed by the server",
                        Some(Ok(_)) => return "a binary packet",
                        Some(Err(_)) => return "the connection broke",
                    }
                }
                outgoing = self.to_send.recv() => {
                    let Some(Outgoing { text, ack }) = outgoing else {
                        let _ = self.send(wire::DISCONNECT.to_owned()).await;
                        return "closed by us";
                    };
                    if let Some((id, answer)) = ack {
                        self.acks.retain(|_, answer| !answer.is_closed());
                        self.acks.insert(id, answer);
                    }
                    if self.send(text).await.is_err() {
                        return "the connection takes nothing more";
                    }
                }
                () = sleep_until(late) => return "the server went silent",
            }
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), &'static str> {
        match wire::parse(text) {
            Ok(Packet::Ping) => self.send(wire::PONG.to_owned()).await,
            Ok(Packet::Event { name, payload }) => {
                // A full queue means that this client stands still: ending the line lets `/sync` heal it.
                self.events.try_send(Incoming { name, payload }).map_err(|_| "the client fell behind")
            }
            Ok(Packet::Ack { id, payload }) => {
                if let Some(answer) = self.acks.remove(&id) {
                    let _ = answer.send(payload);
                }
                Ok(())
            }
            Ok(Packet::Idle | Packet::Elsewhere) => Ok(()),
            Ok(Packet::Disconnect) => Err("disconnected by the server"),
            Ok(_) => Err("closed by the server"),
            Err(_) => Err("garbage"),
        }
    }

    async fn send(&mut self, text: String) -> Result<(), &'static str> {
        match timeout(self.keep_alive.send, self.stream.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err("the connection takes nothing more"),
        }
    }
}
