//! No call asks the database once for each row of its answer: the statements of every list, and of the writes that
//! touch several rows, are counted with few rows and with many.

use std::{collections::BTreeSet, time::Duration};

use parley_domain::{MeetingId, MeetingLogEntry, MeetingLogEvent};
use parley_store::{Claim, Mailing};
use serde_json::{Value, json};

use super::matrix::{proposal, upload};
use crate::testing::{Pair, Person, TestServer};

/// A list of the description.
struct List {
    route: &'static str,
    /// What is asked, by the client and by the provider.
    ask: fn(&Rows) -> Vec<String>,
    /// The statements that it may take, with the one that finds the caller's session.
    at_most: u64,
}

const LISTS: &[List] = &[
    List { route: "/requests", ask: |_| vec!["/requests?limit=100".into()], at_most: 3 },
    List {
        route: "/requests/{id}/proposals",
        ask: |rows| vec![format!("/requests/{}/proposals?limit=100", rows.request)],
        at_most: 4,
    },
    List { route: "/projects", ask: |_| vec!["/projects?limit=100".into()], at_most: 2 },
    List { route: "/conversations", ask: |_| vec!["/conversations?limit=100".into()], at_most: 5 },
    List {
        route: "/messages/conversation/{id}",
        ask: |rows| {
            let path = format!("/messages/conversation/{}?limit=100", rows.pair.conversation);
            vec![format!("{path}&after=0"), path]
        },
        at_most: 7,
    },
    List {
        route: "/messages/search",
        ask: |rows| {
            let there = format!("/messages/search?limit=100&q=word&conversationId={}", rows.pair.conversation);
            vec!["/messages/search?limit=100&q=word".into(), there]
        },
        at_most: 7,
    },
    List {
        route: "/meetings/project/{id}",
        ask: |rows| vec![format!("/meetings/project/{}?limit=100", rows.pair.project)],
        at_most: 3,
    },
    List { route: "/meetings/me", ask: |_| vec!["/meetings/me?limit=100".into()], at_most: 2 },
    List {
        route: "/meetings/{id}/log",
        ask: |rows| vec![format!("/meetings/{}/log?limit=100", rows.call)],
        at_most: 3,
    },
    List { route: "/sync", ask: |rows| vec![format!("/sync?limit=100&since={}", rows.since)], at_most: 12 },
];

const KINDS: [&str; 6] = ["message", "read", "meeting", "project", "proposal", "reminder"];

#[test]
fn every_list_of_the_description_is_counted() {
    let description: Value = serde_json::from_str(crate::openapi()).unwrap();
    let is_list = |item: &Value| {
        item["get"]["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["name"] == "limit")
    };
    let paths = description["paths"].as_object().unwrap().iter().filter(|(_, item)| is_list(item));
    let described: BTreeSet<_> = paths.map(|(path, _)| path.strip_prefix("/api/v1").unwrap()).collect();
    let counted: BTreeSet<_> = LISTS.iter().map(|list| list.route).collect();
    assert_eq!(described, counted, "lists of the description, and the lines of LISTS");
}

#[tokio::test]
async fn a_list_takes_as_many_statements_for_fifty_rows_as_for_one() {
    let (few, many) = tokio::join!(Rows::make(1), Rows::make(50));
    for list in LISTS {
        for (few_path, many_path) in (list.ask)(&few).iter().zip((list.ask)(&many)) {
            for (by_few, by_many) in few.people().into_iter().zip(many.people()) {
                let (one, rows) = few.read(by_few, few_path).await;
                let (fifty, more_rows) = many.read(by_many, &many_path).await;
                let what =
                    format!("{} for {}: {one} for {rows} rows, {fifty} for {more_rows}", list.route, by_few.user.role);
                println!("{what}");
                assert!((1..10).contains(&rows) && more_rows >= 40, "{what}");
                assert!(fifty <= one && one <= list.at_most, "{what}, at most {}", list.at_most);
            }
        }
    }
    let changes = many.pair.client.get(&format!("/sync?limit=100&since={}", many.since)).await;
    for kind in KINDS {
        let found = changes.body["changes"].as_array().unwrap().iter().filter(|change| change["kind"] == kind).count();
        assert!(found >= 10, "{found} changes of kind {kind}");
    }
}

#[tokio::test]
async fn a_write_takes_no_more_statements_for_what_it_only_passes_by() {
    let (few, many) = tokio::join!(Rows::make(1), Rows::make(50));
    for name in ["send", "read to the end", "read one", "delete files", "edit"] {
        let (one, fifty) = (few.write(name).await, many.write(name).await);
        println!("{name}: {one} and {fifty}");
        assert_eq!(fifty, one, "{name}");
    }
}

/// What changes many rows writes each of them, and a line in the change log of each of the two people; it reads them all
/// at once.
#[tokio::test]
async fn a_write_takes_a_bounded_number_of_statements_for_each_row_that_it_changes() {
    let rows = Rows::make(1).await;
    // An upload becomes its message's.
    rows.grows_by("send with files", 1, async |n| rows.send_with_files(n).await, 10).await;
    // The proposal, two lines.
    rows.grows_by("accept among others", 3, async |n| rows.accept_among(n).await, 50).await;
    // The meeting, two lines; its reminders that were sent and those that were not; its mails, old and new.
    rows.grows_by("close with meetings", 7, async |n| rows.close_with_meetings(n).await, 50).await;
    // The reminder, two lines, the mails.
    rows.grows_by("claim reminders", 4, async |n| rows.claim_reminders(n).await, 50).await;
    // A line for each of the two who are in the call.
    rows.grows_by("start after a crash", 2, async |n| rows.empty_calls(n).await, 20).await;
}

/// A client and a provider, and as many rows as wanted of everything that concerns them.
struct Rows {
    server: TestServer,
    pair: Pair,
    request: String,
    call: String,
    since: String,
}

impl Rows {
    async fn make(count: usize) -> Self {
        let server = TestServer::start_bare().await;
        let pair = server.pair().await;
        let (client, provider) = (&pair.client, &pair.provider);
        let request = open_request(client).await;
        for n in 0..count {
            propose(provider, &request).await;
            if n > 0 {
                open_request(client).await;
            }
            let conversation = agree(&pair).await.1;
            say(client, &conversation, "word").await;
            say_with_files(provider, &conversation, 1).await;
            client.patch(&format!("/messages/conversation/{conversation}/read"), json!({})).await.expect(200);
            schedule(client, &pair.project, n).await;
        }
        let mut rows = Self { request, call: pair.ring().await, since: String::new(), pair, server };
        rows.talk(count.max(5)).await;
        rows.log(&rows.call, count).await;
        rows.since = rows.pair.client.get("/sync").await.expect(200).text("/nextCursor");
        rows.change(count.div_ceil(5)).await;
        rows
    }

    fn people(&self) -> [&Person; 2] {
        [&self.pair.client, &self.pair.provider]
    }

    /// Messages of every kind in one conversation: plain ones, answers, files, edited and deleted ones, each read.
    async fn talk(&self, count: usize) {
        let (client, provider, conversation) = (&self.pair.client, &self.pair.provider, &self.pair.conversation);
        let read = format!("/messages/conversation/{conversation}/read");
        for n in 0..count {
            match n % 5 {
                0 | 1 => drop(say(client, conversation, "word").await),
                2 => drop(say_with_files(client, conversation, 2).await),
                3 => {
                    let edited = say(client, conversation, "before").await;
                    client.patch(&format!("/messages/{edited}"), json!({ "content": "word" })).await.expect(200);
                }
                _ => {
                    let deleted = say(client, conversation, "word").await;
                    client.delete(&format!("/messages/{deleted}")).await.expect(204);
                }
            }
            provider.patch(&read, json!({})).await.expect(200);
        }
    }

    async fn log(&self, meeting: &str, lines: usize) {
        let meeting: MeetingId = meeting.parse().unwrap();
        let events = [MeetingLogEvent::Joined, MeetingLogEvent::ScreenOn, MeetingLogEvent::ScreenOff];
        for n in 0..lines {
            let event = if n == 0 { events[0] } else { events[2 - n % 2] };
            let entry = MeetingLogEntry { user_id: self.pair.client.id(), event, at: self.server.app.now() };
            self.server.app.store().log_meeting(meeting, entry).await.unwrap();
        }
    }

    /// Changes of every kind, so many of each.
    async fn change(&self, count: usize) {
        for n in 0..count {
            let conversation = agree(&self.pair).await.1;
            say_with_files(&self.pair.client, &conversation, 1).await;
            let read = format!("/messages/conversation/{conversation}/read");
            self.pair.provider.patch(&read, json!({})).await.expect(200);
            schedule(&self.pair.client, &self.pair.project, n).await;
        }
        self.claim(count).await;
    }

    async fn claim(&self, count: usize) {
        let claim = Claim {
            now: "2099-01-01T00:00:00Z".parse().unwrap(),
            lease: Duration::from_secs(60),
            limit: u32::try_from(count).unwrap(),
        };
        let claimed = self.server.app.store().claim_reminders(claim).await.unwrap();
        assert_eq!(claimed.len(), count);
    }

    /// The statements that a call takes, with its answer. None is spared because the caller was known a moment ago.
    async fn cost<T>(&self, call: impl Future<Output = T>) -> (u64, T) {
        self.server.app.sessions.forget();
        let before = self.server.app.store().activity().statements;
        let answer = call.await;
        (self.server.app.store().activity().statements - before, answer)
    }

    /// Statements of a call, and the rows that it gave.
    async fn read(&self, by: &Person, path: &str) -> (u64, usize) {
        let (took, answer) = self.cost(by.get(path)).await;
        let body = &answer.expect(200).body;
        let rows = body.get("items").or(body.get("changes")).and_then(Value::as_array);
        (took, rows.unwrap_or_else(|| panic!("{path} is no list: {body}")).len())
    }

    /// Statements of a write in the conversation that holds the rows.
    async fn write(&self, name: &str) -> u64 {
        let (client, provider, conversation) = (&self.pair.client, &self.pair.provider, &self.pair.conversation);
        let read = format!("/messages/conversation/{conversation}/read");
        let newest = say(client, conversation, "newest").await;
        let with_files = say_with_files(client, conversation, 3).await;
        let write = async {
            match name {
                "send" => {
                    client
                        .post(
                            "/messages",
                            json!({ "conversationId": conversation, "content": "one more", "type": "text" }),
                        )
                        .await
                }
                "read to the end" => client.patch(&read, json!({})).await,
                "read one" => provider.patch(&read, json!({ "upToMessageId": newest })).await,
                "delete files" => client.delete(&format!("/messages/{with_files}")).await,
                "edit" => client.patch(&format!("/messages/{newest}"), json!({ "content": "new" })).await,
                _ => panic!("no write is named {name}"),
            }
        };
        let (took, answer) = self.cost(write).await;
        assert!(answer.status.is_success(), "{name}: {}", answer.body);
        took
    }

    /// Asserts that `write`, which answers what it took for so many rows, takes at most `each` more for each row more.
    async fn grows_by(&self, name: &str, each: u64, write: impl AsyncFn(usize) -> u64, rows: usize) {
        let (one, all) = (write(1).await, write(rows).await);
        let more = u64::try_from(rows - 1).unwrap();
        println!("{name}: {one} for 1, {all} for {rows}");
        assert!(all > one, "{name}: {all} for {rows} rows, {one} for one: it did not change them");
        assert!(all - one <= each * more, "{name}: {all} for {rows} rows, {one} for one: over {each} for each");
    }

    async fn send_with_files(&self, count: usize) -> u64 {
        let body = with_files(&self.pair.client, &self.pair.conversation, count).await;
        let (took, answer) = self.cost(self.pair.client.post("/messages", body)).await;
        answer.expect(201);
        took
    }

    async fn accept_among(&self, count: usize) -> u64 {
        let request = open_request(&self.pair.client).await;
        for _ in 0..count {
            propose(&self.pair.provider, &request).await;
        }
        let proposal = propose(&self.pair.provider, &request).await;
        let (took, answer) =
            self.cost(self.pair.client.post(&format!("/proposals/{proposal}/accept"), json!({}))).await;
        answer.expect(201);
        took
    }

    async fn close_with_meetings(&self, count: usize) -> u64 {
        let (project, _) = agree(&self.pair).await;
        for n in 0..count {
            schedule(&self.pair.provider, &project, n).await;
        }
        let (took, answer) =
            self.cost(self.pair.client.patch(&format!("/projects/{project}/complete"), json!({}))).await;
        answer.expect(200);
        took
    }

    async fn claim_reminders(&self, count: usize) -> u64 {
        for n in 0..count {
            schedule(&self.pair.provider, &self.pair.project, n).await;
        }
        self.cost(self.claim(count)).await.0
    }

    /// Calls that a killed server leaves behind, each in a project of its own.
    async fn empty_calls(&self, count: usize) -> u64 {
        for _ in 0..count {
            let (project, _) = agree(&self.pair).await;
            let body = json!({ "projectId": project, "type": "instant" });
            let meeting = self.pair.client.post("/meetings", body).await.expect(201).text("/id");
            for person in self.people() {
                let at = self.server.app.now();
                let entry = MeetingLogEntry { user_id: person.id(), event: MeetingLogEvent::Joined, at };
                self.server.app.store().log_meeting(meeting.parse().unwrap(), entry).await.unwrap();
            }
        }
        let (took, answer) =
            self.cost(self.server.app.store().begin_serving(Mailing::Off, self.server.app.now())).await;
        answer.unwrap();
        took
    }
}

async fn open_request(client: &Person) -> String {
    client.post("/requests", json!({ "title": "A site", "description": "Six pages." })).await.expect(201).text("/id")
}

async fn propose(provider: &Person, request: &str) -> String {
    provider.post(&format!("/requests/{request}/proposals"), proposal()).await.expect(201).text("/id")
}

/// Another project of the two, and its conversation.
async fn agree(pair: &Pair) -> (String, String) {
    let proposal = propose(&pair.provider, &open_request(&pair.client).await).await;
    let accepted = pair.client.post(&format!("/proposals/{proposal}/accept"), json!({})).await;
    (accepted.expect(201).text("/project/id"), accepted.text("/conversation/id"))
}

async fn say(by: &Person, conversation: &str, content: &str) -> String {
    let body = json!({ "conversationId": conversation, "content": content, "type": "text" });
    by.post("/messages", body).await.expect(201).text("/id")
}

async fn with_files(by: &Person, conversation: &str, count: usize) -> Value {
    let mut files = Vec::new();
    for _ in 0..count {
        files.push(upload(by).await);
    }
    json!({ "conversationId": conversation, "content": "word", "type": "file", "attachmentIds": files })
}

async fn say_with_files(by: &Person, conversation: &str, count: usize) -> String {
    by.post("/messages", with_files(by, conversation, count).await).await.expect(201).text("/id")
}

async fn schedule(by: &Person, project: &str, n: usize) {
    let at = format!("2090-01-01T{:02}:{:02}:00Z", n / 60, n % 60);
    let body = json!({ "projectId": project, "type": "scheduled", "scheduledAt": at });
    by.post("/meetings", body).await.expect(201);
}
