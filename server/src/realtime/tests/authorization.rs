//! Who may do what to which object over a socket.

use parley_domain::Role;
use serde_json::{Value, json};

use crate::testing::{Socket, TestServer, offer};

/// The code of a refusal.
async fn refused(socket: &mut Socket, event: &str, payload: Value) -> String {
    let answer = socket.ask(event, payload).await;
    assert_eq!(answer["ok"], false, "{event}: {answer}");
    answer["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_belongs_to_others_is_not_found() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    let sent = pair.send(&pair.client, "between us").await;
    let message = sent.expect(201).text("/id");
    let token = pair.provider.get(&format!("/meetings/{meeting}/token")).await.text("/token");
    let stranger = server.person("Someone Else", Role::Client).await;
    let mut socket = stranger.socket().await;
    let room = json!({ "conversationId": pair.conversation });
    let of_meeting = json!({ "meetingId": meeting });
    let asked = [
        ("join", room.clone()),
        ("conversation:read", room.clone()),
        ("message:read", json!({ "conversationId": pair.conversation, "messageId": message })),
        ("conversation:typing", json!({ "conversationId": pair.conversation, "isTyping": true })),
        ("meeting:accept", of_meeting.clone()),
        ("meeting:decline", of_meeting.clone()),
        ("call:join", json!({ "meetingId": meeting, "token": token })),
    ];
    for (event, payload) in asked {
        assert_eq!(refused(&mut socket, event, payload).await, "NOT_FOUND", "{event}");
    }
    let state = json!({ "meetingId": meeting, "camera": true, "microphone": true, "screen": false });
    assert_eq!(refused(&mut socket, "call:state", state).await, "MEETING_NOT_OPEN");
    let signal = json!({ "meetingId": meeting, "data": "x" });
    assert_eq!(refused(&mut socket, "call:signal", signal).await, "MEETING_NOT_OPEN");
    // Nothing moved.
    let view = pair.client.get(&format!("/meetings/{meeting}")).await;
    assert_eq!(view.body["status"], "PENDING");
    assert_eq!(view.body["acceptedAt"], Value::Null);
    let conversation = pair.client.get(&format!("/conversations/{}", pair.conversation)).await.body;
    let marks: Vec<_> =
        conversation["participants"].as_array().unwrap().iter().map(|who| &who["lastReadSeq"]).collect();
    assert_eq!(marks, [&json!(0), &json!(0)]);
}

/// A message of one's own, but of another conversation than the one that is named.
#[tokio::test]
async fn a_message_is_read_in_its_own_conversation_only() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let proposal = offer(&pair.client, &pair.provider).await;
    let second = pair.client.post(&format!("/proposals/{proposal}/accept"), json!({})).await.text("/conversation/id");
    let message = pair.send(&pair.client, "in the first").await.text("/id");
    let mut socket = pair.provider.socket().await;
    let crossed = json!({ "conversationId": second, "messageId": message });
    assert_eq!(refused(&mut socket, "message:read", crossed).await, "NOT_FOUND");
    let unknown = json!({ "conversationId": second, "messageId": uuid::Uuid::now_v7() });
    assert_eq!(refused(&mut socket, "message:read", unknown).await, "NOT_FOUND");
    let right = json!({ "conversationId": pair.conversation, "messageId": message });
    assert_eq!(socket.ask("message:read", right).await["ok"], true);
}

#[tokio::test]
async fn a_host_does_not_answer_its_own_call() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    let (mut host, mut guest) = (pair.client.socket().await, pair.provider.socket().await);
    for event in ["meeting:accept", "meeting:decline"] {
        assert_eq!(refused(&mut host, event, json!({ "meetingId": meeting })).await, "FORBIDDEN");
    }
    assert_eq!(guest.ask("meeting:accept", json!({ "meetingId": meeting })).await["ok"], true);
    assert_eq!(
        guest.ask("meeting:accept", json!({ "meetingId": meeting })).await["ok"],
        true,
        "repeated it is the same"
    );
    pair.client.patch(&format!("/meetings/{meeting}/end"), json!({})).await.expect(200);
    assert_eq!(refused(&mut guest, "meeting:accept", json!({ "meetingId": meeting })).await, "MEETING_STATE");
}

#[tokio::test]
async fn signals_wait_until_the_meeting_is_active_and_stop_with_it() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    let (mut host, mut guest) = (pair.client.socket().await, pair.provider.socket().await);
    let mut tokens = Vec::new();
    for person in [&pair.client, &pair.provider] {
        tokens.push(person.get(&format!("/meetings/{meeting}/token")).await.text("/token"));
    }
    let join = |token: &str| json!({ "meetingId": meeting, "token": token });
    assert_eq!(refused(&mut guest, "call:join", join(&tokens[0])).await, "FORBIDDEN", "somebody else's token");
    assert_eq!(host.ask("call:join", join(&tokens[0])).await["ok"], true);
    assert_eq!(guest.ask("call:join", join(&tokens[1])).await["ok"], true);
    let signal = json!({ "meetingId": meeting, "data": { "sdp": "v=0" } });
    assert_eq!(refused(&mut host, "call:signal", signal.clone()).await, "MEETING_STATE");
    assert_eq!(guest.ask("meeting:accept", json!({ "meetingId": meeting })).await["ok"], true);
    host.next("meeting:started").await;
    assert_eq!(host.ask("call:signal", signal.clone()).await["ok"], true);
    assert_eq!(guest.next("call:signal").await, signal);
    pair.client.patch(&format!("/meetings/{meeting}/end"), json!({})).await.expect(200);
    guest.next("meeting:ended").await;
    assert_eq!(refused(&mut guest, "call:signal", signal).await, "MEETING_NOT_OPEN");
    assert_eq!(refused(&mut guest, "call:join", join(&tokens[1])).await, "MEETING_NOT_OPEN");
}

#[tokio::test]
async fn nobody_types_where_nothing_can_be_sent() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (mut typist, mut reader) = (pair.client.socket().await, pair.provider.socket().await);
    let typing = json!({ "conversationId": pair.conversation, "isTyping": true });
    assert_eq!(typist.ask("conversation:typing", typing.clone()).await["ok"], true);
    assert_eq!(reader.next("conversation:typing").await["isTyping"], true);
    pair.client.patch(&format!("/projects/{}/complete", pair.project), json!({})).await.expect(200);
    assert_eq!(reader.next("conversation:typing").await["isTyping"], false, "closing the project ends it");
    assert_eq!(refused(&mut typist, "conversation:typing", typing).await, "PROJECT_NOT_ACTIVE");
    // Reading goes on.
    assert_eq!(reader.ask("conversation:read", json!({ "conversationId": pair.conversation })).await["ok"], true);
    reader.has_not_heard("conversation:typing").await;
}

#[tokio::test]
async fn typing_is_told_now_and_then_and_is_nowhere_stored() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let cursor = pair.provider.get("/sync").await.text("/nextCursor");
    let (mut typist, mut reader) = (pair.client.socket().await, pair.provider.socket().await);
    let typing = json!({ "conversationId": pair.conversation, "isTyping": true });
    for _ in 0..30 {
        assert_eq!(typist.ask("conversation:typing", typing.clone()).await["ok"], true);
    }
    reader.next("conversation:typing").await;
    reader.has_not_heard("conversation:typing").await;
    assert_eq!(pair.provider.get(&format!("/sync?since={cursor}")).await.body["changes"], json!([]));
}
