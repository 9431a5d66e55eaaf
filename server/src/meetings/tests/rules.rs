//! The rules of `CONTRACT.md` §5 that need more than one step.

use std::time::Duration;

use serde_json::{Value, json};

use super::{pair_time, schedule, talk, token};
use crate::testing::{Pair, TestServer};

/// A meeting in five minutes, which its host may start.
async fn schedule_soon(pair: &Pair) -> String {
    let at = pair_time(pair, Duration::from_secs(300));
    let body = json!({ "projectId": pair.project, "type": "scheduled", "scheduledAt": at });
    pair.client.post("/meetings", body).await.expect(201).text("/meetingId")
}

#[tokio::test]
async fn every_way_to_a_second_call_is_refused_with_the_first_ones_name() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let soon = schedule_soon(&pair).await;
    let call = pair.ring().await;
    let start = format!("/meetings/{soon}/start");
    let ringing = pair.client.patch(&start, json!({})).await;
    assert_eq!(ringing.refused(409, "MEETING_IN_PROGRESS").body["meetingId"], call);
    pair.provider.patch(&format!("/meetings/{call}/accept"), json!({})).await.expect(200);
    let running = pair.client.patch(&start, json!({})).await;
    assert_eq!(running.refused(409, "MEETING_IN_PROGRESS").body["meetingId"], call);
    // An early yes is no move to ACTIVE, so it is free.
    pair.provider.patch(&format!("/meetings/{soon}/accept"), json!({})).await.expect(200);
    pair.provider.patch(&format!("/meetings/{call}/end"), json!({})).await.expect(200);
    let started = pair.client.patch(&start, json!({})).await;
    assert_eq!(started.expect(200).body["status"], "ACTIVE");
    let another = pair.provider.post("/meetings", json!({ "projectId": pair.project, "type": "instant" })).await;
    assert_eq!(another.refused(409, "MEETING_IN_PROGRESS").body["meetingId"], soon);
}

#[tokio::test]
async fn an_early_yes_means_that_nothing_rings_at_the_start() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let soon = schedule_soon(&pair).await;
    pair.provider.patch(&format!("/meetings/{soon}/accept"), json!({})).await.expect(200);
    let mut guest = pair.provider.socket().await;
    pair.client.patch(&format!("/meetings/{soon}/start"), json!({})).await.expect(200);
    guest.next("meeting:started").await;
    guest.has_not_heard("meeting:invite").await;
    assert_eq!(server.app.rings.remaining(&soon.parse().unwrap()), None);
}

#[tokio::test]
async fn a_move_that_is_not_possible_names_both_states() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = schedule(&pair).await;
    let path = format!("/meetings/{meeting}");
    let named = |answer: &crate::testing::Answer| -> (Value, Value) {
        let body = &answer.refused(409, "MEETING_STATE").body;
        let detail = body["detail"].as_str().unwrap();
        for state in [&body["from"], &body["to"]] {
            assert!(detail.contains(state.as_str().unwrap()), "{detail}");
        }
        (body["from"].clone(), body["to"].clone())
    };
    let early = pair.client.patch(&format!("{path}/start"), json!({})).await;
    assert_eq!(named(&early), (json!("PENDING"), json!("ACTIVE")));
    pair.client.delete(&path).await.expect(204);
    let over = pair.client.patch(&format!("{path}/start"), json!({})).await;
    assert_eq!(named(&over), (json!("CANCELLED"), json!("ACTIVE")));
    let later = json!({ "scheduledAt": pair_time(&pair, Duration::from_secs(9_000)) });
    assert_eq!(named(&pair.client.patch(&path, later.clone()).await), (json!("CANCELLED"), json!("PENDING")));
    let call = pair.ring().await;
    let instant = pair.client.patch(&format!("/meetings/{call}"), later).await;
    assert_eq!(named(&instant), (json!("PENDING"), json!("PENDING")));
}

#[tokio::test]
async fn a_new_time_asks_again_and_reminds_again() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = schedule(&pair).await;
    let path = format!("/meetings/{meeting}");
    pair.provider.patch(&format!("{path}/accept"), json!({})).await.expect(200);
    let at = pair_time(&pair, Duration::from_secs(7_200));
    let moved = pair.client.patch(&path, json!({ "scheduledAt": at })).await;
    assert_eq!((&moved.expect(200).body["acceptedAt"], moved.text("/scheduledAt")), (&Value::Null, at));
    let first = server.app.store.next_due_at().await.unwrap().unwrap();
    assert_eq!(first.to_string(), pair_time(&pair, Duration::from_secs(7_200 - 900)));
    pair.provider.patch(&format!("{path}/accept"), json!({})).await.expect(200);
}

#[tokio::test]
async fn leaving_and_coming_back_at_once_keeps_the_call() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (meeting, mut host, mut guest) = talk(&pair).await;
    let id = meeting.parse().unwrap();
    guest.ask("call:leave", json!({ "meetingId": meeting })).await;
    let join = json!({ "meetingId": meeting, "token": token(&pair.client, &meeting).await });
    // In one breath, before anything is answered: the socket's events keep their order.
    host.write(format!("42900{}", json!(["call:leave", { "meetingId": meeting }]))).await;
    host.write(format!("42901{}", json!(["call:join", join]))).await;
    let answers = host.answers_to(900..902).await;
    assert!(answers.iter().all(|answer| answer["ok"] == true), "{answers:?}");
    assert_eq!(server.app.absences.remaining(&id), None, "somebody is there, so nothing runs out");
    host.ask("call:leave", json!({ "meetingId": meeting })).await;
    assert!(server.app.absences.remaining(&id).is_some());
}

#[tokio::test]
async fn a_device_that_lost_the_call_can_not_take_the_other_one_out() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (meeting, mut host, mut desk) = talk(&pair).await;
    let mut phone = pair.provider.socket().await;
    let join = json!({ "meetingId": meeting, "token": token(&pair.provider, &meeting).await });
    assert_eq!(phone.ask("call:join", join).await["ok"], true);
    desk.next("meeting:ended").await;
    assert_eq!(desk.ask("call:leave", json!({ "meetingId": meeting })).await["ok"], true);
    let state = json!({ "meetingId": meeting, "camera": true, "microphone": true, "screen": true });
    assert_eq!(desk.ask("call:state", state.clone()).await["code"], "MEETING_NOT_OPEN");
    desk.drop_line().await;
    assert_eq!(phone.ask("call:state", state).await["ok"], true);
    assert_eq!(host.next("call:state").await["screen"], true);
}
