use std::time::Duration;

use futures_util::future::join_all;
use parley_domain::Role;
use serde_json::{Value, json};

use crate::testing::{StillClock, TestServer};

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

#[tokio::test]
async fn an_author_changes_its_message_and_everybody_sees_it() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut sockets = [pair.client.socket().await, pair.provider.socket().await];
    let body = json!({ "conversationId": pair.conversation, "content": "Helo", "clientId": "one" });
    let sent = pair.client.post("/messages", body.clone()).await;
    let path = format!("/messages/{}", sent.expect(201).text("/id"));
    let edited = pair.client.patch(&path, json!({ "content": "Hello\r\nyou" })).await;
    let edited = edited.expect(200).body.clone();
    assert_eq!((&edited["content"], &edited["seq"]), (&json!("Hello\nyou"), &json!(1)));
    assert!(edited["editedAt"].is_string(), "{edited}");
    for socket in &mut sockets {
        assert_eq!(socket.next("message:new").await["content"], "Helo");
        assert_eq!(socket.next("message:updated").await, edited);
    }
    pair.client.patch(&path, json!({ "content": "Hello\nyou" })).await.expect(200);
    assert_eq!(pair.client.post("/messages", body).await.expect(200).body, edited, "as it is now");
    sockets[0].has_not_heard("message:updated").await;

    for bad in [json!({ "content": " " }), json!({ "content": "x".repeat(8001) }), json!({}), json!({ "content": 1 })] {
        pair.client.patch(&path, bad).await.refused(422, "INVALID");
    }
    pair.provider.patch(&path, json!({ "content": "x" })).await.refused(403, "FORBIDDEN");
    pair.provider.delete(&path).await.refused(403, "FORBIDDEN");
    let stranger = server.person("Someone Else", Role::Provider).await;
    stranger.patch(&path, json!({ "content": "x" })).await.refused(404, "NOT_FOUND");
    stranger.delete(&path).await.refused(404, "NOT_FOUND");
    pair.client.patch("/messages/nonsense", json!({ "content": "x" })).await.refused(400, "MALFORMED");
}

#[tokio::test]
async fn an_author_deletes_its_message_once() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let path = format!("/messages/{}", pair.send(&pair.client, "oops").await.text("/id"));
    let mut socket = pair.provider.socket().await;
    pair.client.delete(&path).await.expect(204);
    let told = socket.next("message:updated").await;
    assert_eq!((&told["content"], &told["attachments"]), (&json!(""), &json!([])));
    assert!(told["deletedAt"].is_string(), "{told}");
    pair.client.delete(&path).await.expect(204);
    socket.has_not_heard("message:updated").await;
    pair.client.patch(&path, json!({ "content": "back" })).await.refused(409, "MESSAGE_DELETED");
    let conversation = pair.provider.get(&format!("/conversations/{}", pair.conversation)).await.body;
    assert_eq!((&conversation["unreadCount"], &conversation["lastMessage"]), (&json!(0), &told));
    let history = pair.provider.get(&format!("/messages/conversation/{}", pair.conversation)).await.body;
    assert_eq!(history["items"], json!([told]));
}

#[tokio::test]
async fn a_message_stays_as_it_is_after_a_quarter_of_an_hour_and_in_a_closed_project() {
    let clock = StillClock::at_now();
    let server = TestServer::start_with(|config| {
        config.clock = clock.clone();
        config.timing.access_token = Duration::from_secs(3600);
    })
    .await;
    let pair = server.pair().await;
    let path = format!("/messages/{}", pair.send(&pair.client, "first").await.text("/id"));
    clock.advance(Duration::from_secs(15 * 60));
    pair.client.patch(&path, json!({ "content": "second" })).await.expect(200);
    clock.advance(Duration::from_millis(1));
    pair.client.patch(&path, json!({ "content": "third" })).await.refused(409, "EDIT_WINDOW_OVER");
    pair.client.delete(&path).await.refused(409, "EDIT_WINDOW_OVER");
    let path = format!("/messages/{}", pair.send(&pair.client, "new").await.text("/id"));
    pair.client.patch(&format!("/projects/{}/complete", pair.project), json!({})).await.expect(200);
    pair.client.patch(&path, json!({ "content": "x" })).await.refused(409, "PROJECT_NOT_ACTIVE");
    pair.client.delete(&path).await.refused(409, "PROJECT_NOT_ACTIVE");
}

#[tokio::test]
async fn messages_are_found_with_the_place_that_matches() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Provider).await;
    for content in ["明日の会議は九時からです", "The \"invoice\" OR the receipt 🎉", "会議の議事録"]
    {
        pair.send(&pair.client, content).await.expect(201);
    }
    let search = async |person: &crate::testing::Person, q: &str, more: &[(&str, &str)]| {
        let mut query = vec![("q", q)];
        query.extend(more);
        crate::testing::Answer::of(person.call(reqwest::Method::GET, "/messages/search").query(&query)).await
    };
    let found = search(&pair.provider, "会議", &[]).await;
    let items = found.expect(200).body["items"].as_array().unwrap();
    let seqs: Vec<_> = items.iter().map(|item| item["message"]["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, [3, 1], "newest first");
    assert_eq!(
        (&items[1]["snippet"], &items[1]["matches"]),
        (&json!("明日の会議は九時からです"), &json!([{ "start": 3, "end": 5 }]))
    );
    assert_eq!(found.body["nextCursor"], Value::Null);
    let first = search(&pair.provider, "会議", &[("limit", "1")]).await.body;
    let second =
        search(&pair.provider, "会議", &[("limit", "1"), ("cursor", first["nextCursor"].as_str().unwrap())]).await;
    assert_eq!(second.expect(200).body["items"][0]["message"]["seq"], 1);
    for q in ["\"invoice\"", "INVOICE", "oice\" OR", "🎉"] {
        let found = search(&pair.client, q, &[("conversationId", &pair.conversation)]).await;
        assert_eq!(found.expect(200).body["items"][0]["message"]["seq"], 2, "{q}");
    }
    assert_eq!(search(&stranger, "会議", &[]).await.expect(200).body["items"], json!([]));
    search(&stranger, "会議", &[("conversationId", &pair.conversation)]).await.refused(404, "NOT_FOUND");
    for bad in ["", " ", &"x".repeat(201), "a\u{0}"] {
        assert_eq!(
            search(&pair.client, bad, &[]).await.refused(422, "INVALID").body["errors"][0]["pointer"],
            "/q",
            "{bad:?}"
        );
    }
    search(&pair.client, "x", &[("conversationId", "nonsense")]).await.refused(422, "INVALID");
    search(&pair.client, "x", &[("cursor", "nonsense")]).await.refused(422, "INVALID");
}

#[tokio::test]
async fn the_index_follows_behind_by_itself() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    for n in 0..100 {
        pair.send(&pair.client, &format!("word {n}")).await.expect(201);
    }
    crate::testing::within(async {
        while server.app.store().index_messages(0).await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let found = pair.provider.get("/messages/search?q=word&limit=100").await;
    assert_eq!(found.expect(200).body["items"].as_array().unwrap().len(), 100);
}
