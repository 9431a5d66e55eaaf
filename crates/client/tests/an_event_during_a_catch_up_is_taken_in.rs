//! What comes by the socket while `/sync` is being asked, against a server that holds its answer back.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use parley_client::{Client, ClientEvent, ClientOptions, Credentials, MemorySecrets};
use parley_domain::{Message, MessageType, Timestamp};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite};
use uuid::Uuid;

const OPEN: &str = r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#;

type Line = WebSocketStream<TcpStream>;

/// An empty server that holds back its answer to the first `/sync` with a cursor.
#[derive(Default)]
struct Server {
    syncs: AtomicUsize,
    sync_is_asked: Notify,
    answer_sync: Notify,
}

impl Server {
    /// Its address, and the sockets that were let in.
    async fn start(self: &Arc<Self>) -> (String, mpsc::Receiver<Line>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (let_in, lines) = mpsc::channel(4);
        let server = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, let_in) = (Arc::clone(&server), let_in.clone());
                tokio::spawn(async move { server.serve(stream, let_in).await });
            }
        });
        (url, lines)
    }

    async fn serve(&self, mut stream: TcpStream, let_in: mpsc::Sender<Line>) -> Option<()> {
        let mut start = [0; 14];
        // Both clients write the head of a request at once.
        stream.peek(&mut start).await.ok()?;
        if &start == b"GET /socket.io" {
            let mut line = accept_async(stream).await.ok()?;
            say(&mut line, OPEN).await;
            line.next().await?.ok()?;
            say(&mut line, r#"40{"sid":"n"}"#).await;
            return let_in.send(line).await.ok();
        }
        let mut head = Vec::new();
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            if stream.read_buf(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let body = self.answer(String::from_utf8_lossy(&head).split(' ').nth(1)?).await.to_string();
        let text = format!(
            "HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await.ok()
    }

    async fn answer(&self, path: &str) -> Value {
        if path.ends_with("/auth/login") {
            return json!({
                "user": {
                    "id": Uuid::from_u128(1), "email": "a@demo.test", "name": "A", "role": "client",
                    "approved": true, "createdAt": "2026-01-01T00:00:00.000Z", "timeZone": null
                },
                "accessToken": "access", "refreshToken": "refresh", "expiresIn": 3600
            });
        }
        if !path.contains("/sync") {
            return json!({ "items": [], "nextCursor": null });
        }
        if path.contains("since=") && self.syncs.fetch_add(1, Ordering::SeqCst) == 0 {
            self.sync_is_asked.notify_one();
            self.answer_sync.notified().await;
        }
        json!({ "changes": [], "nextCursor": "c", "more": false })
    }
}

async fn say(line: &mut Line, text: &str) {
    line.send(tungstenite::Message::text(text)).await.unwrap();
}

fn message() -> Message {
    Message {
        id: Uuid::from_u128(5).into(),
        seq: 1,
        conversation_id: Uuid::from_u128(3).into(),
        sender_id: Uuid::from_u128(2).into(),
        kind: MessageType::Text,
        content: "the first of a new project".to_owned(),
        attachments: Vec::new(),
        reply_to_id: None,
        client_id: None,
        created_at: Timestamp::from_millis(0),
        edited_at: None,
        deleted_at: None,
        read_by: Vec::new(),
    }
}

#[tokio::test]
async fn message_of_an_unknown_conversation_arrives_although_a_catch_up_is_under_way() {
    let server = Arc::new(Server::default());
    let (url, mut lines) = server.start().await;
    let dir = tempfile::tempdir().unwrap();
    let options = ClientOptions::new(dir.path(), Arc::new(MemorySecrets::default()));
    let credentials = Credentials {
        server: url,
        allow_plain_http: false,
        email: "a@demo.test".to_owned(),
        password: "secret".to_owned(),
    };
    let client = Client::sign_in(options, credentials).await.unwrap();
    client.connected().await.unwrap();
    let mut events = client.events();
    let mut line = lines.recv().await.unwrap();

    // An event that is not known here makes the client look at `/sync`.
    say(&mut line, r#"42["of:tomorrow",{}]"#).await;
    server.sync_is_asked.notified().await;
    say(&mut line, &format!("42{}", json!(["message:new", message()]))).await;
    // The answer to the ping comes after the event before it was queued.
    say(&mut line, "2").await;
    assert_eq!(line.next().await.unwrap().unwrap(), tungstenite::Message::text("3"));
    server.answer_sync.notify_one();

    let arrived = async {
        while let Some(event) = events.next().await {
            if matches!(event, ClientEvent::Message(arrived) if arrived.id == message().id) {
                return true;
            }
        }
        false
    };
    assert_eq!(timeout(Duration::from_secs(10), arrived).await, Ok(true), "the line stands still");
}
