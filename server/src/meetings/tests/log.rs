//! `GET /meetings/:id/log` (`CONTRACT.md` §5).

use serde_json::{Value, json};

use super::{schedule, talk, token};
use crate::testing::{Person, Socket, TestServer};

async fn lines(person: &Person, meeting: &str) -> Vec<(Value, String)> {
    let page = person.get(&format!("/meetings/{meeting}/log")).await;
    let items = page.expect(200).body["items"].as_array().unwrap().clone();
    items
        .into_iter()
        .map(|line| {
            assert!(line["at"].is_string(), "{line}");
            (line["userId"].clone(), line["event"].as_str().unwrap().to_owned())
        })
        .collect()
}

fn line(person: &Person, event: &str) -> (Value, String) {
    (json!(person.id()), event.to_owned())
}

async fn join(socket: &mut Socket, person: &Person, meeting: &str) {
    let join = json!({ "meetingId": meeting, "token": token(person, meeting).await });
    assert_eq!(socket.ask("call:join", join).await["ok"], true);
}

async fn share(socket: &mut Socket, meeting: &str, screen: bool) {
    let state = json!({ "meetingId": meeting, "camera": true, "microphone": true, "screen": screen });
    assert_eq!(socket.ask("call:state", state).await["ok"], true);
}

#[tokio::test]
async fn it_tells_who_came_left_and_shared_the_screen_each_once() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (meeting, mut host, mut guest) = talk(&pair).await;
    for screen in [false, true, true, false, true] {
        share(&mut host, &meeting, screen).await;
    }
    join(&mut host, &pair.client, &meeting).await;
    guest.ask("call:leave", json!({ "meetingId": meeting })).await;
    guest.ask("call:leave", json!({ "meetingId": meeting })).await;
    join(&mut guest, &pair.provider, &meeting).await;
    guest.drop_line().await;
    pair.client.patch(&format!("/meetings/{meeting}/end"), json!({})).await.expect(200);
    // Whatever is heard of the lost line comes before or after the end; either way it is one line.
    let (client, provider) = (&pair.client, &pair.provider);
    let told = lines(client, &meeting).await;
    let of = |person: &Person| -> Vec<_> {
        told.iter().filter(|(who, _)| *who == json!(person.id())).map(|(_, event)| event.as_str()).collect()
    };
    assert_eq!(of(client), ["joined", "screen_on", "screen_off", "screen_on", "screen_off", "left"]);
    assert_eq!(of(provider), ["joined", "left", "joined", "left"]);
    host.ask("call:leave", json!({ "meetingId": meeting })).await;
    assert_eq!(lines(provider, &meeting).await, told, "the same to both, and nothing after the end");
}

#[tokio::test]
async fn going_on_with_another_device_is_no_coming_and_no_leaving() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (meeting, mut host, mut desk) = talk(&pair).await;
    share(&mut desk, &meeting, true).await;
    let mut phone = pair.provider.socket().await;
    join(&mut phone, &pair.provider, &meeting).await;
    desk.next("meeting:ended").await;
    // The device that lost the call lets go late.
    desk.ask("call:leave", json!({ "meetingId": meeting })).await;
    desk.drop_line().await;
    assert_eq!(host.ask("call:signal", json!({ "meetingId": meeting, "data": 1 })).await["ok"], true);
    phone.next("call:signal").await;
    let (client, provider) = (&pair.client, &pair.provider);
    let expected =
        [line(client, "joined"), line(provider, "joined"), line(provider, "screen_on"), line(provider, "screen_off")];
    assert_eq!(lines(client, &meeting).await, expected);
}

#[tokio::test]
async fn a_crash_leaves_nobody_in_the_call() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (meeting, _host, _guest) = talk(&pair).await;
    let server = server.restart_after_crash().await;
    let path = format!("/api/v1/meetings/{meeting}/log");
    let page = server.call(reqwest::Method::GET, &path).bearer_auth(&pair.client.access);
    let page = crate::testing::Answer::of(page).await;
    let events: Vec<_> = page.expect(200).body["items"].as_array().unwrap().iter().map(|line| &line["event"]).collect();
    assert_eq!(events, ["joined", "joined", "left", "left"]);
}

#[tokio::test]
async fn it_comes_in_pages_and_to_its_people_only() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", parley_domain::Role::Client).await;
    let waiting = schedule(&pair).await;
    let empty = pair.client.get(&format!("/meetings/{waiting}/log")).await;
    assert_eq!(empty.expect(200).body, json!({ "items": [], "nextCursor": null }));
    let (meeting, ..) = talk(&pair).await;
    let path = format!("/meetings/{meeting}/log");
    let first = pair.client.get(&format!("{path}?limit=1")).await;
    let rest = pair.client.get(&format!("{path}?limit=1&cursor={}", first.expect(200).text("/nextCursor"))).await;
    assert_eq!(first.body["items"][0]["userId"], json!(pair.client.id()));
    assert_eq!(rest.expect(200).body["items"][0]["userId"], json!(pair.provider.id()));
    stranger.get(&path).await.refused(404, "NOT_FOUND");
    pair.client.get(&format!("{path}?cursor=nonsense")).await.refused(422, "INVALID");
    pair.client.get("/meetings/no-id/log").await.refused(400, "MALFORMED");
}
