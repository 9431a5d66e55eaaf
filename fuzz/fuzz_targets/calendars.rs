//! Writing `.ics`: a title and two names of whatever characters, in whatever state of a meeting. A reader of its own
//! unfolds and takes apart what the server wrote (RFC 5545 §3.1, §3.3.11; RFC 6868) and must find what went in.
//!
//! An input is: the state (one byte), what the guest said (one byte), why it ended (one byte), an address, the host's
//! name, the guest's name and the title, each on a line of its own, the title to the end.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::{Corpus, fuzz_target};
use parley_domain::{
    AgoraUid, EndReason, EngineKind, Meeting, MeetingId, MeetingStatus, MeetingType, MeetingUids, ProjectId, Role,
    Timestamp, User, UserId,
};
use parley_store::MeetingView;
use uuid::Uuid;

#[path = "../../server/src/meetings/calendar.rs"]
#[allow(dead_code)]
mod calendar;

#[path = "../../server/src/problem.rs"]
#[allow(dead_code)]
mod problem;

const ALARMS: [Duration; 2] = [Duration::from_secs(900), Duration::from_secs(60)];
const MOST_OCTETS: usize = 75;

fn at(seconds: u64) -> Timestamp {
    let begun: Timestamp = "2026-03-01T09:30:00.000Z".parse().expect("an instant");
    begun + Duration::from_secs(seconds)
}

fn uid(number: u32) -> AgoraUid {
    AgoraUid::new(number).expect("a number above 0")
}

fn view(state: u8, answer: u8, reason: u8, [host, guest, title]: [&str; 3]) -> MeetingView {
    let statuses = [MeetingStatus::Pending, MeetingStatus::Active, MeetingStatus::Completed, MeetingStatus::Cancelled];
    let reasons = [None, Some(EndReason::Declined), Some(EndReason::Expired), Some(EndReason::Cancelled)];
    let meeting = Meeting {
        id: MeetingId(Uuid::from_u128(1)),
        project_id: ProjectId(Uuid::from_u128(2)),
        host_id: UserId(Uuid::from_u128(3)),
        guest_id: UserId(Uuid::from_u128(4)),
        channel_name: "channel".to_owned(),
        kind: MeetingType::Scheduled,
        status: statuses[usize::from(state) % statuses.len()],
        engine: EngineKind::Direct,
        scheduled_at: Some(at(0)),
        accepted_at: (answer % 2 == 1).then(|| at(1)),
        started_at: None,
        ended_at: None,
        duration: None,
        end_reason: reasons[usize::from(reason) % reasons.len()],
        created_at: at(2),
        updated_at: at(3),
    };
    MeetingView {
        meeting,
        uids: MeetingUids { host: uid(1), guest: uid(2), host_screen: uid(3), guest_screen: uid(4) },
        host_name: host.to_owned(),
        guest_name: guest.to_owned(),
        project_title: title.to_owned(),
        sequence: u32::from(answer),
        ring_due_at: None,
    }
}

/// A property as it was read.
#[derive(Debug)]
struct Property {
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

/// The lines of a file: each ends with CR LF and is not too long; one that begins with a space goes on with the last.
fn unfold(text: &str) -> Vec<String> {
    let body = text.strip_suffix("\r\n").expect("the last line has its end");
    let mut lines: Vec<String> = Vec::new();
    for line in body.split("\r\n") {
        assert!(line.len() <= MOST_OCTETS, "{} octets: {line:?}", line.len());
        assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "a control character: {line:?}");
        match line.strip_prefix([' ', '\t']) {
            Some(more) => lines.last_mut().expect("the first line is no continuation").push_str(more),
            None => lines.push(line.to_owned()),
        }
    }
    lines
}

fn property(line: &str) -> Property {
    let mut chars = line.chars().peekable();
    let mut name = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '-') {
        name.push(c);
    }
    let mut parameters = Vec::new();
    while chars.next_if_eq(&';').is_some() {
        let key: String = std::iter::from_fn(|| chars.next_if(|c| *c != '=')).collect();
        assert_eq!(chars.next(), Some('='), "{line:?}");
        let is_quoted = chars.next_if_eq(&'"').is_some();
        let ends = |c: &char| if is_quoted { *c == '"' } else { matches!(c, ';' | ':' | ',' | '"') };
        let value: String = std::iter::from_fn(|| chars.next_if(|c| !ends(c))).collect();
        assert!(!is_quoted || chars.next() == Some('"'), "{line:?}");
        parameters.push((key, uncareted(&value)));
    }
    assert_eq!(chars.next(), Some(':'), "{line:?}");
    Property { name, parameters, value: chars.collect() }
}

/// RFC 6868 §3.
fn uncareted(value: &str) -> String {
    let (mut text, mut chars) = (String::new(), value.chars());
    while let Some(c) = chars.next() {
        match (c, c == '^') {
            (_, false) => text.push(c),
            _ => text.push(match chars.next() {
                Some('^') => '^',
                Some('\'') => '"',
                Some('n') => '\n',
                other => panic!("a caret before {other:?}"),
            }),
        }
    }
    text
}

/// RFC 5545 §3.3.11.
fn unescaped(value: &str) -> String {
    let (mut text, mut chars) = (String::new(), value.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(match chars.next() {
                Some('n' | 'N') => '\n',
                Some(c @ ('\\' | ';' | ',')) => c,
                other => panic!("a backslash before {other:?}"),
            }),
            ';' | ',' => panic!("an unescaped {c} in {value:?}"),
            c => text.push(c),
        }
    }
    text
}

/// What people typed, with a space for whatever can't stand on a line.
fn shown(text: &str) -> String {
    text.replace(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}', " ")
}

fn check(view: &MeetingView, email: &str, text: &str, method: &str) {
    let properties: Vec<_> = unfold(text).iter().map(|line| property(line)).collect();
    let all = |name: &str| properties.iter().filter(|property| property.name == name).collect::<Vec<_>>();
    let one = |name: &str| match all(name).as_slice() {
        [property] => property.value.clone(),
        other => panic!("{name} stands there {} times", other.len()),
    };
    let alarms = if method == "CANCEL" { 0 } else { ALARMS.len() };
    let frame: Vec<_> = all("BEGIN").iter().map(|property| property.value.clone()).collect();
    assert_eq!(frame, [vec!["VCALENDAR", "VEVENT"], vec!["VALARM"; alarms]].concat());
    assert_eq!(all("END").len(), frame.len());
    assert_eq!(one("METHOD"), method);
    assert_eq!(one("UID"), view.meeting.id.to_string());
    assert_eq!(one("SEQUENCE"), view.sequence.to_string());
    let title = shown(&view.project_title);
    assert_eq!(unescaped(&one("SUMMARY")), format!("Meeting: {title}"));
    let descriptions = all("DESCRIPTION");
    let about = format!("{} and {}, about: {title}\n", shown(&view.host_name), shown(&view.guest_name));
    assert!(unescaped(&descriptions[0].value).starts_with(&about));
    for alarm in &descriptions[1..] {
        assert_eq!(unescaped(&alarm.value), format!("Meeting: {title}"));
    }
    let people: Vec<_> = all("ORGANIZER").into_iter().chain(all("ATTENDEE")).collect();
    let names: Vec<_> = people.iter().map(|person| parameter(person, "CN")).collect();
    assert_eq!(names, [shown(&view.host_name), shown(&view.host_name), shown(&view.guest_name)]);
    assert_eq!(people[2].value, format!("urn:uuid:{}", view.meeting.guest_id));
    let address = people[0].value.strip_prefix("mailto:").expect("the reader's own address");
    assert!(address.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '?' | '&' | '"' | '<' | '>')), "{address:?}");
    assert_eq!(decoded(address), email.as_bytes());
    let known = 3 + 13 + 3 * alarms + 2 * frame.len();
    assert_eq!(properties.len(), known, "nothing else stands there: {properties:?}");
}

fn parameter(property: &Property, key: &str) -> String {
    let found: Vec<_> = property.parameters.iter().filter(|(name, _)| name == key).collect();
    assert_eq!(found.len(), 1, "{property:?}");
    found[0].1.clone()
}

/// The bytes of a URI's part.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(c) = rest.chars().next() {
        let length = if c == '%' { 3 } else { 1 };
        bytes.push(if c == '%' { u8::from_str_radix(&rest[1..3], 16).expect("two digits") } else { c as u8 });
        rest = &rest[length..];
    }
    bytes
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(([state, answer, reason], rest)) = bytes.split_first_chunk::<3>() else { return Corpus::Reject };
    let Ok(rest) = std::str::from_utf8(rest) else { return Corpus::Reject };
    let parts: Vec<&str> = rest.splitn(4, '\n').collect();
    let [email, host, guest, title] = parts[..] else { return Corpus::Reject };
    let view = view(*state, *answer, *reason, [host, guest, title]);
    let reader = User {
        id: view.meeting.host_id,
        email: email.to_owned(),
        name: host.to_owned(),
        role: Role::Client,
        approved: true,
        created_at: at(0),
        time_zone: None,
    };
    let file = calendar::file(&view, &reader, &ALARMS, at(4)).expect("it can be written").expect("it has a time");
    let method = if view.meeting.status == MeetingStatus::Cancelled { "CANCEL" } else { "REQUEST" };
    assert_eq!(file.media_type(), format!("text/calendar; charset=utf-8; method={method}"));
    check(&view, email, &file.text, method);
    Corpus::Keep
});
