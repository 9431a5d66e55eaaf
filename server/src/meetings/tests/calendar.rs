//! `GET /meetings/:id/calendar.ics` (`CONTRACT.md` §5). What other programs read in it is tested in `tests/foreign`.

use std::time::Duration;

use parley_domain::Role;
use serde_json::json;

use super::{pair_time, schedule};
use crate::testing::{Answer, Person, TestServer};

async fn calendar(person: &Person, meeting: &str) -> Answer {
    person.get(&format!("/meetings/{meeting}/calendar.ics")).await
}

/// The unfolded lines of a calendar file.
fn lines(answer: &Answer) -> Vec<String> {
    let text = answer.expect(200).body.as_str().unwrap().replace("\r\n ", "");
    text.split("\r\n").map(str::to_owned).collect()
}

fn value<'l>(lines: &'l [String], name: &str) -> &'l str {
    lines.iter().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap_or_else(|| panic!("{name}: {lines:?}"))
}

#[tokio::test]
async fn an_entry_follows_its_meeting_under_one_uid() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = schedule(&pair).await;
    let path = format!("/meetings/{meeting}");
    let invited = calendar(&pair.provider, &meeting).await;
    assert_eq!(invited.headers["content-type"], "text/calendar; charset=utf-8; method=REQUEST");
    assert_eq!(invited.headers["content-disposition"], "attachment; filename=\"meeting.ics\"");
    let text = lines(&invited);
    assert_eq!((value(&text, "UID"), value(&text, "SEQUENCE")), (meeting.as_str(), "0"));
    assert_eq!((value(&text, "METHOD"), value(&text, "STATUS")), ("REQUEST", "TENTATIVE"));
    assert!(text.iter().any(|line| line.contains("PARTSTAT=NEEDS-ACTION")), "{text:?}");
    let alarms: Vec<_> = text.iter().filter_map(|line| line.strip_prefix("TRIGGER:")).collect();
    assert_eq!(alarms, ["-PT900S", "-PT60S"]);

    pair.provider.patch(&format!("{path}/accept"), json!({})).await.expect(200);
    let text = lines(&calendar(&pair.provider, &meeting).await);
    assert_eq!((value(&text, "SEQUENCE"), value(&text, "STATUS")), ("0", "CONFIRMED"));
    assert_eq!(text.iter().filter(|line| line.contains("PARTSTAT=ACCEPTED")).count(), 2);

    let later = json!({ "scheduledAt": pair_time(&pair, Duration::from_secs(7200)) });
    let moved = pair.client.patch(&path, later).await.expect(200).text("/scheduledAt");
    let text = lines(&calendar(&pair.client, &meeting).await);
    assert_eq!((value(&text, "SEQUENCE"), value(&text, "UID")), ("1", meeting.as_str()));
    let begins: String = moved[..19].chars().filter(|c| !"-:".contains(*c)).collect();
    assert_eq!(value(&text, "DTSTART"), format!("{begins}Z"));

    pair.provider.patch(&format!("{path}/decline"), json!({})).await.expect(200);
    let off = calendar(&pair.client, &meeting).await;
    assert_eq!(off.headers["content-type"], "text/calendar; charset=utf-8; method=CANCEL");
    let text = lines(&off);
    assert_eq!((value(&text, "SEQUENCE"), value(&text, "STATUS")), ("2", "CANCELLED"));
    assert!(text.iter().any(|line| line.contains("PARTSTAT=DECLINED")));
    assert!(!text.iter().any(|line| line.contains("VALARM")));
}

#[tokio::test]
async fn it_names_nobody_elses_address() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let meeting = schedule(&pair).await;
    for (reader, other) in [(&pair.client, &pair.provider), (&pair.provider, &pair.client)] {
        let text = lines(&calendar(reader, &meeting).await).join("\n");
        assert!(text.contains(&format!("mailto:{}", reader.user.email)), "{text}");
        assert!(text.contains(&format!("urn:uuid:{}", other.id())), "{text}");
        assert!(!text.contains(&other.user.email), "{text}");
    }
}

#[tokio::test]
async fn only_what_has_a_time_is_in_a_calendar_and_only_for_its_people() {
    let server = TestServer::start().await;
    let pair = server.pair().await;
    let stranger = server.person("Someone Else", Role::Provider).await;
    let meeting = schedule(&pair).await;
    calendar(&stranger, &meeting).await.refused(404, "NOT_FOUND");
    let call = pair.ring().await;
    calendar(&pair.client, &call).await.refused(404, "NOT_FOUND");
    calendar(&pair.client, "no-id").await.refused(400, "MALFORMED");
}
