//! What is due by the clock on the wall, and what must not care about it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use parley_domain::{Timestamp, UserId};
use parley_store::{Claim, SqliteOptions, SqliteStore, Store};
use serde_json::{Value, json};

use crate::{
    clock::{Clock, SystemClock},
    testing::{Answer, Pair, Person, Socket, TestServer, within},
};

const HOUR: Duration = Duration::from_secs(3600);

/// The machine's clock, set forwards or back at will.
#[derive(Debug, Default)]
struct SetClock(AtomicI64);

impl SetClock {
    fn set_ahead(&self, seconds: i64) {
        self.0.store(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() + self.0.load(Ordering::SeqCst))
    }
}

/// A server with one reminder an hour before, and a meeting in two hours.
async fn with_a_reminder_in_an_hour() -> (TestServer, Arc<SetClock>, Pair, String) {
    let clock = Arc::new(SetClock::default());
    let given = Arc::clone(&clock);
    let server = TestServer::start_with(|config| {
        config.clock = given;
        config.timing.meeting.reminders = vec![HOUR];
        // Days go by in these tests, and nobody is signed out by that.
        config.timing.access_token = HOUR * 24 * 30;
    })
    .await;
    let pair = server.pair().await;
    let body = json!({
        "projectId": pair.project, "type": "scheduled", "scheduledAt": server.app.now() + HOUR * 2,
    });
    let meeting = pair.client.post("/meetings", body).await.expect(201).text("/meetingId");
    (server, clock, pair, meeting)
}

fn claim(server: &TestServer) -> Claim {
    Claim { now: server.app.now(), lease: Duration::from_secs(1), limit: 9 }
}

#[tokio::test]
async fn a_reminder_that_was_taken_up_and_never_sent_is_sent_after_a_restart() {
    let (mut server, clock, pair, meeting) = with_a_reminder_in_an_hour().await;
    server.stop().await;
    // Another node takes it up, so it is in what both people missed; then that node dies.
    clock.set_ahead(3_601);
    let other = SqliteStore::open(server.database(), &SqliteOptions::default()).unwrap();
    let taken = other.claim_reminders(claim(&server)).await.unwrap();
    assert_eq!(taken.len(), 1);
    other.close().await.unwrap();
    clock.set_ahead(0);
    let server = server.restart().await;
    let mut guest = Socket::connect(&server.base, json!({ "token": pair.provider.access })).await.unwrap();
    clock.set_ahead(3_603);
    server.app.due_changed.notify_one();
    let reminder = guest.next("meeting:reminder").await;
    assert_eq!(reminder["meetingId"], meeting);
    assert_eq!(reminder["reminderId"], json!(taken[0].reminder.reminder_id));
    guest.has_not_heard("meeting:reminder").await;
}

#[tokio::test]
async fn a_clock_that_jumps_there_and_back_sends_a_reminder_once() {
    let (server, clock, pair, _) = with_a_reminder_in_an_hour().await;
    let (mut host, mut guest) = (pair.client.socket().await, pair.provider.socket().await);
    clock.set_ahead(3_700);
    server.app.due_changed.notify_one();
    let reminder = guest.next("meeting:reminder").await;
    assert!(reminder["startsInSeconds"].as_i64().unwrap() <= 3_500, "{reminder}");
    host.next("meeting:reminder").await;
    for ahead in [-86_400, 3_800] {
        clock.set_ahead(ahead);
        assert!(server.app.store.claim_reminders(claim(&server)).await.unwrap().is_empty(), "{ahead}");
    }
    host.has_not_heard("meeting:reminder").await;
}

#[tokio::test]
async fn what_people_missed_shows_a_reminder_as_it_was_sent() {
    let (server, clock, pair, meeting) = with_a_reminder_in_an_hour().await;
    let cursor = pair.provider.get("/sync").await.text("/nextCursor");
    let mut guest = pair.provider.socket().await;
    clock.set_ahead(3_601);
    server.app.due_changed.notify_one();
    let sent = guest.next("meeting:reminder").await;
    let later = json!({ "scheduledAt": server.app.now() + HOUR * 5 });
    pair.client.patch(&format!("/meetings/{meeting}"), later).await.expect(200);
    let changes = pair.provider.get(&format!("/sync?since={cursor}")).await.body["changes"].clone();
    let kept = changes.as_array().unwrap().iter().find(|change| change["kind"] == "reminder").unwrap().clone();
    assert_eq!(kept["reminder"], sent);
}

#[tokio::test]
async fn a_ring_and_an_absence_do_not_look_at_the_wall() {
    let clock = Arc::new(SetClock::default());
    let given = Arc::clone(&clock);
    let server = TestServer::start_with(|config| config.clock = given).await;
    let pair = server.pair().await;
    let mut guest = pair.provider.socket().await;
    let meeting: parley_domain::MeetingId = pair.ring().await.parse().unwrap();
    guest.next("meeting:invite").await;
    let left = |timers: &crate::timers::Timers<_>| timers.remaining(&meeting).unwrap().as_secs();
    for ahead in [600, -600] {
        clock.set_ahead(ahead);
        server.app.due_changed.notify_one();
        guest.has_not_heard("meeting:ended").await;
        assert!((30..=45).contains(&left(&server.app.rings)), "{}", left(&server.app.rings));
    }
    guest.ask("meeting:accept", json!({ "meetingId": meeting })).await;
    guest.next("meeting:started").await;
    clock.set_ahead(600);
    assert!((100..=120).contains(&left(&server.app.absences)), "{}", left(&server.app.absences));
    // Set back during the call: no duration is ever negative.
    clock.set_ahead(-600);
    let ended = pair.client.patch(&format!("/meetings/{meeting}/end"), json!({})).await;
    assert_eq!(ended.expect(200).body["duration"], 0);
}

/// Waits until a meeting is over; gives its last state and why.
async fn over(server: &TestServer, person: &Person, meeting: &str) -> (Value, Value) {
    let path = format!("/api/v1/meetings/{meeting}");
    let look = async {
        loop {
            let call = server.call(reqwest::Method::GET, &path).bearer_auth(&person.access);
            let body = Answer::of(call).await.expect(200).body.clone();
            if !body["endReason"].is_null() {
                return (body["status"].clone(), body["endReason"].clone());
            }
        }
    };
    within(look).await
}

#[tokio::test]
async fn what_ran_out_while_the_server_was_off_is_closed_when_it_is_back() {
    let (mut server, clock, pair, waiting) = with_a_reminder_in_an_hour().await;
    let ringing = pair.ring().await;
    server.stop().await;
    clock.set_ahead(3 * 3_600 + 1);
    let server = server.restart().await;
    assert_eq!(over(&server, &pair.client, &ringing).await, (json!("CANCELLED"), json!("missed")));
    assert_eq!(over(&server, &pair.client, &waiting).await, (json!("CANCELLED"), json!("expired")));
    assert_eq!(server.app.store.next_due_at().await.unwrap(), None, "nobody is reminded of it any more");
}

/// Makes every change of a meeting fail until it is taken out again, as a broken disk would.
struct Fault(rusqlite::Connection);

impl Fault {
    fn begin(server: &TestServer) -> Self {
        let conn = rusqlite::Connection::open(server.database()).unwrap();
        conn.execute_batch("CREATE TRIGGER fault BEFORE UPDATE ON meetings BEGIN SELECT RAISE(ABORT, 'fault'); END")
            .unwrap();
        Self(conn)
    }

    fn end(self) {
        self.0.execute_batch("DROP TRIGGER fault").unwrap();
    }
}

#[tokio::test]
async fn a_closing_that_the_store_refuses_is_tried_until_it_is_done() {
    let server = TestServer::start_with(|config| config.timing.meeting.ring = Duration::from_millis(200)).await;
    let pair = server.pair().await;
    let mut guest = pair.provider.socket().await;
    let meeting = pair.ring().await;
    let fault = Fault::begin(&server);
    guest.next("meeting:invite").await;
    let id = meeting.parse().unwrap();
    // The timer has fired and found the store refusing.
    while server.app.rings.remaining(&id).is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(pair.client.get(&format!("/meetings/{meeting}")).await.body["status"], "PENDING");
    fault.end();
    assert_eq!(guest.next("meeting:ended").await["endReason"], "missed");
}

#[tokio::test]
async fn a_project_whose_meetings_can_not_be_closed_stays_open_as_a_whole() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let mut guest = pair.provider.socket().await;
    let body = json!({ "projectId": pair.project, "type": "scheduled", "scheduledAt": server.app.now() + HOUR });
    let waiting = pair.client.post("/meetings", body).await.expect(201).text("/meetingId");
    let call = pair.ring().await;
    pair.provider.patch(&format!("/meetings/{call}/accept"), json!({})).await.expect(200);
    let close = format!("/projects/{}/complete", pair.project);
    let fault = Fault::begin(&server);
    pair.client.patch(&close, json!({})).await.refused(500, "INTERNAL");
    let project = pair.client.get(&format!("/projects/{}", pair.project)).await;
    assert_eq!(project.expect(200).body["status"], "ACTIVE");
    guest.has_not_heard("meeting:ended").await;
    fault.end();

    pair.client.patch(&close, json!({})).await.expect(200);
    for (meeting, status) in [(&waiting, "CANCELLED"), (&call, "COMPLETED")] {
        let ended = pair.provider.get(&format!("/meetings/{meeting}")).await;
        assert_eq!((&ended.body["status"], &ended.body["endReason"]), (&json!(status), &json!("project_closed")));
        assert!(guest.next("meeting:ended").await["endReason"] == "project_closed");
    }
    assert_eq!(server.app.store.next_due_at().await.unwrap(), None, "no reminder and no expiry waits");
    pair.client.get(&format!("/meetings/{call}/log")).await.expect(200);
    let nobody: Option<UserId> = None;
    let again = json!({ "projectId": pair.project, "type": "instant", "guestId": nobody });
    pair.client.post("/meetings", again).await.refused(409, "PROJECT_NOT_ACTIVE");
}
