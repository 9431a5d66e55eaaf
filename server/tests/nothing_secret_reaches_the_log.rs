//! What people say and what opens doors never reaches a log, at any level.

use std::{
    io,
    sync::{Arc, Mutex},
};

use parley_domain::Role;
use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// The harness of the unit tests. This test has a program of its own, since the log is the whole process's.
#[allow(dead_code, clippy::unwrap_used, reason = "a harness of tests; the unit tests use the rest of it")]
#[path = "../src/testing.rs"]
mod testing;

// What the harness expects at the root of its crate.
use parley_server::{App, AppState, Config, cli, config, serve_app};
use testing::{Answer, PASSWORD, Socket, TestServer};

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

#[tokio::test]
async fn nothing_secret_is_in_the_log_however_much_is_logged() {
    let log = Log::default();
    let filter = cli::log_filter("trace").unwrap();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone()).init();

    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut socket = pair.provider.socket().await;
    let words = "meet me at the quay with the second key";
    pair.send(&pair.client, words).await.expect(201);
    socket.next("message:new").await;
    let meeting = pair.ring().await;
    let token = pair.provider.get(&format!("/meetings/{meeting}/token")).await.text("/token");
    socket.ask("meeting:accept", json!({ "meetingId": meeting })).await;
    socket.ask("call:join", json!({ "meetingId": meeting, "token": token })).await;
    let secret_signal = "candidate:1 1 udp 2130706431 192.0.2.1";
    socket.ask("call:signal", json!({ "meetingId": meeting, "data": secret_signal })).await;
    let wrong = json!({ "email": pair.client.user.email, "password": "a wrong guess, almost" });
    server.post("/api/auth/login", wrong).await.refused(401, "INVALID_CREDENTIALS");
    let mangled = server.call(Method::POST, "/api/auth/login").header("content-type", "application/json");
    Answer::of(mangled.body(format!("{{\"email\":\"{}\",", pair.client.user.email))).await.refused(400, "MALFORMED");
    Socket::connect(&server.base, json!({ "token": "a token that is none" })).await.err().unwrap();
    server.post("/api/auth/refresh", json!({ "refreshToken": pair.client.refresh })).await.expect(200);
    server.person("Someone Else", Role::Provider).await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("answered"), "something is logged at all");
    let secrets = [
        PASSWORD,
        "a wrong guess",
        words,
        "@people.test",
        &pair.client.access,
        &pair.client.refresh,
        &pair.provider.access,
        &token,
        secret_signal,
        "a token that is none",
        "Maren Aldous",
    ];
    for secret in secrets {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
