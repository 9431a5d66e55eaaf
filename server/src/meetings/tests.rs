use std::time::Duration;

use parley_agora_token::parse;
use parley_domain::Role;
use serde_json::{Value, json};

use crate::testing::{Pair, Socket, TestServer};

mod calendar;
mod due;
mod log;
mod rules;

const MOMENT: Duration = Duration::from_millis(300);

/// A meeting in an hour, made by the client.
async fn schedule(pair: &Pair) -> String {
    let at = pair_time(pair, Duration::from_secs(3600));
    let body = json!({ "projectId": pair.project, "type": "scheduled", "scheduledAt": at });
    pair.client.post("/meetings", body).await.expect(201).text("/meetingId")
}

fn pair_time(pair: &Pair, ahead: Duration) -> String {
    // The person was made a moment ago by the server's own clock.
    (pair.client.user.created_at + ahead).to_string()
}

async fn token(person: &crate::testing::Person, meeting: &str) -> String {
    person.get(&format!("/meetings/{meeting}/token")).await.expect(200).text("/token")
}

/// Both are in an answered call.
async fn talk(pair: &Pair) -> (String, Socket, Socket) {
    let meeting = pair.ring().await;
    pair.provider.patch(&format!("/meetings/{meeting}/accept"), json!({})).await.expect(200);
    let (mut host, mut guest) = (pair.client.socket().await, pair.provider.socket().await);
    let joined =
        host.ask("call:join", json!({ "meetingId": meeting, "token": token(&pair.client, &meeting).await })).await;
    assert_eq!((&joined["ok"], &joined["peerJoined"]), (&json!(true), &json!(false)));
    let joined =
        guest.ask("call:join", json!({ "meetingId": meeting, "token": token(&pair.provider, &meeting).await })).await;
    assert_eq!((&joined["ok"], &joined["peerJoined"]), (&json!(true), &json!(true)));
    (meeting, host, guest)
}

#[tokio::test]
async fn a_meeting_that_can_not_be_is_not_made() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Client).await;
    let project = &pair.project;
    stranger.post("/meetings", json!({ "projectId": project, "type": "instant" })).await.refused(404, "NOT_FOUND");
    for bad in [
        json!({ "projectId": project, "type": "scheduled" }),
        json!({ "projectId": project, "type": "scheduled", "scheduledAt": "2001-01-01T00:00:00Z" }),
        json!({ "projectId": project, "type": "scheduled", "scheduledAt": "tomorrow" }),
        json!({ "projectId": project, "type": "instant", "scheduledAt": "2099-01-01T00:00:00Z" }),
        json!({ "projectId": project, "type": "instant", "guestId": stranger.id() }),
        json!({ "projectId": project, "type": "instant", "guestId": pair.client.id() }),
        json!({ "projectId": project, "type": "sudden" }),
        json!({ "type": "instant" }),
    ] {
        pair.client.post("/meetings", bad).await.refused(422, "INVALID");
    }
}

#[tokio::test]
async fn there_is_one_call_at_a_time_and_the_refusal_names_it() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    let again = pair.provider.post("/meetings", json!({ "projectId": pair.project, "type": "instant" })).await;
    assert_eq!(again.refused(409, "MEETING_IN_PROGRESS").body["meetingId"], meeting);
    schedule(&pair).await;
}

#[tokio::test]
async fn each_step_belongs_to_one_side_and_one_state() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Client).await;
    let meeting = pair.ring().await;
    let step = |name: &str| format!("/meetings/{meeting}/{name}");
    for name in ["start", "accept", "decline", "end"] {
        stranger.patch(&step(name), json!({})).await.refused(404, "NOT_FOUND");
    }
    stranger.get(&step("token")).await.refused(404, "NOT_FOUND");
    pair.provider.patch(&step("start"), json!({})).await.refused(403, "FORBIDDEN");
    pair.client.patch(&step("accept"), json!({})).await.refused(403, "FORBIDDEN");
    pair.provider.delete(&format!("/meetings/{meeting}")).await.refused(403, "FORBIDDEN");
    let early = pair.client.patch(&step("end"), json!({})).await;
    assert_eq!(
        (&early.refused(409, "MEETING_STATE").body["from"], &early.body["to"]),
        (&json!("PENDING"), &json!("COMPLETED"))
    );
    pair.provider.patch(&step("accept"), json!({})).await.expect(200);
    pair.provider.patch(&step("accept"), json!({})).await.expect(200);
    pair.provider.patch(&step("decline"), json!({})).await.refused(409, "MEETING_STATE");
    pair.client.delete(&format!("/meetings/{meeting}")).await.refused(409, "MEETING_STATE");
    let ended = pair.provider.patch(&step("end"), json!({})).await;
    assert_eq!((&ended.expect(200).body["status"], &ended.body["endReason"]), (&json!("COMPLETED"), &json!("ended")));
    pair.provider.patch(&step("accept"), json!({})).await.refused(409, "MEETING_STATE");
    pair.client.get(&step("token")).await.refused(409, "MEETING_NOT_OPEN");
}

#[tokio::test]
async fn tokens_are_agoras_own_kind_with_four_lasting_numbers() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    let path = format!("/meetings/{meeting}/token");
    let (host, guest) = (pair.client.get(&path).await, pair.provider.get(&path).await);
    assert_eq!(
        (&host.body["peer"]["uid"], &host.body["peer"]["screenUid"]),
        (&guest.body["uid"], &guest.body["screen"]["uid"])
    );
    let numbers: std::collections::HashSet<_> =
        [&host, &guest].iter().flat_map(|one| [one.body["uid"].as_u64(), one.body["screen"]["uid"].as_u64()]).collect();
    assert_eq!(numbers.len(), 4);
    assert_eq!(pair.client.get(&path).await.body["uid"], host.body["uid"]);
    let parsed = parse(&host.text("/token")).unwrap();
    let rtc = parsed.rtc().unwrap();
    assert_eq!(json!(rtc.channel), host.body["channelName"]);
    assert_eq!(json!(rtc.account), host.body["uid"].to_string());
    assert_eq!(rtc.privileges.iter().map(|(right, _)| right).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((parsed.expires_in, host.body["engine"].as_str()), (3600, Some("direct")));
    assert_eq!(json!(parsed.app_id.as_str()), host.body["appId"]);
}

#[tokio::test]
async fn a_scheduled_meeting_opens_ten_minutes_before_its_time() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut socket = pair.provider.socket().await;
    let meeting = schedule(&pair).await;
    assert_eq!(socket.next("meeting:scheduled").await["id"], meeting);
    let path = format!("/meetings/{meeting}");
    pair.client.get(&format!("{path}/token")).await.refused(409, "MEETING_NOT_OPEN");
    pair.client.patch(&format!("{path}/start"), json!({})).await.refused(409, "MEETING_STATE");
    let accepted = pair.provider.patch(&format!("{path}/accept"), json!({})).await;
    assert_eq!(accepted.expect(200).body["status"], "PENDING");
    assert!(socket.next("meeting:scheduled").await["acceptedAt"].is_string());
    let soon = json!({ "scheduledAt": pair_time(&pair, Duration::from_secs(300)) });
    pair.provider.patch(&path, soon.clone()).await.refused(403, "FORBIDDEN");
    pair.client.patch(&path, json!({ "scheduledAt": "2001-01-01T00:00:00Z" })).await.refused(422, "INVALID");
    assert_eq!(pair.client.patch(&path, soon).await.expect(200).body["acceptedAt"], Value::Null);
    assert!(socket.next("meeting:scheduled").await["acceptedAt"].is_null());
    pair.client.get(&format!("{path}/token")).await.expect(200);
    pair.provider.get(&format!("{path}/token")).await.refused(409, "MEETING_NOT_OPEN");

    pair.client.patch(&format!("{path}/start"), json!({})).await.expect(200);
    assert_eq!(socket.next("meeting:started").await["meetingId"], meeting);
    assert_eq!(socket.next("meeting:invite").await["expiresInSeconds"], 45);
    pair.provider.get(&format!("{path}/token")).await.expect(200);
    let declined = pair.provider.patch(&format!("{path}/decline"), json!({})).await;
    assert_eq!(
        (&declined.expect(200).body["status"], &declined.body["endReason"]),
        (&json!("COMPLETED"), &json!("declined"))
    );
}

#[tokio::test]
async fn lists_show_the_callers_meetings_by_state_and_time() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let later = schedule(&pair).await;
    let call = pair.ring().await;
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    pair.client.delete(&format!("/meetings/{call}")).await.expect(204);
    let pending = pair.provider.get("/meetings/me?status=PENDING").await;
    assert_eq!(ids(&pending.expect(200).body), std::slice::from_ref(&later));
    let from = pair_time(&pair, Duration::from_secs(1800));
    assert_eq!(ids(&pair.provider.get(&format!("/meetings/me?from={from}")).await.body), std::slice::from_ref(&later));
    assert_eq!(ids(&pair.provider.get(&format!("/meetings/me?to={from}")).await.body), std::slice::from_ref(&call));
    let all = ids(&pair.client.get(&format!("/meetings/project/{}", pair.project)).await.body);
    assert!(all.len() == 2 && all.contains(&later) && all.contains(&call), "{all:?}");
    pair.client.get("/meetings/me?status=LOST").await.refused(422, "INVALID");
    pair.client.get("/meetings/me?from=yesterday").await.refused(422, "INVALID");
}

#[tokio::test]
async fn an_unanswered_call_is_missed_when_its_ring_ends() {
    let server = TestServer::start_with(|config| config.timing.meeting.ring = MOMENT).await;
    let pair = server.pair().await;
    let (mut host, mut guest) = (pair.client.socket().await, pair.provider.socket().await);
    let meeting = pair.ring().await;
    assert_eq!(guest.next("meeting:invite").await["hostName"], "Maren Aldous");
    for socket in [&mut host, &mut guest] {
        let ended = socket.next("meeting:ended").await;
        assert_eq!((&ended["meetingId"], &ended["endReason"]), (&json!(meeting), &json!("missed")));
        assert_eq!((&ended["status"], &ended["duration"]), (&json!("CANCELLED"), &Value::Null));
    }
    host.has_not_heard("meeting:invite").await;

    // Started by the host before the answer it goes on ringing, and what was active is completed.
    let meeting = pair.ring().await;
    pair.client.patch(&format!("/meetings/{meeting}/start"), json!({})).await.expect(200);
    let ended = guest.next("meeting:ended").await;
    assert_eq!((&ended["endReason"], &ended["status"]), (&json!("missed"), &json!("COMPLETED")));
}

#[tokio::test]
async fn a_ring_goes_on_after_a_restart_and_ends_in_its_time() {
    let server = TestServer::start_with(|config| config.timing.meeting.ring = Duration::from_secs(3)).await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    let server = server.restart().await;
    let mut guest = Socket::connect(&server.base, json!({ "token": pair.provider.access })).await.unwrap();
    assert_eq!(guest.next("meeting:invite").await["meetingId"], meeting);
    assert_eq!(guest.next("meeting:ended").await["endReason"], "missed");
}

#[tokio::test]
async fn a_call_rings_everywhere_and_stops_everywhere_once_it_is_answered() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (mut desk, mut phone) = (pair.provider.socket().await, pair.provider.socket().await);
    let mut host = pair.client.socket().await;
    let meeting = pair.ring().await;
    for socket in [&mut desk, &mut phone] {
        let invite = socket.next("meeting:invite").await;
        assert_eq!((&invite["meetingId"], &invite["type"]), (&json!(meeting), &json!("instant")));
        assert!((44..=45).contains(&invite["expiresInSeconds"].as_u64().unwrap()));
    }
    let mut late = pair.provider.socket().await;
    assert_eq!(late.next("meeting:invite").await["meetingId"], meeting);
    let answer = phone.ask("meeting:accept", json!({ "meetingId": meeting })).await;
    assert_eq!((&answer["ok"], &answer["meeting"]["status"]), (&json!(true), &json!("ACTIVE")));
    let mut numbers = Vec::new();
    for socket in [&mut desk, &mut phone, &mut late, &mut host] {
        let started = socket.next("meeting:started").await;
        assert_eq!(started["meetingId"], meeting);
        numbers.push(started["uid"].as_u64().unwrap());
    }
    assert!(numbers[0] == numbers[1] && numbers[1] == numbers[2] && numbers[2] != numbers[3], "{numbers:?}");
    let mut later = pair.client.socket().await;
    assert_eq!(later.next("meeting:started").await["uid"], numbers[3]);
    let refused = host.ask("meeting:decline", json!({ "meetingId": meeting })).await;
    assert_eq!((&refused["ok"], &refused["code"]), (&json!(false), &json!("FORBIDDEN")));
}

#[tokio::test]
async fn only_the_right_token_binds_a_device() {
    let server = TestServer::start().await;
    let elsewhere = TestServer::start().await;
    let (pair, other) = (server.pair().await, elsewhere.pair().await);
    let meeting = pair.ring().await;
    let foreign = token(&other.client, &other.ring().await).await;
    let hosts = token(&pair.client, &meeting).await;
    let screen = pair.provider.get(&format!("/meetings/{meeting}/token")).await.text("/screen/token");
    let mut guest = pair.provider.socket().await;
    for bad in [foreign, hosts.clone(), screen, "nonsense".to_owned()] {
        let answer = guest.ask("call:join", json!({ "meetingId": meeting, "token": bad })).await;
        assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!("FORBIDDEN")));
    }
    let unknown = guest.ask("call:join", json!({ "meetingId": uuid::Uuid::now_v7(), "token": hosts })).await;
    assert_eq!(unknown["code"], "NOT_FOUND");
    let own = token(&pair.provider, &meeting).await;
    pair.client.delete(&format!("/meetings/{meeting}")).await.expect(204);
    let over = guest.ask("call:join", json!({ "meetingId": meeting, "token": own })).await;
    assert_eq!(over["code"], "MEETING_NOT_OPEN");
}

#[tokio::test]
async fn states_and_signals_go_between_the_two_devices_of_the_call() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (meeting, mut host, mut guest) = talk(&pair).await;
    let mut bystander = pair.provider.socket().await;
    let state = json!({ "meetingId": meeting, "camera": true, "microphone": false, "screen": false });
    assert_eq!(host.ask("call:state", state.clone()).await["ok"], true);
    let heard = guest.next("call:state").await;
    assert_eq!((&heard["userId"], &heard["camera"]), (&json!(pair.client.id()), &json!(true)));
    let signal = json!({ "meetingId": meeting, "data": { "sdp": "v=0", "n": [1, 2.5, null] } });
    assert_eq!(guest.ask("call:signal", signal.clone()).await["ok"], true);
    assert_eq!(host.next("call:signal").await, signal);

    for event in ["call:state", "call:signal"] {
        let payload = if event == "call:state" { state.clone() } else { signal.clone() };
        assert_eq!(bystander.ask(event, payload).await["code"], "MEETING_NOT_OPEN");
    }
    let huge = json!({ "meetingId": meeting, "data": "x".repeat(70_000) });
    assert_eq!(host.ask("call:signal", huge).await["code"], "PAYLOAD_TOO_LARGE");
    bystander.has_not_heard("call:signal").await;

    assert_eq!(guest.ask("call:leave", json!({ "meetingId": meeting })).await["ok"], true);
    assert_eq!(host.ask("call:signal", signal).await["code"], "NOT_FOUND");
    // Who comes back hears how the other side stands.
    let again = json!({ "meetingId": meeting, "token": token(&pair.provider, &meeting).await });
    assert_eq!(guest.ask("call:join", again).await["ok"], true);
    assert_eq!(guest.next("call:state").await["microphone"], false);
}

#[tokio::test]
async fn a_second_device_takes_the_call_over() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let (meeting, mut host, mut desk) = talk(&pair).await;
    let mut phone = pair.provider.socket().await;
    let join = json!({ "meetingId": meeting, "token": token(&pair.provider, &meeting).await });
    assert_eq!(phone.ask("call:join", join).await["ok"], true);
    let moved = desk.next("meeting:ended").await;
    assert_eq!((&moved["endReason"], &moved["status"]), (&json!("moved"), &json!("ACTIVE")));
    phone.has_not_heard("meeting:ended").await;
    host.has_not_heard("meeting:ended").await;
    let signal = json!({ "meetingId": meeting, "data": 1 });
    assert_eq!(desk.ask("call:signal", signal.clone()).await["code"], "MEETING_NOT_OPEN");
    assert_eq!(host.ask("call:signal", signal).await["ok"], true);
    phone.next("call:signal").await;
}

#[tokio::test]
async fn a_call_that_both_have_left_is_ended_after_the_time_of_absence() {
    // Long enough for both to join on a busy machine: until then they are absent.
    let server = TestServer::start_with(|config| config.timing.meeting.absence = Duration::from_secs(3)).await;
    let pair = server.pair().await;
    let mut watcher = pair.client.socket().await;
    let (meeting, host, mut guest) = talk(&pair).await;
    guest.ask("call:leave", json!({ "meetingId": meeting })).await;
    watcher.has_not_heard("meeting:ended").await;
    // The line just breaks; that counts as leaving.
    host.drop_line().await;
    let ended = watcher.next("meeting:ended").await;
    assert_eq!((&ended["endReason"], &ended["status"]), (&json!("abandoned"), &json!("COMPLETED")));
    assert!(ended["duration"].as_u64().unwrap() < 3, "it ended with the last one leaving: {ended}");
}

#[tokio::test]
async fn an_active_call_that_nobody_joined_is_abandoned_also_after_a_restart() {
    let server = TestServer::start_with(|config| config.timing.meeting.absence = Duration::from_secs(2)).await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    pair.provider.patch(&format!("/meetings/{meeting}/accept"), json!({})).await.expect(200);
    let server = server.restart().await;
    let mut socket = Socket::connect(&server.base, json!({ "token": pair.client.access })).await.unwrap();
    assert_eq!(socket.next("meeting:started").await["meetingId"], meeting);
    assert_eq!(socket.next("meeting:ended").await["endReason"], "abandoned");
}

#[tokio::test]
async fn a_scheduled_meeting_that_nobody_starts_expires() {
    let server = TestServer::start_with(|config| config.timing.meeting.expiry = Duration::ZERO).await;
    let pair = server.pair().await;
    let mut socket = pair.provider.socket().await;
    let at = (server.app.now() + MOMENT).to_string();
    pair.client
        .post("/meetings", json!({ "projectId": pair.project, "type": "scheduled", "scheduledAt": at }))
        .await
        .expect(201);
    let ended = socket.next("meeting:ended").await;
    assert_eq!((&ended["endReason"], &ended["status"]), (&json!("expired"), &json!("CANCELLED")));
}

#[tokio::test]
async fn reminders_come_to_both_sides_and_stay_in_sync() {
    let server = TestServer::start_with(|config| {
        config.timing.meeting.reminders = vec![Duration::from_secs(60)];
    })
    .await;
    let pair = server.pair().await;
    let (mut host, mut guest) = (pair.client.socket().await, pair.provider.socket().await);
    let cursor = pair.provider.get("/sync").await.text("/nextCursor");
    let at = (server.app.now() + Duration::from_secs(60) + MOMENT).to_string();
    let body = json!({ "projectId": pair.project, "type": "scheduled", "scheduledAt": at });
    let meeting = pair.client.post("/meetings", body).await.expect(201).text("/id");
    let reminder = host.next("meeting:reminder").await;
    assert_eq!(reminder["meetingId"], meeting);
    assert_eq!(guest.next("meeting:reminder").await["reminderId"], reminder["reminderId"]);
    let changes = pair.provider.get(&format!("/sync?since={cursor}")).await.body["changes"].clone();
    let kinds: Vec<_> = changes.as_array().unwrap().iter().map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["meeting", "reminder"]);
}

#[tokio::test]
async fn agoras_engine_is_taken_when_it_is_configured_and_everybody_has_it() {
    let keys = ["970CA35de60c44645bbae8a215061b33", "5CFd2fd1755d40ecb72977518be15d3b"];
    let server = TestServer::start_with(|config| {
        config.agora = Some((crate::config::Secret::new(keys[0]), crate::config::Secret::new(keys[1])));
    })
    .await;
    let pair = server.pair().await;
    let meeting = pair.ring().await;
    let given = pair.client.get(&format!("/meetings/{meeting}/token")).await;
    assert_eq!((&given.body["engine"], &given.body["appId"]), (&json!("agora"), &json!(keys[0])));
    assert!(!given.body.to_string().contains(keys[1]));
    pair.client.delete(&format!("/meetings/{meeting}")).await.expect(204);

    let without = json!({ "token": pair.provider.access, "engines": ["direct"] });
    let _device = Socket::connect(&server.base, without).await.unwrap();
    let meeting = pair.ring().await;
    let given = pair.client.get(&format!("/meetings/{meeting}/token")).await;
    assert_eq!(given.body["engine"], "direct");
    assert_ne!(given.body["appId"], keys[0]);
}
