use futures_util::future::join_all;
use parley_domain::Role;
use serde_json::{Value, json};

use crate::testing::TestServer;

#[tokio::test]
async fn a_message_is_written_once_for_each_client_id() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut socket = pair.provider.socket().await;
    let body = json!({ "conversationId": pair.conversation, "content": "Good\r\nmorning", "clientId": "one" });
    let first = pair.client.post("/messages", body.clone()).await;
    let again = pair.client.post("/messages", body).await;
    assert_eq!(first.expect(201).body, again.expect(200).body);
    assert_eq!((&first.body["content"], &first.body["seq"]), (&json!("Good\nmorning"), &json!(1)));
    assert_eq!(socket.next("message:new").await, first.body);
    socket.has_not_heard("message:new").await;
}

#[tokio::test]
async fn nobody_writes_where_it_is_not_theirs_to_write() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Provider).await;
    pair.send(&stranger, "hello").await.refused(404, "NOT_FOUND");
    stranger.get(&format!("/messages/conversation/{}", pair.conversation)).await.refused(404, "NOT_FOUND");
    stranger.get(&format!("/conversations/{}", pair.conversation)).await.refused(404, "NOT_FOUND");
    stranger
        .patch(&format!("/messages/conversation/{}/read", pair.conversation), json!({}))
        .await
        .refused(404, "NOT_FOUND");
    assert_eq!(stranger.get("/conversations").await.body["items"], json!([]));
}

#[tokio::test]
async fn contents_that_can_not_be_shown_are_refused() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    for bad in ["", " \n\t\u{3000}", "bell\u{7}", "lone\rreturn", &"x".repeat(8001)] {
        let answer = pair.send(&pair.client, bad).await;
        assert_eq!(answer.refused(422, "INVALID").body["errors"][0]["pointer"], "/content", "{bad:?}");
    }
    for kept in ["\u{202e}abc", "<b>&amp;</b>", &"ä".repeat(8000), "a\tb\nc"] {
        assert_eq!(pair.send(&pair.client, kept).await.expect(201).body["content"], kept);
    }
    let refuse = async |body: Value| pair.client.post("/messages", body).await.refused(422, "INVALID").body.clone();
    let conversation = &pair.conversation;
    refuse(json!({ "conversationId": conversation, "content": "x", "type": "file" })).await;
    refuse(json!({ "conversationId": conversation, "content": "x", "clientId": "" })).await;
    refuse(json!({ "conversationId": conversation, "content": "x", "type": "video" })).await;
    let unknown = json!([uuid::Uuid::now_v7()]);
    refuse(json!({ "conversationId": conversation, "content": "x", "attachmentIds": unknown })).await;
    refuse(json!({ "conversationId": conversation, "content": "x", "replyToId": uuid::Uuid::now_v7() })).await;
}

#[tokio::test]
async fn many_at_once_arrive_everywhere_once_and_in_order() {
    const EACH: usize = 100;
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut listeners = [pair.client.socket().await, pair.client.socket().await, pair.provider.socket().await];
    let room = json!({ "conversationId": pair.conversation });
    assert_eq!(listeners[0].ask("join", room).await["ok"], true);
    let sends = (0..EACH).flat_map(|n| {
        [pair.send(&pair.client, "from the client"), pair.send(&pair.provider, if n % 2 == 0 { "even" } else { "odd" })]
    });
    for sent in join_all(sends).await {
        sent.expect(201);
    }
    for listener in &mut listeners {
        for seq in 1..=2 * EACH {
            assert_eq!(listener.next("message:new").await["seq"], seq);
        }
        listener.has_not_heard("message:new").await;
    }
}

#[tokio::test]
async fn history_is_paged_backwards_and_read_forwards() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    for n in 1..=7 {
        pair.send(&pair.client, &format!("{n}")).await.expect(201);
    }
    let path = format!("/messages/conversation/{}", pair.conversation);
    let seqs = |page: &Value| -> Vec<i64> {
        page["items"].as_array().unwrap().iter().map(|message| message["seq"].as_i64().unwrap()).collect()
    };
    let newest = pair.provider.get(&format!("{path}?limit=3")).await.body;
    assert_eq!(seqs(&newest), [5, 6, 7]);
    let older =
        pair.provider.get(&format!("{path}?limit=3&cursor={}", newest["nextCursor"].as_str().unwrap())).await.body;
    assert_eq!(seqs(&older), [2, 3, 4]);
    let oldest =
        pair.provider.get(&format!("{path}?limit=3&cursor={}", older["nextCursor"].as_str().unwrap())).await.body;
    assert_eq!((seqs(&oldest), &oldest["nextCursor"]), (vec![1], &Value::Null));
    let later = pair.provider.get(&format!("{path}?after=5")).await.body;
    assert_eq!((seqs(&later), &later["nextCursor"]), (vec![6, 7], &Value::Null));
    for bad in ["after=-1", "after=x", "after=1&cursor=p1"] {
        pair.provider.get(&format!("{path}?{bad}")).await.refused(422, "INVALID");
    }
}

#[tokio::test]
async fn reading_is_told_to_everybody_and_never_goes_back() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut ids = Vec::new();
    for n in 1..=3 {
        ids.push(pair.send(&pair.client, &format!("{n}")).await.text("/id"));
    }
    let unread = async || pair.provider.get("/conversations").await.body["items"][0]["unreadCount"].clone();
    assert_eq!(unread().await, 3);
    let (mut reader, mut writer) = (pair.provider.socket().await, pair.client.socket().await);
    let conversation = &pair.conversation;

    let up_to = json!({ "conversationId": conversation, "messageId": ids[1] });
    let answer = reader.ask("message:read", up_to).await;
    assert_eq!((&answer["ok"], &answer["updated"]), (&json!(true), &json!(true)));
    for socket in [&mut reader, &mut writer] {
        assert_eq!(socket.next("message:read").await["messageId"], ids[1]);
        assert_eq!(socket.next("conversation:read").await["lastReadMessageId"], ids[1]);
    }
    assert_eq!(unread().await, 1);

    let path = format!("/messages/conversation/{conversation}/read");
    let back = pair.provider.patch(&path, json!({ "upToMessageId": ids[0] })).await;
    assert_eq!((&back.expect(200).body["updated"], &back.body["lastReadMessageId"]), (&json!(false), &json!(ids[1])));
    writer.has_not_heard("conversation:read").await;

    let all = crate::testing::Answer::of(pair.provider.call(reqwest::Method::PATCH, &path)).await;
    assert_eq!((&all.expect(200).body["updated"], &all.body["lastReadMessageId"]), (&json!(true), &json!(ids[2])));
    assert_eq!(writer.next("conversation:read").await["userId"], json!(pair.provider.id()));
    writer.has_not_heard("message:read").await;
    let answer = reader.ask("conversation:read", json!({ "conversationId": conversation })).await;
    assert_eq!((&answer["ok"], &answer["updated"]), (&json!(true), &json!(false)));
    pair.provider.patch(&path, json!({ "upToMessageId": uuid::Uuid::now_v7() })).await.refused(404, "NOT_FOUND");
}
