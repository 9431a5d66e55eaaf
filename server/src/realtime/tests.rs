use std::time::Duration;

use parley_domain::{MeetingLogEvent, Role};
use parley_store::PageRequest;
use serde_json::{Value, json};

use crate::testing::{Pair, Socket, TestServer};

mod abuse;
mod authorization;
mod transports;

#[tokio::test]
async fn events_of_the_wrong_shape_are_answered_with_a_code() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut socket = pair.client.socket().await;
    let events = [
        "join",
        "leave",
        "message:read",
        "conversation:read",
        "conversation:typing",
        "meeting:accept",
        "meeting:decline",
        "call:join",
        "call:leave",
        "call:state",
        "call:signal",
        "auth:renew",
    ];
    for event in events {
        for payload in [json!("text"), json!(42), Value::Null, json!([1])] {
            let answer = socket.ask(event, payload).await;
            assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!("MALFORMED")), "{event}");
        }
        for payload in [json!({}), json!({ "conversationId": 7, "meetingId": "no id", "token": [] })] {
            let answer = socket.ask(event, payload).await;
            assert!(answer["detail"].is_string(), "{event}: {answer}");
            assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!("INVALID")), "{event}");
        }
    }
    assert_eq!(socket.ask("no:such:event", json!({})).await["code"], "INVALID");
    // Nothing at all after the name, and an event without a wish for an answer.
    socket.write("42[\"join\"]".to_owned()).await;
    socket.write("4299[\"join\"]".to_owned()).await;
    let room = json!({ "conversationId": pair.conversation });
    assert_eq!(socket.ask("join", room).await["ok"], true);
}

#[tokio::test]
async fn an_event_that_is_too_large_closes_the_socket() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut socket = pair.client.socket().await;
    socket.write(format!("42{}", json!(["join", { "conversationId": "x".repeat(200_000) }]))).await;
    socket.closed().await;
}

/// What `admin reset-password` does beside the server: the rows change, and no call of this process did it.
#[tokio::test]
async fn a_session_that_another_process_ended_loses_its_socket() {
    let server = TestServer::start_with(|config| config.timing.session_check = Duration::from_millis(50)).await;
    let pair = server.pair().await;
    let (mut ended, mut other) = (pair.client.socket().await, pair.provider.socket().await);
    let beside = crate::App::open_beside(server.app.config.clone()).await.unwrap();
    let known = beside.store().credentials(pair.client.id()).await.unwrap().unwrap();
    beside.store().change_password(pair.client.id(), known.password_hash, None, beside.now()).await.unwrap();
    ended.closed().await;
    other.has_not_heard("disconnect").await;
}

#[tokio::test]
async fn rooms_are_for_those_who_are_in_the_conversation() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Client).await;
    let mut socket = stranger.socket().await;
    let room = json!({ "conversationId": pair.conversation });
    assert_eq!(socket.ask("join", room.clone()).await["code"], "NOT_FOUND");
    let typing = json!({ "conversationId": pair.conversation, "isTyping": true });
    assert_eq!(socket.ask("conversation:typing", typing).await["code"], "NOT_FOUND");
    assert_eq!(socket.ask("conversation:read", room).await["code"], "NOT_FOUND");
    pair.send(&pair.client, "between us").await.expect(201);
    socket.has_not_heard("message:new").await;
}

#[tokio::test]
async fn events_of_one_socket_are_done_in_their_order() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut typist = pair.client.socket().await;
    let mut reader = pair.provider.socket().await;
    for turn in 0..50 {
        let typing = json!(["conversation:typing", { "conversationId": pair.conversation, "isTyping": turn % 2 == 0 }]);
        typist.write(format!("42{typing}")).await;
    }
    for turn in 0..50 {
        assert_eq!(reader.next("conversation:typing").await["isTyping"], turn % 2 == 0, "turn {turn}");
    }
}

#[tokio::test]
async fn typing_is_told_to_the_others_only_and_ends_by_itself() {
    let server = TestServer::start_with(|config| config.timing.typing = Duration::from_millis(200)).await;
    let pair = server.pair().await;
    let (mut typist, mut second) = (pair.client.socket().await, pair.client.socket().await);
    let mut reader = pair.provider.socket().await;
    let typing = json!({ "conversationId": pair.conversation, "isTyping": true });
    typist.ask("conversation:typing", typing.clone()).await;
    let begun = reader.next("conversation:typing").await;
    assert_eq!((&begun["userId"], &begun["isTyping"]), (&json!(pair.client.id()), &json!(true)));
    assert_eq!(reader.next("conversation:typing").await["isTyping"], false);
    second.has_not_heard("conversation:typing").await;
    typist.has_not_heard("conversation:typing").await;
    // Sending ends it too.
    typist.ask("conversation:typing", typing).await;
    pair.send(&pair.client, "done").await.expect(201);
    assert_eq!(reader.next("conversation:typing").await["isTyping"], true);
    assert_eq!(reader.next("conversation:typing").await["isTyping"], false);
}

#[tokio::test]
async fn presence_is_told_to_people_who_share_a_project() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Client).await;
    let mut elsewhere = stranger.socket().await;
    let mut maren = pair.client.socket().await;
    let away = maren.next("presence:update").await;
    assert_eq!((&away["userId"], &away["online"]), (&json!(pair.provider.id()), &json!(false)));
    let (mut desk, phone) = (pair.provider.socket().await, pair.provider.socket().await);
    assert_eq!(maren.next("presence:update").await["online"], true);
    assert_eq!(desk.next("presence:update").await["online"], true);
    phone.drop_line().await;
    maren.has_not_heard("presence:update").await;
    desk.drop_line().await;
    let gone = maren.next("presence:update").await;
    assert_eq!(gone["online"], false);
    assert!(gone["lastSeenAt"].is_string());
    elsewhere.has_not_heard("presence:update").await;
}

/// A client that stands still loses nothing unnoticed: once its queue is full it is made to reconnect, and `/sync`
/// gives what it missed.
#[tokio::test]
async fn a_socket_that_stands_still_is_cut_and_heals_by_sync() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let still = pair.provider.socket().await;
    stand_still(&server, &pair, still).await;
}

#[tokio::test]
async fn a_socket_that_began_by_polling_is_cut_as_well() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut still = Socket::upgrade(&server, &pair.provider.access).await;
    still.ask("join", json!({ "conversationId": pair.conversation })).await;
    stand_still(&server, &pair, still).await;
}

async fn stand_still(server: &TestServer, pair: &Pair, mut still: Socket) {
    let cursor = pair.provider.get("/sync").await.text("/nextCursor");
    let device = server.app.devices.of(pair.provider.id()).pop().unwrap();
    // Nothing is read while this runs; the kernel's buffers fill first, then the socket's own queue.
    let ballast = "x".repeat(8000);
    let mut emitted = 0_u32;
    while !device.is_lossy.load(std::sync::atomic::Ordering::Acquire) {
        device.emit("message:new", &json!({ "ballast": ballast, "n": emitted }));
        emitted += 1;
        assert!(emitted < 200_000, "the queue never filled");
        tokio::task::yield_now().await;
    }
    assert!(emitted > 4096, "it was cut before its queue was full");
    pair.send(&pair.client, "while it was away").await.expect(201);
    still.closed().await;
    let mut back = Socket::connect(&server.base, json!({ "token": pair.provider.access })).await.unwrap();
    back.has_not_heard("message:new").await;
    let page = pair.provider.get(&format!("/sync?since={cursor}")).await.body;
    assert_eq!(page["changes"][0]["message"]["content"], "while it was away");
}

#[tokio::test]
async fn sockets_are_told_to_go_when_the_server_stops() {
    let mut server = TestServer::start().await;
    let pair = server.pair().await;
    let mut socket = pair.client.socket().await;
    server.stop().await;
    socket.closed().await;
}

#[tokio::test]
async fn a_stop_notes_who_was_there_and_who_was_in_a_call() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    pair.provider.patch(&format!("/meetings/{meeting}/accept"), json!({})).await.expect(200);
    let token = pair.provider.get(&format!("/meetings/{meeting}/token")).await.text("/token");
    let mut guest = pair.provider.socket().await;
    assert_eq!(guest.ask("call:join", json!({ "meetingId": meeting, "token": token })).await["ok"], true);
    let server = server.restart().await;
    let mut maren = Socket::connect(&server.base, json!({ "token": pair.client.access })).await.unwrap();
    let away = maren.next("presence:update").await;
    assert_eq!((&away["userId"], &away["online"]), (&json!(pair.provider.id()), &json!(false)));
    assert!(away["lastSeenAt"].is_string(), "{away}");
    let page = PageRequest::first(9);
    let log = server.app.store.meeting_log(pair.provider.id(), meeting.parse().unwrap(), page).await.unwrap();
    let events: Vec<_> = log.items.iter().map(|entry| entry.event).collect();
    assert_eq!(events, [MeetingLogEvent::Joined, MeetingLogEvent::Left]);
}

#[tokio::test]
async fn a_device_may_name_an_engine_that_is_not_known_here() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let both = json!({ "token": pair.client.access, "engines": ["hologram", "agora"] });
    let _newer = Socket::connect(&server.base, both).await.unwrap();
    let other = json!({ "token": pair.provider.access, "engines": ["hologram"] });
    let _strange = Socket::connect(&server.base, other).await.unwrap();
    assert!(server.app.devices.of(pair.client.id())[0].carries_agora());
    assert!(!server.app.devices.of(pair.provider.id())[0].carries_agora());
    let nonsense = json!({ "token": pair.client.access, "engines": "agora" });
    assert_eq!(Socket::connect(&server.base, nonsense).await.err().as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn without_limits_a_burst_of_thousands_of_events_is_answered() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut socket = pair.client.socket().await;
    let room = json!(["join", { "conversationId": pair.conversation }]);
    for id in 1000..3000 {
        socket.write(format!("42{id}{room}")).await;
    }
    let answers = socket.answers_to(1000..3000).await;
    assert!(answers.iter().all(|answer| answer["ok"] == true), "one was refused");
}

#[tokio::test]
async fn what_a_socket_missed_is_in_sync_in_order_and_once() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let cursor = pair.provider.get("/sync").await.text("/nextCursor");
    let meeting = pair.ring().await;
    pair.client.delete(&format!("/meetings/{meeting}")).await.expect(204);
    for n in 0..5 {
        pair.send(&pair.client, &format!("{n}")).await.expect(201);
    }
    let mut seen = Vec::new();
    let mut since = cursor;
    loop {
        let page = pair.provider.get(&format!("/sync?since={since}&limit=2")).await.body;
        seen.extend(page["changes"].as_array().unwrap().iter().filter_map(|change| change["message"]["seq"].as_i64()));
        since = page["nextCursor"].as_str().unwrap().to_owned();
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    let stranger = server.person("Someone Else", Role::Client).await;
    let page = stranger.get(&format!("/sync?since={since}")).await.body;
    assert_eq!(page["changes"], json!([]));
}
