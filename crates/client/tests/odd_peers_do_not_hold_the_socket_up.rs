//! The socket against peers that accept and never answer, refuse, talk nonsense or fall silent.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{future::Future, time::Duration};

use futures_util::{SinkExt, StreamExt};
use parley_client::{
    ClientError,
    socket::{Incoming, Socket, SocketTiming},
};
use parley_protocol::{Code, socket::ConnectAuth};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

const OPEN: &str = r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#;
const LET_IN: &str = r#"40{"sid":"n"}"#;

type Peer = WebSocketStream<TcpStream>;

fn timing() -> SocketTiming {
    SocketTiming { connect: Duration::from_millis(500), ack: Duration::from_millis(300) }
}

/// A peer that does as told once a WebSocket is open; the address to connect to.
async fn peer<F: Future<Output = ()> + Send + 'static>(act: impl FnOnce(Peer) -> F + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        act(accept_async(stream).await.unwrap()).await;
    });
    url
}

async fn say(peer: &mut Peer, text: &str) {
    peer.send(Message::text(text)).await.unwrap();
}

async fn hear(peer: &mut Peer) -> Option<String> {
    match peer.next().await {
        Some(Ok(Message::Text(text))) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

/// Lets the other side in and hands on what it said to get in.
async fn let_in(peer: &mut Peer) -> String {
    say(peer, OPEN).await;
    let said = hear(peer).await.unwrap();
    say(peer, LET_IN).await;
    said
}

async fn connect(url: &str) -> Result<(Socket, tokio::sync::mpsc::Receiver<Incoming>), ClientError> {
    Socket::connect(url, &ConnectAuth { token: "t".to_owned(), engines: None }, timing()).await
}

async fn refusal(url: &str) -> ClientError {
    connect(url).await.err().unwrap()
}

#[tokio::test]
async fn accepting_and_never_answering_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    // Not even the upgrade is answered: the connection waits in the listener's queue.
    assert!(matches!(refusal(&url).await, ClientError::TimedOut));
    let url = peer(|peer| async move {
        let _open = peer;
        std::future::pending().await
    })
    .await;
    assert!(matches!(refusal(&url).await, ClientError::TimedOut), "no greeting");
    let url = peer(|mut peer| async move {
        say(&mut peer, OPEN).await;
        std::future::pending().await
    })
    .await;
    assert!(matches!(refusal(&url).await, ClientError::TimedOut), "not let in");
}

#[tokio::test]
async fn refusing_is_told_with_its_code() {
    for (said, code) in [
        (r#"44{"message":"TOKEN_EXPIRED"}"#, Code::TokenExpired),
        (r#"44{"message":"UNAUTHENTICATED"}"#, Code::Unauthenticated),
        (r#"44{"message":"whatever"}"#, Code::Unavailable),
    ] {
        let url = peer(move |mut peer| async move {
            say(&mut peer, OPEN).await;
            hear(&mut peer).await;
            say(&mut peer, said).await;
            hear(&mut peer).await;
        })
        .await;
        let ClientError::Refused(refusal) = refusal(&url).await else { panic!("{said}") };
        assert_eq!(refusal.code, code);
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(matches!(refusal(&format!("ws://{closed}/")).await, ClientError::Unreachable(_)));
}

#[tokio::test]
async fn garbage_before_the_greeting_is_no_server() {
    for garbage in ["", "hello", "0{}", "42[\"early\"]", LET_IN] {
        let url = peer(move |mut peer| async move {
            say(&mut peer, garbage).await;
            hear(&mut peer).await;
        })
        .await;
        assert!(matches!(refusal(&url).await, ClientError::NotAParleyServer(_)), "{garbage:?}");
    }
}

#[tokio::test]
async fn garbage_afterwards_ends_the_connection_and_answers_who_waits() {
    let url = peer(|mut peer| async move {
        let_in(&mut peer).await;
        hear(&mut peer).await;
        say(&mut peer, "42{]").await;
        std::future::pending().await
    })
    .await;
    let (socket, mut events) = connect(&url).await.unwrap();
    let asked = socket.ask("join", &json!({})).await;
    assert!(matches!(asked, Err(ClientError::Unreachable(_))), "{asked:?}");
    assert_eq!(events.recv().await, None);
    assert!(matches!(socket.ask("join", &json!({})).await, Err(ClientError::Unreachable(_))));
}

#[tokio::test]
async fn question_without_an_answer_times_out_and_the_line_goes_on() {
    let url = peer(|mut peer| async move {
        assert_eq!(let_in(&mut peer).await, r#"40{"token":"t"}"#);
        assert_eq!(hear(&mut peer).await.unwrap(), r#"420["lost",{}]"#);
        assert_eq!(hear(&mut peer).await.unwrap(), r#"421["heard",{}]"#);
        say(&mut peer, "2").await;
        assert_eq!(hear(&mut peer).await.unwrap(), "3");
        say(&mut peer, r#"430[{"ok":true}]"#).await;
        say(&mut peer, r#"431[{"ok":false,"code":"FORBIDDEN","detail":"no"}]"#).await;
        say(&mut peer, r#"42["last",{"n":1}]"#).await;
        hear(&mut peer).await;
    })
    .await;
    let (socket, mut events) = connect(&url).await.unwrap();
    assert!(matches!(socket.ask("lost", &json!({})).await, Err(ClientError::TimedOut)));
    let Err(ClientError::Refused(refusal)) = socket.ask("heard", &json!({})).await else { panic!() };
    assert_eq!(refusal.code, Code::Forbidden);
    assert_eq!(events.recv().await, Some(Incoming { name: "last".to_owned(), payload: json!({"n": 1}) }));
}

#[tokio::test]
async fn falling_silent_ends_the_connection() {
    let url = peer(|mut peer| async move {
        say(&mut peer, r#"0{"sid":"s","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000}"#).await;
        hear(&mut peer).await;
        say(&mut peer, LET_IN).await;
        std::future::pending().await
    })
    .await;
    let (_socket, mut events) = connect(&url).await.unwrap();
    assert_eq!(events.recv().await, None);
}

#[tokio::test]
async fn events_come_in_the_order_of_the_server() {
    let url = peer(|mut peer| async move {
        let_in(&mut peer).await;
        for number in 0..500 {
            peer.feed(Message::text(format!(r#"42["n",{number}]"#))).await.unwrap();
        }
        peer.flush().await.unwrap();
        hear(&mut peer).await;
    })
    .await;
    let (_socket, mut events) = connect(&url).await.unwrap();
    for number in 0..500 {
        assert_eq!(events.recv().await.unwrap().payload, json!(number));
    }
}
