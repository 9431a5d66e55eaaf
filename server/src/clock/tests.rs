use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, PASSWORD, TestServer};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The machine's clock, moved by hand.
#[derive(Clone, Debug, Default)]
struct Jumping(Arc<AtomicI64>);

impl Jumping {
    fn jump(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() + self.0.load(Ordering::SeqCst))
    }
}

async fn server() -> (TestServer, Jumping) {
    let clock = Jumping::default();
    let set = clock.clone();
    (TestServer::start_with(move |config| config.clock = Arc::new(set)).await, clock)
}

#[tokio::test]
async fn messages_keep_their_order_and_marks_when_the_clock_jumps_both_ways() {
    let (server, clock) = server().await;
    let pair = server.pair().await;
    for (n, jump) in [0, -400 * DAY_MS, 400 * DAY_MS, -3_600_000].into_iter().enumerate() {
        clock.jump(jump);
        let again = server.post("/api/v1/auth/login", json!({ "email": pair.client.user.email, "password": PASSWORD }));
        let token = again.await.expect(200).text("/accessToken");
        let body = json!({ "conversationId": pair.conversation, "content": n.to_string(), "type": "text" });
        let send = server.call(reqwest::Method::POST, "/api/v1/messages").bearer_auth(&token).json(&body);
        Answer::of(send).await.expect(201);
        let path = format!("/api/v1/messages/conversation/{}", pair.conversation);
        let page = Answer::of(server.call(reqwest::Method::GET, &path).bearer_auth(&token)).await;
        let items = page.expect(200).body["items"].as_array().unwrap().clone();
        let seen: Vec<_> = items.iter().map(|item| item["content"].as_str().unwrap().to_owned()).collect();
        assert_eq!(seen, (0..=n).map(|n| n.to_string()).collect::<Vec<_>>(), "after a jump of {jump} ms");
    }
}

#[tokio::test]
async fn a_ring_runs_on_and_a_call_ends_with_a_sane_length_when_the_clock_jumps() {
    let (server, clock) = server().await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    for jump in [DAY_MS / 100, -DAY_MS / 50] {
        clock.jump(jump);
        let invite = pair.provider.socket().await.next("meeting:invite").await;
        let left = invite["expiresInSeconds"].as_u64().unwrap();
        assert!((30..=45).contains(&left), "{left} s left after a jump of {jump} ms");
    }
    pair.provider.patch(&format!("/meetings/{meeting}/accept"), json!({})).await.expect(200);
    clock.jump(-DAY_MS / 100);
    let ended = pair.client.patch(&format!("/meetings/{meeting}/end"), json!({})).await;
    assert_eq!(ended.expect(200).body["status"], "COMPLETED");
    assert_eq!(ended.body["duration"], json!(0), "no length is negative");
    assert_ne!(ended.body["endedAt"], Value::Null);
}
