//! Sockets that send too much, too deep or nonsense. Nobody else may feel it.

use futures_util::future::join_all;
use parley_domain::Role;
use reqwest::Method;
use serde_json::json;

use crate::{
    config::Switch,
    realtime::devices::MAX_DEVICES,
    testing::{Answer, Socket, TestServer, within},
};

fn with_limits(config: &mut crate::Config) {
    config.rate_limits = Switch::On;
}

#[tokio::test]
async fn a_person_has_at_most_twenty_sockets_also_when_they_come_at_once() {
    let server = TestServer::start_with(with_limits).await;
    let maren = server.person("Maren", Role::Client).await;
    let auth = json!({ "token": maren.access });
    let come = (0..25).map(|_| Socket::connect(&server.base, auth.clone()));
    let (mut inside, mut refused) = (Vec::new(), Vec::new());
    for outcome in join_all(come).await {
        match outcome {
            Ok(socket) => inside.push(socket),
            Err(message) => refused.push(message),
        }
    }
    assert_eq!(inside.len(), MAX_DEVICES as usize);
    assert_eq!(refused, ["RATE_LIMITED"; 5]);
    // Other people don't feel it, and a place that is left can be taken.
    server.person("Tomas", Role::Client).await.socket().await;
    let gone = server.app.devices.of(maren.id()).into_iter().map(|device| device.gone.clone());
    let gone: Vec<_> = gone.collect();
    inside.remove(0).drop_line().await;
    within(futures_util::future::select_all(gone.iter().map(|gone| Box::pin(gone.cancelled())))).await;
    within(async {
        while Socket::connect(&server.base, auth.clone()).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn too_many_events_are_refused_and_who_never_heeds_it_is_cut() {
    let server = TestServer::start_with(with_limits).await;
    let pair = server.pair().await;
    let mut socket = pair.client.socket().await;
    let mut other = pair.provider.socket().await;
    let room = json!(["join", { "conversationId": pair.conversation }]);
    for id in 1000..1600 {
        socket.write(format!("42{id}{room}")).await;
    }
    let answers = socket.answers_to(1000..1600).await;
    let accepted = answers.iter().filter(|answer| answer["ok"] == true).count();
    assert!((256..600).contains(&accepted), "{accepted}");
    assert!(answers.iter().all(|answer| answer["ok"] == true || answer["code"] == "RATE_LIMITED"));
    let flood = async {
        for _ in 0..4000 {
            if socket.try_write(format!("42{room}")).await.is_err() {
                break;
            }
        }
        socket.line_closed().await;
    };
    within(flood).await;
    assert_eq!(other.ask("join", room[1].clone()).await["ok"], true);
}

/// A worker that stands still, because the database does, fills the queue before the allowance is used up.
#[tokio::test]
async fn events_that_do_not_fit_into_the_queue_are_refused_and_the_rest_is_done() {
    let server = TestServer::start_with(with_limits).await;
    let pair = server.pair().await;
    let mut socket = pair.client.socket().await;
    let database = rusqlite::Connection::open(server.app.config.database()).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let read = json!(["conversation:read", { "conversationId": pair.conversation }]);
    for id in 100..400 {
        socket.write(format!("42{id}{read}")).await;
    }
    // One is being done, 256 wait; the rest is answered while nothing else is.
    let refused = socket.answers_to(360..400).await;
    assert!(refused.iter().all(|answer| answer["code"] == "RATE_LIMITED"), "{refused:?}");
    database.execute_batch("ROLLBACK").unwrap();
    // The first may have waited too long for the database.
    let done = socket.answers_to(101..356).await;
    assert!(done.iter().all(|answer| answer["ok"] == true), "{done:?}");
}

#[tokio::test]
async fn nonsense_on_a_line_hurts_nobody_else() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let mut socket = pair.client.socket().await;
    let deep = [nested(100), nested(200), nested(20_000)];
    for payload in deep.iter().map(String::as_str).chain(["{\"a\":\"\\ud800\"}", "1e999", "\"\\u0000\"", "1e300"]) {
        socket.write(format!("42778[\"join\",{payload}]")).await;
        let answer = socket.answers_to(778..779).await;
        assert_eq!(answer[0]["code"], "MALFORMED", "{payload:.40}");
        assert!(answer[0]["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    let nonsense = [
        "42[\"join\",NaN]",
        "42[\"join\",{\"a\":1,}]",
        "",
        "4",
        "44{\"message\":\"x\"}",
        "43[]",
        "431[]",
        "42",
        "42[]",
        "42[1]",
        "42{}",
        "42[\"\"]",
        "4zzz",
        "40{\"token\":1}",
        "4/other,0",
        "40/other,{}",
        "41/other,",
        "451-[\"join\",{\"_placeholder\":true,\"num\":0}]",
        "459999999999-[]",
        "46-1",
        "42/é,[\"é\"]",
        "4299999999999999999999[\"join\",{}]",
        "5",
        "6",
        "7",
        "2",
        "3probe",
        "\u{0}",
        "1",
    ];
    for packet in nonsense {
        let mut socket = pair.provider.socket().await;
        socket.try_write(packet.to_owned()).await.ok();
        socket.try_write(packet.to_owned()).await.ok();
        drop(socket);
    }
    let room = json!({ "conversationId": pair.conversation });
    assert_eq!(socket.ask("join", room.clone()).await["ok"], true);
    assert_eq!(pair.provider.socket().await.ask("join", room).await["ok"], true);
    // By HTTP, where Engine.IO answers.
    for (method, query) in [
        (Method::GET, ""),
        (Method::GET, "?EIO=3&transport=polling"),
        (Method::GET, "?EIO=4&transport=carrier-pigeon"),
        (Method::GET, "?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA"),
        (Method::GET, "?EIO=4&transport=polling&sid=%00%ff"),
        (Method::POST, "?EIO=4&transport=polling"),
        (Method::PUT, "?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA"),
        (Method::GET, "?EIO=4&transport=websocket"),
    ] {
        let answer = Answer::of(server.call(method.clone(), &format!("/socket.io/{query}"))).await;
        assert!(answer.status.is_client_error(), "{method} {query}: {}", answer.status);
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn one_address_opens_only_so_many_sessions() {
    let server = TestServer::start_with(with_limits).await;
    let polling = "/socket.io/?EIO=4&transport=polling";
    let mut opened = 0;
    let refused = loop {
        let answer = Answer::of(server.call(Method::GET, polling)).await;
        if answer.status != 200 {
            break answer;
        }
        opened += 1;
        assert!(opened < 2000, "nobody counted");
    };
    assert!(opened >= 200, "{opened}");
    let seconds: u64 = refused.refused(429, "RATE_LIMITED").headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds));
}
