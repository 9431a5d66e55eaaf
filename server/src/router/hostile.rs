//! Requests that no client of ours sends. Each is refused with a clear problem document, and none ends in a 5xx.

use axum::{Router, body::Body, extract::Request, middleware::from_fn, response::IntoResponse, routing::get};
use parley_domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::panicked;
use crate::{
    envelope,
    testing::{Answer, Person, TestServer, within},
};

async fn post(person: &Person, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    Answer::of(person.call(Method::POST, path).header("content-type", kind).body(body.into())).await
}

const JSON: &str = "application/json";

#[tokio::test]
async fn bodies_that_can_not_be_read_say_why() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let with = |member: &str| format!("{{\"title\":\"A\",\"description\":\"B\",{member}}}").into_bytes();
    let nested = |depth: usize| with(&format!("\"more\":{}{}", "[".repeat(depth), "]".repeat(depth)));
    let plain = with("\"x\":1");
    let cases: [(&str, Vec<u8>, u16, &str); 16] = [
        (JSON, br#"["A","B",null,null]"#.to_vec(), 422, "INVALID"),
        (JSON, nested(33), 400, "MALFORMED"),
        (JSON, nested(100_000), 400, "MALFORMED"),
        (JSON, with("\"x\":\"\\ud800\""), 201, ""),
        (JSON, br#"{"title":"\ud800","description":"B"}"#.to_vec(), 400, "MALFORMED"),
        (JSON, br#"{"title":"A\u0000","description":"B"}"#.to_vec(), 422, "INVALID"),
        (JSON, b"{\"title\":\"A\0\",\"description\":\"B\"}".to_vec(), 400, "MALFORMED"),
        (JSON, br#"{"title":"A","title":"B","description":"C"}"#.to_vec(), 422, "INVALID"),
        (JSON, [b"\xef\xbb\xbf".to_vec(), plain.clone()].concat(), 400, "MALFORMED"),
        (JSON, b"{\"title\":\"\xff\",\"description\":\"B\"}".to_vec(), 400, "MALFORMED"),
        ("application/json; charset=utf-16", plain.clone(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json; charset=\"UTF-8\"", plain.clone(), 201, ""),
        ("text/plain;charset=iso-8859-1", plain.clone(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("multipart/form-data; boundary=x", plain.clone(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("\u{7f}", plain.clone(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("", plain.clone(), 415, "UNSUPPORTED_MEDIA_TYPE"),
    ];
    for (kind, body, status, code) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let Ok(kind) = reqwest::header::HeaderValue::from_bytes(kind.as_bytes()) else { continue };
        let call = maren.call(Method::POST, "/requests").header("content-type", kind.clone()).body(body);
        let answer = Answer::of(call).await;
        assert_eq!(answer.status, status, "{kind:?} {shown}: {}", answer.body);
        if status >= 400 {
            answer.refused(status, code);
        }
    }
    let packed = maren.call(Method::POST, "/requests").header("content-type", JSON).header("content-encoding", "gzip");
    Answer::of(packed.body(plain)).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let long = json!({ "email": "a@b.test", "password": "x".repeat(20_000) });
    server.post("/api/auth/login", long).await.refused(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn numbers_out_of_range_are_refused() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let cases = [
        ("0", 201),
        ("9007199254740991", 201),
        ("9007199254740992", 422),
        ("-1", 422),
        ("-0.5", 422),
        ("1.0", 422),
        ("1e3", 422),
        ("\"1\"", 422),
        ("true", 422),
        ("null", 422),
        ("99999999999999999999", 422),
        ("-99999999999999999999", 422),
        ("1e400", 400),
        ("NaN", 400),
        ("Infinity", 400),
        ("01", 400),
    ];
    for (amount, status) in cases {
        let budget = format!("{{\"amountMinor\":{amount},\"currency\":\"USD\"}}");
        let body = format!("{{\"title\":\"A\",\"description\":\"B\",\"budget\":{budget}}}");
        let answer = post(&maren, "/requests", JSON, body).await;
        assert_eq!(answer.status, status, "{amount}: {}", answer.body);
    }
}

#[tokio::test]
async fn instants_far_away_and_impossible_ones_do_no_harm() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let cases = [
        ("9999-12-31T23:59:59.999Z", 201),
        ("0001-01-01T00:00:00Z", 201),
        ("2026-06-30T23:59:60Z", 201),
        ("2030-01-01T00:00:00.123456789+14:00", 201),
        ("9999-12-31T23:59:59-01:00", 422),
        ("0000-12-31T23:59:59Z", 422),
        ("0001-01-01T00:00:00+01:00", 422),
        ("-0001-01-01T00:00:00Z", 422),
        ("10000-01-01T00:00:00Z", 422),
        ("+12026-01-01T00:00:00Z", 422),
        ("2026-02-30T00:00:00Z", 422),
        ("2026-01-01T24:00:00Z", 422),
        ("2026-01-01T00:00:00+99:00", 422),
        ("2026-01-01", 422),
        ("1767225600", 422),
        ("", 422),
    ];
    for (deadline, status) in cases {
        let body = json!({ "title": "A", "description": "B", "deadline": deadline });
        let answer = pair.client.post("/requests", body).await;
        assert_eq!(answer.status, status, "{deadline}: {}", answer.body);
        if status == 201 {
            assert!(answer.text("/deadline").ends_with('Z'), "{}", answer.body);
        }
    }
    // What is due in eight thousand years is waited for like anything else.
    for at in ["9999-12-31T23:59:59.999Z", "2900-01-01T00:00:00Z"] {
        let body = json!({ "projectId": pair.project, "type": "scheduled", "scheduledAt": at });
        let meeting = pair.client.post("/meetings", body).await.expect(201).text("/id");
        pair.provider.patch(&format!("/meetings/{meeting}/accept"), json!({})).await.expect(200);
        pair.client.get(&format!("/meetings/{meeting}/token")).await.refused(409, "MEETING_NOT_OPEN");
    }
    pair.client.get("/meetings/me?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z").await.expect(200);
    pair.send(&pair.client, "still here").await.expect(201);
}

#[tokio::test]
async fn queries_are_read_strictly() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let history = format!("/messages/conversation/{}", pair.conversation);
    let refused = [
        "limit=1e3",
        "limit=-1",
        "limit=99999999999999999999",
        "limit=",
        "limit=%00",
        "limit=%ff",
        "limit=5%20",
        "cursor=",
        "cursor=%ff",
        "cursor=p",
        "cursor=n-1",
        "cursor=p80000000000000000",
        "cursor=%F0%9F%98%80",
        "after=",
        "after=-1",
        "after=1.5",
        "after=99999999999999999999",
        "after=1&cursor=p1",
    ];
    for query in refused {
        let answer = pair.client.get(&format!("{history}?{query}")).await;
        answer.refused(422, "INVALID");
    }
    let long = format!("cursor=p{}", "1".repeat(5000));
    pair.client.get(&format!("{history}?{long}")).await.refused(422, "INVALID");
    pair.client.get(&format!("{history}?x={}", "1".repeat(9000))).await.refused(400, "MALFORMED");
    for query in ["after=9223372036854775807", "cursor=n7fffffffffffffff", "cursor=p0", "unknown=%00"] {
        pair.client.get(&format!("{history}?{query}")).await.expect(200);
    }
    for since in ["", "x", "%00", "zzzzzzzz1", "1234567", "%F0%9F%98%801234", "ffffffff80000000000000000"] {
        pair.client.get(&format!("/sync?since={since}")).await.refused(422, "INVALID");
    }
    let answer = pair.client.get("/sync?since=ffffffff7fffffffffffffff").await;
    answer.refused(410, "SYNC_TOO_OLD");
    for filter in ["status=active", "status=%00", "status=", "from=yesterday", "to=", "to=10000-01-01T00:00:00Z"] {
        pair.client.get(&format!("/meetings/me?{filter}")).await.refused(422, "INVALID");
    }
}

#[tokio::test]
async fn keys_have_one_to_128_visible_characters() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let request = json!({ "title": "A", "description": "B" });
    let with = |keys: Vec<Vec<u8>>| {
        let call = pair.client.call(Method::POST, "/requests").json(&request);
        let call = keys.into_iter().fold(call, |call, key| {
            call.header("idempotency-key", reqwest::header::HeaderValue::from_bytes(&key).unwrap())
        });
        Answer::of(call)
    };
    with(vec![vec![b'k'; 128]]).await.expect(201);
    for keys in [vec![vec![b'k'; 129]], vec![Vec::new()], vec!["é".into()], vec![b"a".to_vec(), b"b".to_vec()]] {
        with(keys).await.refused(422, "INVALID");
    }
    for client_id in ["", "a\u{0}b", &"k".repeat(129)] {
        let body =
            json!({ "conversationId": pair.conversation, "content": "x", "type": "text", "clientId": client_id });
        pair.client.post("/messages", body).await.refused(422, "INVALID");
    }
    let body =
        json!({ "conversationId": pair.conversation, "content": "x", "type": "text", "clientId": "ä".repeat(128) });
    pair.client.post("/messages", body).await.expect(201);
}

/// The status and the rest of what the server answers to those bytes.
async fn raw(server: &TestServer, request: &[u8]) -> (u16, String) {
    let address = server.base.strip_prefix("http://").unwrap();
    let mut line = TcpStream::connect(address).await.unwrap();
    // It may answer and close before it has read everything.
    line.write_all(request).await.ok();
    let mut answer = Vec::new();
    within(line.read_to_end(&mut answer)).await.ok();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, text)
}

#[tokio::test]
async fn odd_methods_and_paths_lead_nowhere() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let id = uuid::Uuid::now_v7();
    let ask = |method: &str, path: &str| {
        let headers = format!("host: x\r\nconnection: close\r\nauthorization: Bearer {}", maren.access);
        format!("{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n").into_bytes()
    };
    let cases = [
        ("GET", "/api/v1/users/me".to_owned(), 200),
        ("HEAD", "/api/v1/users/me".to_owned(), 200),
        ("GET", "//api/v1/users/me".to_owned(), 404),
        ("GET", "/api//v1/users/me".to_owned(), 404),
        ("GET", "/api/v1/users/me/".to_owned(), 404),
        ("GET", "/api/v1/../v1/users/me".to_owned(), 404),
        ("GET", "/api/v1/%2e%2e/users/me".to_owned(), 404),
        ("GET", "/api/v1/users%2fme".to_owned(), 404),
        ("GET", "/API/v1/users/me".to_owned(), 404),
        ("GET", "/api/v1/users/me%00".to_owned(), 404),
        ("GET", "/api/v1/requests/%00".to_owned(), 400),
        ("GET", "/api/v1/requests/%ff".to_owned(), 400),
        ("GET", format!("/api/v1/requests/{id}%20"), 400),
        ("GET", format!("/api/v1/requests/{}", id.as_u128()), 400),
        ("GET", format!("/api/v1/requests/{id}"), 404),
        ("GET", "http://evil.test/api/v1/users/me".to_owned(), 200),
        ("OPTIONS", "/api/v1/users/me".to_owned(), 405),
        ("OPTIONS", "*".to_owned(), 404),
        ("TRACE", "/api/v1/users/me".to_owned(), 405),
        ("PUT", "/api/v1/users/me".to_owned(), 405),
        ("BREW", "/api/v1/users/me".to_owned(), 405),
        ("CONNECT", "evil.test:443".to_owned(), 404),
        ("GET", "/socket.iox".to_owned(), 404),
        ("GET", format!("/{}", "x".repeat(9_000)), 400),
    ];
    for (method, path, status) in cases {
        let (got, text) = raw(&server, &ask(method, &path)).await;
        assert_eq!(got, status, "{method} {path:.60}: {text}");
        let is_problem = text.contains("application/problem+json") && text.contains("\"code\"");
        assert!(got < 400 || is_problem, "{method} {path:.60}: {text}");
        assert!(text.contains("x-request-id: ") && text.contains("x-content-type-options: nosniff"), "{text}");
    }
}

/// Here the HTTP parser answers, before any of ours is reached.
#[tokio::test]
async fn broken_and_oversized_requests_are_refused_by_the_parser() {
    let server = TestServer::start().await;
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let cases: [(Vec<u8>, &[u16]); 9] = [
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(70_000)).into_bytes(), &[414, 431]),
        (format!("GET /health/live HTTP/1.1\r\nhost: x\r\n{many}\r\n").into_bytes(), &[431]),
        (format!("GET /health/live HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(1_000_000)).into_bytes(), &[431]),
        (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_vec(), &[400]),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(), &[400]),
        (b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n".to_vec(), &[400]),
        (b"GET / HTTP/9.9\r\n\r\n".to_vec(), &[400]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), &[400]),
        (b"GET /health/live HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n".to_vec(), &[400]),
    ];
    for (request, expected) in cases {
        let (status, text) = raw(&server, &request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        assert!(expected.contains(&status), "{shown:?}: {text}");
    }
    Answer::of(server.call(Method::GET, "/health/live")).await.expect(200);
}

#[tokio::test]
async fn a_foreign_pages_preflight_gets_nothing_and_an_allowed_ones_all_it_needs() {
    let server = TestServer::start_with(|config| config.allowed_origins = vec!["https://desk.test".to_owned()]).await;
    let polling = "/socket.io/?EIO=4&transport=polling";
    for path in ["/api/v1/requests", "/api/auth/login", polling, "/nowhere"] {
        let preflight = |origin: &str| {
            let call = server.call(Method::OPTIONS, path).header("origin", origin);
            call.header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,content-type")
        };
        for origin in
            ["https://evil.test", "null", "https://desk.test.evil.test", "http://desk.test", "https://DESK.test"]
        {
            let foreign = Answer::of(preflight(origin)).await;
            foreign.refused(403, "FORBIDDEN");
            assert!(!foreign.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{foreign:?}");
        }
        let own = Answer::of(preflight("https://desk.test")).await;
        own.expect(204);
        assert_eq!(own.headers["access-control-allow-origin"], "https://desk.test");
        assert!(!own.headers.contains_key("access-control-allow-credentials"), "tokens are no cookies");
        let allowed = own.headers["access-control-allow-headers"].to_str().unwrap();
        assert!(["authorization", "content-type", "idempotency-key"].iter().all(|name| allowed.contains(name)));
        assert!(own.headers["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
        assert_eq!(own.headers["vary"], "origin");
    }
    // Errors can be read by the page too, and nobody else's answers can.
    let call = |origin: &str| server.call(Method::GET, "/api/v1/users/me").header("origin", origin);
    let own = Answer::of(call("https://desk.test")).await;
    assert_eq!(own.refused(401, "UNAUTHENTICATED").headers["access-control-allow-origin"], "https://desk.test");
    let foreign = Answer::of(call("https://evil.test")).await;
    assert!(!foreign.refused(401, "UNAUTHENTICATED").headers.contains_key("access-control-allow-origin"));
    let own = Answer::of(server.call(Method::GET, polling).header("origin", "https://desk.test")).await;
    assert_eq!(own.expect(200).headers["access-control-allow-origin"], "https://desk.test");
}

#[tokio::test]
async fn every_answer_is_guarded_against_browsers() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let polling = "/socket.io/?EIO=4&transport=polling";
    let answers = [
        maren.get("/users/me").await,
        maren.get("/nowhere").await,
        Answer::of(server.call(Method::GET, "/health/ready")).await,
        Answer::of(server.call(Method::GET, "/api/requests")).await,
        Answer::of(server.call(Method::DELETE, "/health/live")).await,
        Answer::of(server.call(Method::GET, polling)).await,
        Answer::of(server.call(Method::GET, "/socket.io/")).await,
        Answer::of(server.call(Method::OPTIONS, "/").header("origin", "https://a.test")).await,
    ];
    for answer in answers {
        let status = answer.status;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{status}");
        assert_eq!(answer.headers["x-frame-options"], "DENY", "{status}");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer", "{status}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{status}");
        assert!(answer.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        assert!(answer.headers.contains_key("x-request-id"), "{status}");
        for name in ["server", "x-powered-by"] {
            assert!(!answer.headers.contains_key(name), "{name}");
        }
    }
}

#[tokio::test]
async fn a_panic_is_a_500_with_a_request_id_and_nothing_else() {
    let router = Router::new()
        .route("/", get(async || -> () { panic!("the secret of the panic") }))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(envelope::wrap));
    let answer = router.oneshot(Request::new(Body::empty())).await.into_response();
    assert_eq!(answer.status(), 500);
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["code"], &body["requestId"]), (&json!("INTERNAL"), &json!(id)));
    assert!(!body.to_string().contains("secret"), "{body}");
}
