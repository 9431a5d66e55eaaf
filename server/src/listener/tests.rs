use std::time::Duration;

use reqwest::{Method, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    config::{Config, Switch},
    testing::{Socket, TestServer, within},
};

async fn line(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.base.trim_start_matches("http://")).await.unwrap()
}

/// Everything until the server closes the line.
async fn rest(line: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset says the same as an end.
    let _ = within(line.read_to_end(&mut text)).await;
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let server = TestServer::start_with(|config| config.timing.request_head = Duration::from_millis(200)).await;
    let mut slow = line(&server).await;
    slow.write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow: ").await.unwrap();
    let answer = rest(&mut slow).await;
    assert!(!answer.contains("200 OK"), "{answer}");
    let mut silent = line(&server).await;
    assert_eq!(rest(&mut silent).await, "");
}

#[tokio::test]
async fn too_large_and_too_many_headers_are_refused() {
    let server = TestServer::start().await;
    let heads = [format!("X-Long: {}\r\n", "x".repeat(40_000)), "X-Many: 1\r\n".repeat(200)];
    for head in heads {
        let mut line = line(&server).await;
        let request = format!("GET /health/live HTTP/1.1\r\nHost: a\r\n{head}\r\n");
        let _ = line.write_all(request.as_bytes()).await;
        let answer = rest(&mut line).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert_eq!(server.call(Method::GET, "/health/live").send().await.unwrap().status(), StatusCode::OK);
}

/// Spends the allowance of an address, told by headers; answers the status of one call more.
async fn after_a_burst(server: &TestServer, burst: impl Fn(usize) -> String, last: &str) -> StatusCode {
    let ask = async |forwarded: String| {
        let body = serde_json::json!({ "refreshToken": "nobody's" });
        let call = server.call(Method::POST, "/api/v1/auth/refresh").header("x-forwarded-for", forwarded).json(&body);
        call.send().await.unwrap().status()
    };
    for n in 0..200 {
        assert_eq!(ask(burst(n)).await, StatusCode::UNAUTHORIZED);
    }
    // Some of it has come back meanwhile.
    for _ in 0..100 {
        let status = ask(last.to_owned()).await;
        if status != StatusCode::UNAUTHORIZED {
            return status;
        }
    }
    StatusCode::UNAUTHORIZED
}

fn limited(trusted: &'static [&'static str]) -> impl FnOnce(&mut Config) {
    |config| {
        config.rate_limits = Switch::On;
        config.trusted_proxies = trusted.iter().map(|net| net.parse().unwrap()).collect();
    }
}

#[tokio::test]
async fn without_a_trusted_proxy_no_header_gives_another_address() {
    let server = TestServer::start_with(limited(&[])).await;
    let status = after_a_burst(&server, |n| format!("203.0.113.{n}"), "203.0.113.99").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_allowance() {
    let server = TestServer::start_with(limited(&["127.0.0.0/8"])).await;
    assert_eq!(after_a_burst(&server, |_| "203.0.113.1".into(), "203.0.113.2").await, StatusCode::UNAUTHORIZED);
    let server = TestServer::start_with(limited(&["127.0.0.0/8"])).await;
    let spoofed = after_a_burst(&server, |n| format!("198.51.100.{n}, 203.0.113.1"), "9.9.9.9, 203.0.113.1").await;
    assert_eq!(spoofed, StatusCode::TOO_MANY_REQUESTS, "what the client itself wrote counts for nothing");
}

#[tokio::test]
async fn the_end_waits_for_a_running_call_but_not_for_silent_or_stalled_lines() {
    let mut server = TestServer::start_with(|config| config.timing.drain = Duration::from_millis(500)).await;
    let person = server.person("Maren Aldous", parley_domain::Role::Client).await;
    let mut socket = Socket::connect(&server.base, serde_json::json!({ "token": person.access })).await.unwrap();
    let mut silent = line(&server).await;
    let mut stalled = line(&server).await;
    let head =
        "POST /api/v1/auth/refresh HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\n";
    stalled.write_all(format!("{head}\r\n{{\"refresh").as_bytes()).await.unwrap();
    let mut idle = line(&server).await;
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    within(idle.read_exact(&mut first)).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    within(server.stop()).await;
    socket.closed().await;
    assert_eq!(rest(&mut silent).await, "");
    assert!(!rest(&mut stalled).await.contains("200 OK"));
    rest(&mut idle).await;
}
