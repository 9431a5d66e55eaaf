//! What people say and what opens doors never reaches a log, at any level.

#![allow(clippy::unwrap_used, reason = "this is a test, its helpers too")]

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::mpsc,
};
use tracing_subscriber::fmt::MakeWriter;

/// The harness of the unit tests. This test has a program of its own, since the log is the whole process's.
#[allow(dead_code, clippy::unwrap_used, reason = "a harness of tests; the unit tests use the rest of it")]
#[path = "../src/testing.rs"]
mod testing;

// What the harness expects at the root of its crate.
use parley_server::{App, AppState, Config, cli, clock, config, router, serve_app};
use testing::{Answer, PASSWORD, Pair, Socket, TestServer};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::Error::other("poisoned"))?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A mail server that repeats in its refusals what it was told, as real ones do. Says when it has refused one.
async fn unhelpful_mail_server() -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (sender, refused) = mpsc::channel(100);
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let (read, mut write) = line.into_split();
                let mut read = BufReader::new(read).lines();
                write.write_all(b"220 mail.test\r\n").await.ok()?;
                while let Some(command) = read.next_line().await.ok()? {
                    let is_refused = command.starts_with("RCPT");
                    let answer =
                        if is_refused { format!("550 5.1.1 {command}: unknown\r\n") } else { "250 ok\r\n".into() };
                    write.write_all(answer.as_bytes()).await.ok()?;
                    if is_refused {
                        sender.send(()).await.ok()?;
                    }
                }
                Some(())
            });
        }
    });
    (url, refused)
}

fn settings(dir: &Path, mail: &str) -> Config {
    let file = dir.join("parley.toml");
    let text = format!("smtp_url = '{mail}'\nsmtp_from = 'parley@people.test'\nrate_limits = 'off'\n");
    std::fs::write(&file, text).unwrap();
    Config::load(&config::Flags { config: Some(file), ..config::Flags::default() }).unwrap()
}

/// Each is sent somewhere below, and none may be in the log.
const WORDS: [&str; 16] = [
    PASSWORD,
    "a wrong guess, almost",
    "the password to come",
    "meet me at the quay",
    "make it the pier",
    "secret-file-name.pdf",
    "the words in the file",
    "candidate:1 1 udp 2130706431 192.0.2.1",
    "a token that is none",
    "the title of the request",
    "all of the scope of it",
    "the words that are searched",
    "my-own-client-id",
    "my-own-idempotency-key",
    "@people.test",
    "Maren Aldous",
];

#[tokio::test]
async fn nothing_secret_is_in_the_log_however_much_is_logged() {
    let log = Log::default();
    let filter = cli::log_filter("trace").unwrap();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone()).init();

    let dir = tempfile::tempdir().unwrap();
    let (mail, mut refused_mails) = unhelpful_mail_server().await;
    let data = dir.path().join("data");
    let server = TestServer::start_with(|config| {
        config.smtp = settings(dir.path(), &mail).smtp;
        config.data_dir = data.clone();
        config.agora = Some((config::Secret::new(APP_ID), config::Secret::new(APP_CERTIFICATE)));
    })
    .await;
    let mut opened = vec![APP_CERTIFICATE.to_owned()];
    let pair = server.pair().await;
    for person in [&pair.client, &pair.provider] {
        opened.extend([person.access.clone(), person.refresh.clone()]);
    }
    sign_ins(&server, &pair, &mut opened).await;
    rows(&pair, &mut opened).await;
    let scheduled = json!({ "projectId": pair.project, "type": "scheduled", "scheduledAt": "2098-01-01T00:00:00Z" });
    let meeting = pair.client.post("/meetings", scheduled).await.expect(201).text("/id");
    pair.client.get(&format!("/meetings/{meeting}/calendar.ics")).await.expect(200);
    testing::within(refused_mails.recv()).await.unwrap();
    sockets(&server, &pair, &mut opened).await;

    // The database fails in the middle of all that: its errors are logged, and what they failed at is not.
    let broken = rusqlite::Connection::open(data.join("parley.sqlite3")).unwrap();
    broken.execute_batch("PRAGMA busy_timeout = 10000; ALTER TABLE messages RENAME TO gone").unwrap();
    pair.send(&pair.client, WORDS[3]).await.refused(500, "INTERNAL");
    broken.execute_batch("ALTER TABLE users RENAME TO gone_too").unwrap();
    let login = json!({ "email": pair.client.user.email, "password": PASSWORD });
    server.post("/api/auth/login", login).await.refused(500, "INTERNAL");

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for said in ["answered", "a call failed", "no such table"] {
        assert!(text.contains(said), "{said}: something is logged at all");
    }
    for secret in WORDS.into_iter().chain(opened.iter().map(String::as_str)) {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

async fn sign_ins(server: &TestServer, pair: &Pair, opened: &mut Vec<String>) {
    let email = &pair.client.user.email;
    let wrong = json!({ "email": email, "password": WORDS[1] });
    server.post("/api/auth/login", wrong).await.refused(401, "INVALID_CREDENTIALS");
    let mangled = server.call(Method::POST, "/api/auth/login").header("content-type", "application/json");
    let mangled = mangled.body(format!("{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\","));
    Answer::of(mangled).await.refused(400, "MALFORMED");
    let again = json!({ "email": email, "password": PASSWORD, "name": "Maren Aldous", "role": "client" });
    server.post("/api/auth/register", again).await.refused(409, "EMAIL_TAKEN");
    let refreshed = server.post("/api/auth/refresh", json!({ "refreshToken": pair.client.refresh })).await;
    opened.extend([refreshed.expect(200).text("/accessToken"), refreshed.text("/refreshToken")]);
    server.post("/api/auth/refresh", json!({ "refreshToken": WORDS[8] })).await.refused(401, "UNAUTHENTICATED");
    let change = json!({ "current": WORDS[1], "new": WORDS[2] });
    pair.client.post("/auth/password", change).await.refused(403, "INVALID_CREDENTIALS");
    let change = json!({ "current": PASSWORD, "new": WORDS[2] });
    pair.provider.post("/auth/password", change).await.expect(204);
    pair.client.patch("/users/me", json!({ "name": "Maren Aldous" })).await.expect(200);
    let bearer = server.call(Method::GET, "/api/users/me").bearer_auth(WORDS[8]).header("cookie", WORDS[8]);
    Answer::of(bearer).await.refused(401, "UNAUTHENTICATED");
    Socket::connect(&server.base, json!({ "token": WORDS[8] })).await.err().unwrap();
}

async fn rows(pair: &Pair, opened: &mut Vec<String>) {
    let request = json!({ "title": WORDS[9], "description": WORDS[10] });
    let call = pair.client.call(Method::POST, "/requests").json(&request).header("idempotency-key", WORDS[13]);
    let request = Answer::of(call).await.expect(201).text("/id");
    let proposal = json!({ "price": { "amountMinor": 1, "currency": "USD" }, "scope": WORDS[10],
        "deadline": "2099-01-01T00:00:00Z", "expiresAt": "2098-01-01T00:00:00Z" });
    pair.provider.post(&format!("/requests/{request}/proposals"), proposal).await.expect(201);
    let message =
        json!({ "conversationId": pair.conversation, "content": WORDS[3], "type": "text", "clientId": WORDS[12] });
    let message = pair.client.post("/messages", message).await.expect(201).text("/id");
    // What these answer is other tests' matter.
    pair.client.patch(&format!("/messages/{message}"), json!({ "content": WORDS[4] })).await;
    pair.client.get(&format!("/messages/search?q={}", WORDS[11].replace(' ', "%20"))).await;
    pair.client.get(&format!("/sync?since={}", WORDS[11].replace(' ', "%20"))).await.refused(422, "INVALID");
    let (name, words) = (WORDS[5], WORDS[6]);
    let disposition = format!("content-disposition: form-data; name=\"file\"; filename=\"{name}\"");
    let body = format!("--x\r\n{disposition}\r\ncontent-type: text/plain\r\n\r\n{words}\r\n--x--\r\n");
    let upload =
        pair.client.call(Method::POST, "/attachments").header("content-type", "multipart/form-data; boundary=x");
    let upload = Answer::of(upload.body(body)).await;
    if let Some(link) = upload.body["url"].as_str() {
        opened.extend(link.split_once('?').map(|(_, signature)| signature.to_owned()));
        pair.client.get(&format!("/attachments/{}", upload.text("/id"))).await;
    }
    pair.client.delete(&format!("/messages/{message}")).await;
}

async fn sockets(server: &TestServer, pair: &Pair, opened: &mut Vec<String>) {
    let mut socket = pair.provider.socket().await;
    pair.send(&pair.client, WORDS[3]).await.expect(201);
    while socket.next("message:new").await["content"] != WORDS[3] {}
    let meeting = pair.ring().await;
    let token = pair.provider.get(&format!("/meetings/{meeting}/token")).await;
    opened.extend([token.expect(200).text("/token"), token.text("/screen/token")]);
    socket.ask("meeting:accept", json!({ "meetingId": meeting })).await;
    opened.push(socket.next("meeting:started").await["token"].as_str().unwrap().to_owned());
    socket.ask("call:join", json!({ "meetingId": meeting, "token": WORDS[8] })).await;
    socket.ask("call:join", json!({ "meetingId": meeting, "token": token.text("/token") })).await;
    socket.ask("call:signal", json!({ "meetingId": meeting, "data": WORDS[7] })).await;
    socket.ask("auth:renew", json!({ "token": WORDS[8] })).await;
    socket.ask("auth:renew", json!({ "token": pair.provider.access })).await;
    socket.ask(WORDS[3], json!({ "content": WORDS[3] })).await;
    socket.ask("join", json!({ "conversationId": WORDS[3] })).await;
    let polling = server.call(Method::POST, "/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA");
    Answer::of(polling.body(format!("40{{\"token\":\"{}\"}}", WORDS[8]))).await;
    pair.client.patch(&format!("/meetings/{meeting}/end"), json!({})).await.expect(200);
}

const APP_ID: &str = "970CA35de60c44645bbae8a215061b33";
const APP_CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";
