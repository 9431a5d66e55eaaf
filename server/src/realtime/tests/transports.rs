//! Polling and WebSockets: both end when they have to, and clients come back from what was not meant for good.

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::{SinkExt, StreamExt};
use parley_domain::Role;
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest};

use crate::testing::{Answer, Poller, Socket, TestServer, within};

/// Stock clients come back by themselves from a session that is unknown, and never from a farewell.
#[tokio::test]
async fn a_client_that_only_polls_and_overflows_is_cut_so_that_it_comes_back() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut watcher = pair.client.socket().await;
    let still = Poller::connect(&server, &pair.provider.access).await;
    while watcher.next("presence:update").await["online"] == false {}
    let cursor = pair.provider.get("/sync").await.text("/nextCursor");
    let device = server.app.devices.of(pair.provider.id()).pop().unwrap();
    let mut emitted = 0_u32;
    while !device.is_lossy.load(Ordering::Acquire) {
        device.emit("message:new", &json!({ "n": emitted }));
        emitted += 1;
        assert!(emitted < 10_000, "the queue never filled");
    }
    // It is away at once, before it polls again.
    while watcher.next("presence:update").await["online"] == true {}
    pair.send(&pair.client, "while it was away").await.expect(201);
    let heard = still.closed().await;
    assert!(!heard.iter().any(|packet| packet.starts_with("41")), "a farewell would keep it away");
    let _back = Poller::connect(&server, &pair.provider.access).await;
    let page = pair.provider.get(&format!("/sync?since={cursor}")).await.body;
    assert_eq!(page["changes"][0]["message"]["content"], "while it was away");
}

#[tokio::test]
async fn a_poll_that_waits_ends_when_its_socket_is_cut() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let poller = Poller::connect(&server, &pair.client.access).await;
    let device = server.app.devices.of(pair.client.id()).pop().unwrap();
    // What is live and who is there comes first.
    let waiting = async { while poller.poll().await.is_ok() {} };
    let cut = async {
        tokio::task::yield_now().await;
        device.sever("the test says so");
    };
    within(async { tokio::join!(waiting, cut) }).await;
    assert!(!server.app.devices.is_online(pair.client.id()) || device.gone.is_cancelled());
}

#[tokio::test]
async fn logging_out_ends_a_session_that_polls() {
    let server = TestServer::start_with(|config| config.timing.socket_farewell = Duration::from_millis(50)).await;
    let pair = server.pair().await;
    let here = Poller::connect(&server, &pair.client.access).await;
    let there = Poller::connect(&server, &pair.provider.access).await;
    Answer::of(pair.client.call(Method::POST, "/auth/logout")).await.expect(204);
    let heard = here.closed().await;
    assert!(heard.iter().any(|packet| packet == "41"), "it is told to go: {heard:?}");
    there.send("42[\"join\",{}]").await.expect("the others stay");
}

#[tokio::test]
async fn whoever_is_told_to_go_and_stays_is_hung_up_on() {
    let server = TestServer::start_with(|config| config.timing.socket_farewell = Duration::from_millis(50)).await;
    let maren = server.person("Maren", Role::Client).await;
    let mut direct = maren.socket().await;
    let mut upgraded = Socket::upgrade(&server, &maren.access).await;
    // The upgrade has to be over, or it is still the polling half that is told.
    upgraded.ask("join", json!({ "conversationId": uuid::Uuid::nil() })).await;
    Answer::of(maren.call(Method::POST, "/auth/logout")).await.expect(204);
    direct.closed().await;
    direct.line_closed().await;
    upgraded.line_closed().await;
    // So is one that leaves the only namespace by itself.
    let tomas = server.person("Tomas", Role::Client).await;
    let mut leaving = tomas.socket().await;
    leaving.write("41".to_owned()).await;
    leaving.line_closed().await;
}

#[tokio::test]
async fn an_event_on_a_connection_that_is_ending_is_not_called_one_too_many() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let mut socket = maren.socket().await;
    // An answer says that its worker waits for events.
    assert_eq!(socket.ask("join", json!({})).await["ok"], false);
    server.app.devices.of(maren.id()).pop().unwrap().gone.cancel();
    // The worker is on this very thread and ends before anything else comes over the line.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(socket.ask("join", json!({})).await["code"], "UNAVAILABLE");
}

/// It would never try again after a refusal.
#[tokio::test]
async fn whoever_comes_while_the_server_stops_is_cut_off_and_not_refused() {
    let server = TestServer::start().await;
    let maren = server.person("Maren", Role::Client).await;
    let url = format!("{}/socket.io/?EIO=4&transport=websocket", server.base.replace("http", "ws"));
    let (mut line, _) = tokio_tungstenite::connect_async(url.as_str()).await.unwrap();
    let poller = Poller::open(&server).await;
    server.app.start_draining();
    let sign_in = format!("40{}", json!({ "token": maren.access }));
    line.send(Message::text(sign_in.clone())).await.unwrap();
    poller.send(&sign_in).await.unwrap();
    within(async {
        while let Some(Ok(packet)) = line.next().await {
            assert!(!packet.to_string().starts_with("44"), "{packet}");
        }
    })
    .await;
    let heard = poller.closed().await;
    assert!(!heard.iter().any(|packet| packet.starts_with("44")), "{heard:?}");
}

#[tokio::test]
async fn a_connection_that_does_not_sign_in_is_ended_soon() {
    let server = TestServer::start_with(|config| config.timing.socket_sign_in = Duration::from_secs(1)).await;
    let url = format!("{}/socket.io/?EIO=4&transport=websocket", server.base.replace("http", "ws"));
    let (mut silent, _) = tokio_tungstenite::connect_async(url.as_str()).await.unwrap();
    let poller = Poller::open(&server).await;
    let refused = Poller::open(&server).await;
    refused.send("40{\"token\":\"nonsense\"}").await.unwrap();
    refused.hear("44").await;
    within(async {
        while let Some(Ok(message)) = silent.next().await {
            if message.is_close() {
                break;
            }
        }
    })
    .await;
    poller.closed().await;
    refused.closed().await;
    // Signing in stops that clock.
    let maren = server.person("Maren", Role::Client).await;
    let signed_in = Poller::connect(&server, &maren.access).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    signed_in.send("42[\"join\",{}]").await.expect("it is still there");
}

#[tokio::test]
async fn pages_of_foreign_origins_open_no_socket() {
    let server = TestServer::start_with(|config| config.allowed_origins = vec!["https://desk.test".to_owned()]).await;
    let own = server.base.clone();
    let polling = "/socket.io/?EIO=4&transport=polling";
    let url = format!("{}/socket.io/?EIO=4&transport=websocket", server.base.replace("http", "ws"));
    let origins = [("https://desk.test", true), (own.as_str(), true), ("https://evil.test", false), ("null", false)];
    for (origin, is_let_in) in origins {
        let answer = Answer::of(server.call(Method::GET, polling).header("origin", origin)).await;
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let websocket = tokio_tungstenite::connect_async(request).await;
        if is_let_in {
            answer.expect(200);
            websocket.unwrap();
        } else {
            answer.refused(403, "FORBIDDEN");
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
            assert!(matches!(websocket, Err(Error::Http(response)) if response.status() == 403));
        }
    }
}

/// The race of a device that connects in the moment in which a call ends: what was read before is not told after.
#[tokio::test]
async fn what_ended_while_a_device_was_welcomed_is_not_shown_to_it_as_live() {
    use crate::realtime::publish::tell_live;

    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut socket = pair.provider.socket().await;
    let device = server.app.devices.of(pair.provider.id()).pop().unwrap();
    let ringing = pair.ring().await;
    socket.next("meeting:invite").await;
    let read = server.app.store.live_meetings_of(pair.provider.id()).await.unwrap();
    tell_live(&server.app, &device, &read).unwrap();
    assert_eq!(socket.next("meeting:invite").await["meetingId"], ringing, "it is told as long as it is true");
    pair.client.delete(&format!("/meetings/{ringing}")).await.expect(204);
    socket.next("meeting:ended").await;
    tell_live(&server.app, &device, &read).unwrap();
    socket.has_not_heard("meeting:invite").await;

    let running = pair.ring().await;
    pair.provider.patch(&format!("/meetings/{running}/accept"), json!({})).await.expect(200);
    socket.next("meeting:started").await;
    let read = server.app.store.live_meetings_of(pair.provider.id()).await.unwrap();
    pair.client.patch(&format!("/meetings/{running}/end"), json!({})).await.expect(200);
    socket.next("meeting:ended").await;
    tell_live(&server.app, &device, &read).unwrap();
    socket.has_not_heard("meeting:started").await;
}
