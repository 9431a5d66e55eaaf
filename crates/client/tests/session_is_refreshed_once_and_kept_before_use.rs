//! The session against an HTTP peer that counts.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use parley_client::{Client, ClientError, ClientOptions, Credentials, MemorySecrets, SecretError, SecretStore};
use parley_protocol::Code;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// What a peer is asked: path, `Authorization`, body.
struct Asked {
    path: String,
    bearer: String,
    body: Value,
}

/// An HTTP/1.1 peer that answers by a function; one request a connection.
async fn peer(answer: impl Fn(Asked) -> (u16, Value) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move { serve(stream, &*answer).await });
        }
    });
    url
}

async fn serve(mut stream: TcpStream, answer: &(dyn Fn(Asked) -> (u16, Value) + Send + Sync)) -> Option<()> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut some = [0; 4096];
        let count = stream.read(&mut some).await.ok()?;
        bytes.extend_from_slice(&some[..count]);
        if count == 0 {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = header(&head, "content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                break (head, length);
            }
        }
    };
    let body = serde_json::from_slice(&bytes[bytes.len() - length..]).unwrap_or(Value::Null);
    let path = head.split(' ').nth(1)?.to_owned();
    let bearer = header(&head, "authorization").unwrap_or_default();
    let (status, body) = answer(Asked { path, bearer, body });
    let body = body.to_string();
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.ok()
}

fn header(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
    Some(line[name.len() + 1..].trim().to_owned())
}

fn signed_in(number: usize, expires_in: u64) -> Value {
    json!({
        "user": {
            "id": "0196f0a0-0000-7000-8000-000000000001", "email": "a@demo.test", "name": "A", "role": "client",
            "approved": true, "createdAt": "2026-01-01T00:00:00.000Z", "timeZone": null
        },
        "accessToken": format!("access-{number}"), "refreshToken": format!("refresh-{number}"), "expiresIn": expires_in
    })
}

fn problem(code: Code) -> (u16, Value) {
    (code.status(), serde_json::to_value(parley_protocol::Problem::new(code, "no")).unwrap())
}

async fn sign_in(server: &str, secrets: &Arc<MemorySecrets>, dir: &tempfile::TempDir) -> Result<Client, ClientError> {
    sign_in_keeping(server, Arc::clone(secrets) as Arc<dyn SecretStore>, dir).await
}

async fn sign_in_keeping(
    server: &str,
    secrets: Arc<dyn SecretStore>,
    dir: &tempfile::TempDir,
) -> Result<Client, ClientError> {
    let options = ClientOptions::new(dir.path(), secrets);
    let credentials = Credentials {
        server: server.to_owned(),
        allow_plain_http: false,
        email: "a@demo.test".to_owned(),
        password: "secret".to_owned(),
    };
    Client::sign_in(options, credentials).await
}

#[tokio::test]
async fn wrong_password_is_told_and_nothing_is_kept() {
    let server = peer(|_| problem(Code::InvalidCredentials)).await;
    let (secrets, dir) = (Arc::default(), tempfile::tempdir().unwrap());
    let error = sign_in(&server, &secrets, &dir).await.err().unwrap();
    assert_eq!(error.code(), Code::InvalidCredentials);
    assert_eq!(secrets.load().unwrap(), None);
}

#[tokio::test]
async fn what_is_no_parley_server_is_told() {
    let server = peer(|_| (200, json!({"hello": "world"}))).await;
    let (secrets, dir) = (Arc::default(), tempfile::tempdir().unwrap());
    let error = sign_in(&server, &secrets, &dir).await.err().unwrap();
    assert_eq!(error.code(), Code::NotAParleyServer);
}

#[tokio::test]
async fn many_calls_with_an_expired_token_make_one_refresh() {
    let refreshes = Arc::new(AtomicUsize::new(0));
    let (secrets, dir) = (Arc::new(MemorySecrets::default()), tempfile::tempdir().unwrap());
    let (count, kept) = (Arc::clone(&refreshes), Arc::clone(&secrets));
    let server = peer(move |asked| match asked.path.as_str() {
        "/api/v1/auth/login" => (200, signed_in(0, 3600)),
        "/api/v1/auth/refresh" => {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            assert_eq!(asked.body["refreshToken"], format!("refresh-{}", number - 1), "each works once");
            (200, signed_in(number, 3600))
        }
        "/api/v1/users/me" if asked.bearer == "Bearer access-0" => problem(Code::TokenExpired),
        "/api/v1/users/me" => {
            assert!(kept.load().unwrap().unwrap().contains("refresh-1"), "kept before it is used");
            (200, signed_in(1, 3600)["user"].clone())
        }
        _ => problem(Code::NotFound),
    })
    .await;
    let client = sign_in(&server, &secrets, &dir).await.unwrap();
    let calls = (0..8).map(|_| client.rest().me());
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn session_that_the_server_ended_is_over_and_forgotten() {
    let server = peer(|asked| match asked.path.as_str() {
        "/api/v1/auth/login" => (200, signed_in(0, 3600)),
        _ => problem(Code::Unauthenticated),
    })
    .await;
    let (secrets, dir) = (Arc::new(MemorySecrets::default()), tempfile::tempdir().unwrap());
    let client = sign_in(&server, &secrets, &dir).await.unwrap();
    assert!(matches!(client.rest().me().await, Err(ClientError::SignedOut(_))));
    assert!(matches!(client.connected().await, Err(ClientError::SignedOut(_))));
    assert_eq!(secrets.load().unwrap(), None);
    let options = ClientOptions::new(dir.path(), Arc::clone(&secrets) as Arc<dyn SecretStore>);
    assert!(Client::restore(options).await.unwrap().is_none());
}

/// Tells when the session was forgotten, so that something else can be made to end only after that.
struct Forgotten(Mutex<mpsc::Receiver<()>>);

impl Forgotten {
    fn new() -> (mpsc::Sender<()>, Self) {
        let (forget, forgotten) = mpsc::channel();
        (forget, Self(Mutex::new(forgotten)))
    }

    /// Blocks until then, or until it is plain that forgetting waits for us.
    fn wait(&self) {
        let _ = self.0.lock().unwrap().recv_timeout(Duration::from_millis(300));
    }
}

/// Saves the refreshed session slowly: not before it was forgotten, if that does not wait.
struct SlowSecrets {
    kept: MemorySecrets,
    saves: AtomicUsize,
    saving: Notify,
    saved: Notify,
    forget: mpsc::Sender<()>,
    forgotten: Option<Forgotten>,
}

impl SecretStore for SlowSecrets {
    fn load(&self) -> Result<Option<String>, SecretError> {
        self.kept.load()
    }

    fn save(&self, secret: &str) -> Result<(), SecretError> {
        let refreshed = self.saves.fetch_add(1, Ordering::SeqCst) > 0;
        if refreshed && let Some(forgotten) = &self.forgotten {
            self.saving.notify_one();
            forgotten.wait();
        }
        self.kept.save(secret)?;
        if refreshed {
            self.saved.notify_one();
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), SecretError> {
        self.kept.clear()?;
        let _ = self.forget.send(());
        Ok(())
    }
}

#[tokio::test]
async fn sign_out_waits_for_a_save_whose_caller_is_gone() {
    let server = peer(|asked| match asked.path.as_str() {
        "/api/v1/auth/login" => (200, signed_in(0, 3600)),
        "/api/v1/auth/refresh" => (200, signed_in(1, 3600)),
        "/api/v1/users/me" => problem(Code::TokenExpired),
        _ => problem(Code::NotFound),
    })
    .await;
    let (forget, forgotten) = Forgotten::new();
    let secrets = Arc::new(SlowSecrets {
        kept: MemorySecrets::default(),
        saves: AtomicUsize::new(0),
        saving: Notify::new(),
        saved: Notify::new(),
        forget,
        forgotten: Some(forgotten),
    });
    let dir = tempfile::tempdir().unwrap();
    let client = sign_in_keeping(&server, Arc::clone(&secrets) as Arc<dyn SecretStore>, &dir).await.unwrap();
    let rest = client.rest().clone();
    let asking = tokio::spawn(async move { rest.me().await });
    secrets.saving.notified().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());

    client.sign_out().await.unwrap();
    secrets.saved.notified().await;
    assert_eq!(secrets.load().unwrap(), None, "the next start would find a session that was signed out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_that_is_answered_after_the_sign_out_keeps_nothing() {
    let (forget, forgotten) = Forgotten::new();
    let refreshing = Arc::new(Notify::new());
    let asked_to_refresh = Arc::clone(&refreshing);
    let server = peer(move |asked| match asked.path.as_str() {
        "/api/v1/auth/login" => (200, signed_in(0, 3600)),
        "/api/v1/auth/refresh" => {
            asked_to_refresh.notify_one();
            tokio::task::block_in_place(|| forgotten.wait());
            (200, signed_in(1, 3600))
        }
        "/api/v1/users/me" => problem(Code::TokenExpired),
        _ => problem(Code::NotFound),
    })
    .await;
    let secrets = Arc::new(SlowSecrets {
        kept: MemorySecrets::default(),
        saves: AtomicUsize::new(0),
        saving: Notify::new(),
        saved: Notify::new(),
        forget,
        forgotten: None,
    });
    let dir = tempfile::tempdir().unwrap();
    let client = sign_in_keeping(&server, Arc::clone(&secrets) as Arc<dyn SecretStore>, &dir).await.unwrap();
    let rest = client.rest().clone();
    let asking = tokio::spawn(async move { rest.me().await });
    refreshing.notified().await;

    client.sign_out().await.unwrap();
    let outcome = asking.await.unwrap();
    assert_eq!(secrets.load().unwrap(), None, "the next start would find a session that was signed out");
    assert!(matches!(outcome, Err(ClientError::SignedOut(_))), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_goes_on_when_its_caller_goes_away() {
    let (secrets, dir) = (Arc::new(MemorySecrets::default()), tempfile::tempdir().unwrap());
    let (asked, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let (go, gone_on) = std::sync::mpsc::channel::<()>();
    let gone_on = std::sync::Mutex::new(gone_on);
    let server = peer(move |request| match request.path.as_str() {
        "/api/v1/auth/login" => (200, signed_in(0, 3600)),
        "/api/v1/auth/refresh" => {
            asked.send(()).unwrap();
            tokio::task::block_in_place(|| gone_on.lock().unwrap().recv().unwrap());
            (200, signed_in(1, 3600))
        }
        "/api/v1/users/me" if request.bearer == "Bearer access-1" => (200, signed_in(1, 3600)["user"].clone()),
        "/api/v1/users/me" => problem(Code::TokenExpired),
        _ => problem(Code::NotFound),
    })
    .await;
    let client = sign_in(&server, &secrets, &dir).await.unwrap();
    tokio::select! {
        _ = client.rest().me() => panic!("it was answered"),
        _ = begun.recv() => {}
    }
    go.send(()).unwrap();
    client.rest().me().await.unwrap();
    assert!(begun.try_recv().is_err(), "no second refresh");
    assert!(secrets.load().unwrap().unwrap().contains("refresh-1"));
}
