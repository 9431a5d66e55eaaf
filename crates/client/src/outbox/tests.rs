//! What becomes of a read mark when it can't be sent.

use std::time::Duration;

use parley_domain::{Conversation, Message, Participant, ProjectStatus, Role, Timestamp, User, UserId};
use parley_protocol::{Code, Problem, rest::SignedIn};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use uuid::Uuid;

use super::*;
use crate::{
    MemorySecrets, ServerAddress, SystemClock, Timing,
    cache::{Account, Cache, projects::Lists},
    rest::http::Http,
    session::Session,
};

const ME: UserId = UserId(Uuid::from_u128(1));
const OTHER: UserId = UserId(Uuid::from_u128(2));
const ROOM: ConversationId = ConversationId(Uuid::from_u128(3));

fn me() -> User {
    let user = json!({
        "id": ME, "email": "a@demo.test", "name": "A", "role": "client", "approved": true,
        "createdAt": "2026-01-01T00:00:00.000Z", "timeZone": null
    });
    serde_json::from_value(user).unwrap()
}

fn message() -> Message {
    Message {
        id: Uuid::from_u128(5).into(),
        seq: 1,
        conversation_id: ROOM,
        sender_id: OTHER,
        kind: MessageType::Text,
        content: "read me".to_owned(),
        attachments: Vec::new(),
        reply_to_id: None,
        client_id: None,
        created_at: Timestamp::from_millis(0),
        edited_at: None,
        deleted_at: None,
        read_by: Vec::new(),
    }
}

/// A client without its tasks, in which one message was just read; the directory keeps its copy.
async fn core_with_a_read_mark(server: &str) -> (tempfile::TempDir, Core) {
    let dir = tempfile::tempdir().unwrap();
    let address = ServerAddress::parse(server, false).unwrap();
    let account = Account { server: address.as_str().to_owned(), user_id: ME };
    let (cache, _) = Cache::open(dir.path().to_owned(), account).await.unwrap();
    let participant =
        |user_id, role| Participant { user_id, name: "N".to_owned(), role, last_read_seq: 0, time_zone: None };
    let conversation = Conversation {
        id: ROOM,
        project_id: Uuid::from_u128(4).into(),
        project_title: "T".to_owned(),
        project_status: ProjectStatus::Active,
        participants: vec![participant(ME, Role::Client), participant(OTHER, Role::Provider)],
        last_message: None,
        unread_count: 0,
        updated_at: Timestamp::from_millis(0),
    };
    let lists = Lists { conversations: vec![conversation], messages: vec![message()], ..Lists::default() };
    cache.run(move |db| db.load(&lists, "c0")).await.unwrap();
    cache.run(|db| db.mark_read(ROOM, 1, Timestamp::from_millis(1))).await.unwrap().unwrap();
    let http = Http::new(&address, Duration::from_secs(5)).unwrap();
    let signed_in =
        SignedIn { user: me(), access_token: "a".to_owned(), refresh_token: "r".to_owned(), expires_in: 3600 };
    let session = Session::begin(http, address, false, Arc::new(MemorySecrets::default()), signed_in).await.unwrap();
    (dir, Core::new(Arc::new(session), cache, Arc::new(SystemClock), Vec::new(), Timing::default()))
}

/// A server that answers every request with that problem.
async fn refusing(code: Code) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = serde_json::to_string(&Problem::new(code, "no")).unwrap();
    let status = code.status();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            // The body of a read mark is the last that comes, and it ends with its brace.
            while !request.ends_with(b"}") && stream.read_buf(&mut request).await.unwrap() > 0 {}
            let length = body.len();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn read_mark_that_the_server_refuses_is_forgotten() {
    let server = refusing(Code::ProjectNotActive).await;
    let (_dir, core) = core_with_a_read_mark(&server).await;
    send_all(&core, ROOM).await.unwrap();
    assert_eq!(core.cache.run(|db| db.read_to_send(ROOM)).await.unwrap(), None);
}

#[tokio::test]
async fn read_mark_outlives_the_session_in_which_it_could_not_be_sent() {
    let server = refusing(Code::Unauthenticated).await;
    let (_dir, core) = core_with_a_read_mark(&server).await;
    let outcome = send_all(&core, ROOM).await;
    assert!(matches!(outcome, Err(ClientError::SignedOut(_))), "{outcome:?}");
    assert!(core.cache.run(|db| db.read_to_send(ROOM)).await.unwrap().is_some(), "the next session sends it");
}
