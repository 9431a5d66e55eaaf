//! Mails against a mail server of a few lines that can be told to misbehave. A real one reads them in `tests/foreign`.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use parley_domain::Timestamp;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::smtp::{Smtp, SmtpSettings};
use crate::{
    Config,
    testing::{Pair, TestServer, within},
};

/// What the mail server does with the next connection; it works once nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// 421 instead of a greeting.
    Refuses,
    /// Says nothing at all.
    Hangs,
    /// Is gone in the middle of the mail.
    GoesAway,
    /// 550, with the address in its words as real ones do.
    KnowsNobody,
    /// 451 after the mail.
    IsBusy,
}

/// One connection's outcome.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Failed(Mood),
    Mail { to: String, text: String },
}

struct MailServer {
    address: SocketAddr,
    seen: mpsc::Receiver<Seen>,
    moods: Arc<Mutex<VecDeque<Mood>>>,
}

impl MailServer {
    async fn start(moods: &[Mood]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = mpsc::channel(100);
        let moods = Arc::new(Mutex::new(VecDeque::from(moods.to_vec())));
        let left = Arc::clone(&moods);
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let (sender, mood) = (sender.clone(), left.lock().unwrap().pop_front());
                tokio::spawn(async move {
                    if let Some(seen) = serve(line, mood).await {
                        sender.send(seen).await.ok();
                    }
                });
            }
        });
        Self { address, seen, moods }
    }

    fn will(&self, moods: &[Mood]) {
        self.moods.lock().unwrap().extend(moods);
    }

    /// The next mail's recipient and text.
    async fn mail(&mut self) -> (String, String) {
        match within(self.seen.recv()).await.unwrap() {
            Seen::Mail { to, text } => (to, text),
            Seen::Failed(mood) => panic!("{mood:?} instead of a mail"),
        }
    }

    async fn failure(&mut self) -> Mood {
        match within(self.seen.recv()).await.unwrap() {
            Seen::Failed(mood) => mood,
            Seen::Mail { to, .. } => panic!("a mail to {to}"),
        }
    }
}

async fn serve(line: TcpStream, mood: Option<Mood>) -> Option<Seen> {
    let (read, mut write) = line.into_split();
    let mut read = BufReader::new(read).lines();
    if mood == Some(Mood::Hangs) {
        while read.next_line().await.ok()?.is_some() {}
        return Some(Seen::Failed(Mood::Hangs));
    }
    if mood == Some(Mood::Refuses) {
        write.write_all(b"421 not now\r\n").await.ok()?;
        return Some(Seen::Failed(Mood::Refuses));
    }
    write.write_all(b"220 mail.test\r\n").await.ok()?;
    let mut to = String::new();
    loop {
        let command = read.next_line().await.ok()??;
        let answer = match command.get(..4).unwrap_or_default() {
            "EHLO" => "250 mail.test".to_owned(),
            "RCPT" if mood == Some(Mood::KnowsNobody) => {
                write.write_all(format!("550 5.1.1 {command}: no such user\r\n").as_bytes()).await.ok()?;
                return Some(Seen::Failed(Mood::KnowsNobody));
            }
            "RCPT" => {
                to = command.trim_start_matches("RCPT TO:<").split('>').next()?.to_owned();
                "250 ok".to_owned()
            }
            "DATA" if mood == Some(Mood::GoesAway) => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                read.next_line().await.ok()?;
                return Some(Seen::Failed(Mood::GoesAway));
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = String::new();
                loop {
                    let line = read.next_line().await.ok()??;
                    if line == "." {
                        break;
                    }
                    text.push_str(&line);
                    text.push('\n');
                }
                if mood == Some(Mood::IsBusy) {
                    write.write_all(b"451 later\r\n").await.ok()?;
                    return Some(Seen::Failed(Mood::IsBusy));
                }
                write.write_all(b"250 taken\r\n").await.ok()?;
                return Some(Seen::Mail { to, text });
            }
            _ => "250 ok".to_owned(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

fn with(address: SocketAddr) -> impl FnOnce(&mut Config) {
    move |config| {
        let settings = SmtpSettings {
            url: Some(format!("smtp://{address}")),
            from: Some("Parley <parley@server.test>".to_owned()),
            ..SmtpSettings::default()
        };
        config.smtp = Smtp::of(settings).unwrap();
        config.timing.mail_patience = Duration::from_secs(1);
        config.timing.mail_retry = Duration::from_millis(50);
    }
}

async fn schedule(pair: &Pair, at: Timestamp) -> String {
    let body = json!({ "projectId": pair.project, "type": "scheduled", "scheduledAt": at });
    pair.client.post("/meetings", body).await.expect(201).text("/meetingId")
}

fn in_an_hour(server: &TestServer) -> Timestamp {
    server.app.now() + Duration::from_secs(3600)
}

/// What was handed over is gone from the store a moment later.
async fn outbox_empties(server: &TestServer) {
    let emptied = async {
        while server.app.store.next_mail_due_at().await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    within(emptied).await;
}

fn header<'m>(text: &'m str, name: &str) -> &'m str {
    let prefix = format!("{name}: ");
    text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("{name}: {text}"))
}

#[tokio::test]
async fn an_invitation_a_new_time_and_its_end_come_to_both_sides() {
    let mut post = MailServer::start(&[]).await;
    let server = TestServer::start_with(with(post.address)).await;
    let pair = server.pair().await;
    let meeting = schedule(&pair, in_an_hour(&server)).await;
    let addresses = [&pair.client.user.email, &pair.provider.user.email];
    let mut ids = Vec::new();
    for step in ["Meeting on", "New time", "Off:"] {
        let mut to = Vec::new();
        for _ in addresses {
            let (recipient, text) = post.mail().await;
            assert!(header(&text, "Subject").starts_with(step), "{text}");
            assert!(header(&text, "To").contains(&recipient), "{text}");
            assert_eq!(header(&text, "Auto-Submitted"), "auto-generated");
            let other = addresses.iter().find(|address| ***address != recipient).unwrap();
            assert!(!text.contains(other.as_str()), "nobody learns the other's address: {text}");
            ids.push(header(&text, "Message-ID").to_owned());
            to.push(recipient);
        }
        to.sort();
        assert_eq!(to.iter().collect::<Vec<_>>(), addresses);
        if step == "Meeting on" {
            let later = server.app.now() + Duration::from_secs(7200);
            pair.client.patch(&format!("/meetings/{meeting}"), json!({ "scheduledAt": later })).await.expect(200);
        } else if step == "New time" {
            pair.client.delete(&format!("/meetings/{meeting}")).await.expect(204);
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each is a mail of its own");
    assert!(ids.iter().all(|id| id.ends_with("@server.test>")), "{ids:?}");
}

#[tokio::test]
async fn a_mail_server_that_fails_in_every_way_gets_each_mail_in_the_end() {
    let failures = [Mood::Refuses, Mood::GoesAway, Mood::IsBusy, Mood::Hangs];
    let mut post = MailServer::start(&failures).await;
    let server = TestServer::start_with(with(post.address)).await;
    let pair = server.pair().await;
    schedule(&pair, in_an_hour(&server)).await;
    let (mut failed, mut mails) = (0, Vec::new());
    while mails.len() < 2 {
        match within(post.seen.recv()).await.unwrap() {
            Seen::Failed(mood) => {
                assert!(failures.contains(&mood));
                failed += 1;
            }
            Seen::Mail { to, .. } => mails.push(to),
        }
    }
    mails.sort();
    assert_eq!(mails, [&*pair.client.user.email, &*pair.provider.user.email]);
    assert_eq!(failed, failures.len());
    outbox_empties(&server).await;
}

#[tokio::test]
async fn a_refused_connection_loses_nothing_and_a_restart_sends_it() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut server = TestServer::start_with(with(closed)).await;
    let pair = server.pair().await;
    let meeting = schedule(&pair, in_an_hour(&server)).await;
    assert!(server.app.store.next_mail_due_at().await.unwrap().is_some());
    let mut post = MailServer::start(&[]).await;
    with(post.address)(server.config());
    let _server = server.restart().await;
    for _ in 0..2 {
        let (_, text) = post.mail().await;
        // The file is base64 or quoted; the meeting's own words are not.
        assert!(header(&text, "Subject").starts_with("Meeting on"), "{meeting}");
    }
}

#[tokio::test]
async fn an_address_that_nobody_has_is_given_up_at_once() {
    let mut post = MailServer::start(&[Mood::KnowsNobody, Mood::KnowsNobody]).await;
    let server = TestServer::start_with(with(post.address)).await;
    let pair = server.pair().await;
    let meeting = schedule(&pair, in_an_hour(&server)).await;
    assert_eq!([post.failure().await, post.failure().await], [Mood::KnowsNobody; 2]);
    outbox_empties(&server).await;
    // The next one is tried all the same.
    pair.client.delete(&format!("/meetings/{meeting}")).await.expect(204);
    assert!(header(&post.mail().await.1, "Subject").starts_with("Off:"));
}

#[tokio::test]
async fn what_is_called_off_before_its_mail_went_out_is_not_announced_any_more() {
    let mut post = MailServer::start(&[]).await;
    post.will(&[Mood::IsBusy; 2]);
    let server = TestServer::start_with(|config| {
        with(post.address)(config);
        config.timing.mail_retry = Duration::from_secs(3600);
    })
    .await;
    let pair = server.pair().await;
    let meeting = schedule(&pair, in_an_hour(&server)).await;
    assert_eq!([post.failure().await, post.failure().await], [Mood::IsBusy; 2]);
    pair.provider.patch(&format!("/meetings/{meeting}/decline"), json!({})).await.expect(200);
    for _ in 0..2 {
        let (_, text) = post.mail().await;
        assert!(header(&text, "Subject").starts_with("Off:"), "{text}");
    }
    outbox_empties(&server).await;
}

#[tokio::test]
async fn a_reminder_comes_by_mail_in_the_recipients_own_time() {
    let mut post = MailServer::start(&[]).await;
    let server = TestServer::start_with(|config| {
        with(post.address)(config);
        config.timing.meeting.reminders = vec![Duration::from_secs(3599)];
    })
    .await;
    let pair = server.pair().await;
    pair.provider.patch("/users/me", json!({ "timeZone": "Asia/Kolkata" })).await.expect(200);
    schedule(&pair, in_an_hour(&server)).await;
    let mut reminders = Vec::new();
    while reminders.len() < 2 {
        let (to, text) = post.mail().await;
        if header(&text, "Subject").starts_with("Meeting in") {
            assert!(!text.contains("text/calendar"), "{text}");
            reminders.push((to, text));
        }
    }
    reminders.sort();
    assert!(reminders[0].1.contains("(UTC)"), "{}", reminders[0].1);
    assert!(reminders[1].1.contains("(Asia/Kolkata, UTC+05:30)"), "{}", reminders[1].1);
}

#[tokio::test]
async fn what_people_typed_never_becomes_a_header() {
    let mut post = MailServer::start(&[]).await;
    let server = TestServer::start_with(with(post.address)).await;
    let pair = server.pair().await;
    let name = "Ann \"B\" <evil@x.test>, Ü =?utf-8?q?Bcc:?=";
    pair.provider.patch("/users/me", json!({ "name": name })).await.expect(200);
    schedule(&pair, in_an_hour(&server)).await;
    for _ in 0..2 {
        let (to, text) = post.mail().await;
        assert!(!to.contains("evil"), "{to}");
        let head = text.split("\n\n").next().unwrap();
        for line in head.lines() {
            let names = ["From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ", "Auto-Submitted: ", "MIME-Version: "];
            let is_known = line.starts_with(' ') || line.starts_with("Content-") || line.starts_with('\t');
            assert!(is_known || names.iter().any(|name| line.starts_with(name)), "{line}");
        }
    }
}

#[tokio::test]
async fn without_a_mail_server_nothing_is_written_for_one() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    schedule(&pair, in_an_hour(&server)).await;
    assert_eq!(server.app.store.next_mail_due_at().await.unwrap(), None);
    let me: Value = pair.client.get("/users/me").await.body;
    assert!(me["email"].is_string());
}
