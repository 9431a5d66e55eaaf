use parley_domain::Role;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::testing::{Answer, TestServer};

/// Every protected address; `*` stands for an id.
const PROTECTED: &[(&str, &str)] = &[
    ("POST", "/auth/logout"),
    ("POST", "/auth/password"),
    ("GET", "/users/me"),
    ("PATCH", "/users/me"),
    ("PATCH", "/admin/providers/*/approval"),
    ("GET", "/requests"),
    ("POST", "/requests"),
    ("GET", "/requests/*"),
    ("PATCH", "/requests/*"),
    ("GET", "/requests/*/proposals"),
    ("POST", "/requests/*/proposals"),
    ("POST", "/proposals/*/accept"),
    ("POST", "/proposals/*/reject"),
    ("POST", "/proposals/*/withdraw"),
    ("GET", "/projects"),
    ("GET", "/projects/*"),
    ("PATCH", "/projects/*/complete"),
    ("PATCH", "/projects/*/cancel"),
    ("GET", "/conversations"),
    ("GET", "/conversations/*"),
    ("GET", "/conversations/project/*"),
    ("GET", "/messages/conversation/*"),
    ("PATCH", "/messages/conversation/*/read"),
    ("POST", "/messages"),
    ("POST", "/meetings"),
    ("GET", "/meetings/me"),
    ("GET", "/meetings/project/*"),
    ("GET", "/meetings/*"),
    ("PATCH", "/meetings/*"),
    ("DELETE", "/meetings/*"),
    ("GET", "/meetings/*/token"),
    ("GET", "/meetings/*/calendar.ics"),
    ("GET", "/meetings/*/log"),
    ("PATCH", "/meetings/*/start"),
    ("PATCH", "/meetings/*/accept"),
    ("PATCH", "/meetings/*/decline"),
    ("PATCH", "/meetings/*/end"),
    ("GET", "/sync"),
];

/// Described in the contract, not served yet.
const LATER: &[(&str, &str)] = &[
    ("PATCH", "/messages/*"),
    ("DELETE", "/messages/*"),
    ("GET", "/messages/search"),
    ("POST", "/attachments"),
    ("GET", "/attachments/*"),
];

#[tokio::test]
async fn every_protected_address_asks_who_calls_under_both_prefixes() {
    let server = TestServer::start().await;
    for (method, path) in PROTECTED.iter().chain(LATER) {
        for prefix in ["/api/v1", "/api"] {
            let path = format!("{prefix}{}", path.replace('*', &Uuid::now_v7().to_string()));
            let answer = Answer::of(server.call(method.parse().unwrap(), &path).json(&json!({}))).await;
            answer.refused(401, "UNAUTHENTICATED");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn what_nobody_has_is_not_found_and_what_is_no_id_can_not_be_read() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let body = json!({ "status": "CANCELLED", "scheduledAt": "2099-01-01T00:00:00Z" });
    for (method, path) in PROTECTED.iter().filter(|(_, path)| path.contains('*') && !path.starts_with("/admin")) {
        let bodies = if *path == "/requests/*/proposals" && *method == "POST" { continue } else { &body };
        let unknown = path.replace('*', &Uuid::now_v7().to_string());
        let answer = Answer::of(maren.call(method.parse().unwrap(), &unknown).json(bodies)).await;
        let is_empty_page = *method == "GET" && answer.body["items"].as_array().is_some_and(Vec::is_empty);
        assert!(answer.status == 404 || is_empty_page, "{method} {path}: {}", answer.body);
        let mangled = path.replace('*', "42");
        Answer::of(maren.call(method.parse().unwrap(), &mangled).json(bodies)).await.refused(400, "MALFORMED");
    }
}

#[tokio::test]
async fn every_error_is_a_problem_document_whoever_made_it() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    Answer::of(server.call(Method::GET, "/nowhere")).await.refused(404, "NOT_FOUND");
    maren.get("/nowhere").await.refused(404, "NOT_FOUND");
    let wrong = Answer::of(maren.call(Method::PUT, "/projects")).await;
    assert_eq!(wrong.refused(405, "METHOD_NOT_ALLOWED").headers["allow"], "GET,HEAD");
    let post =
        |kind: &str, body: Vec<u8>| maren.call(Method::POST, "/requests").header("content-type", kind).body(body);
    let request = br#"{"title":"A","description":"B"}"#.to_vec();
    Answer::of(post("application/xml", request.clone())).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    Answer::of(post("application/x-www-form-urlencoded", request.clone())).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    Answer::of(post("application/json", b"{\"title\":".to_vec())).await.refused(400, "MALFORMED");
    Answer::of(post("application/json", b"\xff\xfe".to_vec())).await.refused(400, "MALFORMED");
    Answer::of(post("application/json", b"[]".to_vec())).await.refused(422, "INVALID");
    Answer::of(post("application/json", vec![b' '; 600_000])).await.refused(413, "PAYLOAD_TOO_LARGE");
    Answer::of(post("text/plain;charset=UTF-8", request)).await.expect(201);
    for query in ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "cursor=-1"] {
        maren.get(&format!("/projects?{query}")).await.refused(422, "INVALID");
    }
    maren.get("/sync?since=nonsense").await.refused(422, "INVALID");
}

#[tokio::test]
async fn a_request_id_is_echoed_or_made() {
    let server = TestServer::start().await;
    let given = server.call(Method::GET, "/health/live").header("x-request-id", "from-outside");
    assert_eq!(Answer::of(given).await.expect(200).headers["x-request-id"], "from-outside");
    let long = server.call(Method::GET, "/nowhere").header("x-request-id", "x".repeat(200));
    let made = Answer::of(long).await.headers["x-request-id"].to_str().unwrap().to_owned();
    assert!(Uuid::parse_str(&made).is_ok(), "{made}");
}

#[tokio::test]
async fn only_named_origins_may_call_from_a_browser() {
    let server = TestServer::start_with(|config| config.allowed_origins = vec!["https://desk.test".to_owned()]).await;
    let from = |origin: &str| server.call(Method::GET, "/health/live").header("origin", origin);
    let named = Answer::of(from("https://desk.test")).await;
    assert_eq!(named.headers["access-control-allow-origin"], "https://desk.test");
    let other = Answer::of(from("https://evil.test")).await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn health_says_whether_the_database_can_be_used() {
    let server = TestServer::start().await;
    Answer::of(server.call(Method::GET, "/health/live")).await.expect(200);
    Answer::of(server.call(Method::GET, "/health/ready")).await.expect(200);
    server.app.store().close().await.unwrap();
    Answer::of(server.call(Method::GET, "/health/live")).await.expect(200);
    Answer::of(server.call(Method::GET, "/health/ready")).await.refused(503, "UNAVAILABLE");
}
