//! A scheduled meeting as a calendar file (RFC 5545, RFC 5546): an invitation with `METHOD:REQUEST`, each later state
//! of it under the same `UID`, and `METHOD:CANCEL` once it is off.
//!
//! Written by hand: the crate for it never ends with some names (docs/decisions/0007).

use std::{fmt, fmt::Write, time::Duration};

use parley_domain::{EndReason, MeetingStatus, MeetingType, Timestamp, User, UserId};
use parley_store::MeetingView;

use crate::problem::Refusal;

/// RFC 5545 §3.1: no line is longer, its break not counted.
const MAX_LINE_OCTETS: usize = 75;
/// Meetings have no end that anybody agreed on; an hour is what calendars propose themselves.
const PLANNED_LENGTH: Duration = Duration::from_secs(60 * 60);
const PRODUCT: &str = "-//Parley//parley-server//EN";

/// What the file asks of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Enter the meeting, or bring its entry up to date.
    Request,
    /// Strike it out.
    Cancel,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// The file for one of the two people.
#[derive(Debug)]
pub(crate) struct CalendarFile {
    pub(crate) method: Method,
    pub(crate) text: String,
}

impl CalendarFile {
    /// The media type, with the method as RFC 6047 §2.4 wants it.
    pub(crate) fn media_type(&self) -> String {
        format!("text/calendar; charset=utf-8; method={}", self.method.as_str())
    }
}

/// The file of that meeting for `reader`, one of its people; `None` for a call that has no time. `alarms` is how long
/// before the meeting its reminders go out.
///
/// A calendar file travels. It names the reader by the reader's own address, so that the calendar knows whose answer
/// is whose, and the other side by a `urn:uuid:`: nobody learns an address here that Parley does not show.
pub(crate) fn file(
    view: &MeetingView,
    reader: &User,
    alarms: &[Duration],
    now: Timestamp,
) -> Result<Option<CalendarFile>, Refusal> {
    let meeting = &view.meeting;
    let Some(begins) = meeting.scheduled_at.filter(|_| meeting.kind == MeetingType::Scheduled) else { return Ok(None) };
    let method = if meeting.status == MeetingStatus::Cancelled { Method::Cancel } else { Method::Request };
    let mut lines = Lines::default();
    lines.begin("VCALENDAR")?;
    lines.put("VERSION", "2.0")?;
    lines.put("PRODID", PRODUCT)?;
    lines.put("METHOD", method.as_str())?;
    lines.begin("VEVENT")?;
    lines.put("UID", meeting.id.to_string())?;
    lines.put("SEQUENCE", view.sequence.to_string())?;
    lines.put("DTSTAMP", utc(now))?;
    lines.put("CREATED", utc(meeting.created_at))?;
    lines.put("LAST-MODIFIED", utc(meeting.updated_at))?;
    lines.put("DTSTART", utc(begins))?;
    lines.put("DTEND", utc(begins + PLANNED_LENGTH))?;
    lines.put("SUMMARY", format!("Meeting: {}", one_line(&view.project_title)))?;
    lines.put("DESCRIPTION", description(view))?;
    lines.put("STATUS", status(view))?;
    let address = |person: UserId| address(person, reader);
    lines.person("ORGANIZER", address(meeting.host_id), &view.host_name, &[])?;
    let chair = [("ROLE", "CHAIR"), ("PARTSTAT", "ACCEPTED"), ("RSVP", "FALSE")];
    lines.person("ATTENDEE", address(meeting.host_id), &view.host_name, &chair)?;
    let guest = [("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", answer(view)), ("RSVP", "FALSE")];
    lines.person("ATTENDEE", address(meeting.guest_id), &view.guest_name, &guest)?;
    if method == Method::Request {
        for before in alarms {
            lines.begin("VALARM")?;
            lines.put("ACTION", "DISPLAY")?;
            lines.put("DESCRIPTION", format!("Meeting: {}", one_line(&view.project_title)))?;
            lines.put("TRIGGER", format!("-PT{}S", before.as_secs()))?;
            lines.end("VALARM")?;
        }
    }
    lines.end("VEVENT")?;
    lines.end("VCALENDAR")?;
    Ok(Some(CalendarFile { method, text: lines.0 }))
}

fn description(view: &MeetingView) -> String {
    let (host, guest) = (one_line(&view.host_name), one_line(&view.guest_name));
    let who = format!("{host} and {guest}, about: {}", one_line(&view.project_title));
    match view.meeting.end_reason {
        Some(_) => format!("{who}\n{}", why_over(view.meeting.end_reason)),
        None => format!("{who}\nOpen Parley to answer, and to take part when it is time."),
    }
}

/// Why a meeting is over, in a sentence.
pub(crate) fn why_over(reason: Option<EndReason>) -> &'static str {
    match reason {
        Some(EndReason::Declined) => "It was declined.",
        Some(EndReason::Expired) => "Nobody started it.",
        Some(EndReason::ProjectClosed) => "Its project was closed.",
        Some(EndReason::Cancelled) => "It was called off.",
        _ => "It is over.",
    }
}

fn status(view: &MeetingView) -> &'static str {
    match view.meeting.status {
        MeetingStatus::Cancelled => "CANCELLED",
        MeetingStatus::Pending if view.meeting.accepted_at.is_none() => "TENTATIVE",
        _ => "CONFIRMED",
    }
}

fn answer(view: &MeetingView) -> &'static str {
    match (view.meeting.end_reason, view.meeting.accepted_at) {
        (Some(EndReason::Declined), _) => "DECLINED",
        (_, Some(_)) => "ACCEPTED",
        _ => "NEEDS-ACTION",
    }
}

fn address(person: UserId, reader: &User) -> String {
    if person == reader.id {
        format!("mailto:{}", percent_encoded(&reader.email))
    } else {
        format!("urn:uuid:{person}")
    }
}

/// An address inside a URI (RFC 6068 §2).
fn percent_encoded(email: &str) -> String {
    email.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"@-._~!$'*+".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing into a text can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// `20260301T093000Z`: the wire's form without its punctuation and fraction.
fn utc(at: Timestamp) -> String {
    let text = at.to_string();
    let mut short: String = text.chars().take("2026-03-01T09:30:00".len()).filter(|c| !"-:".contains(*c)).collect();
    short.push('Z');
    short
}

/// What people typed, on one line whatever it was.
pub(crate) fn one_line(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if is_break(c) { ' ' } else { c }).collect()
}

/// A parameter's value holds no quotation mark, and its readers take a caret for more than a caret (RFC 6868 §3).
fn parameter(text: &str) -> String {
    one_line(text).replace('^', "^^").replace('"', "^'")
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn begin(&mut self, component: &str) -> Result<(), Refusal> {
        self.fold(&format!("BEGIN:{component}")).map_err(Refusal::internal)
    }

    fn end(&mut self, component: &str) -> Result<(), Refusal> {
        self.fold(&format!("END:{component}")).map_err(Refusal::internal)
    }

    /// A property whose value is text (RFC 5545 §3.3.11), or has nothing in it that text would escape.
    fn put(&mut self, name: &str, value: impl AsRef<str>) -> Result<(), Refusal> {
        let mut line = format!("{name}:");
        for c in value.as_ref().chars() {
            match c {
                '\\' | ',' | ';' => line.extend(['\\', c]),
                '\n' => line.push_str("\\n"),
                c => line.push(c),
            }
        }
        self.fold(&line).map_err(Refusal::internal)
    }

    /// A property whose value is somebody's address. A parameter is quoted where it would end early (§3.2).
    fn person(
        &mut self,
        property: &str,
        address: String,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Result<(), Refusal> {
        let name = parameter(name);
        let quote = if name.contains([':', ';', ',']) { "\"" } else { "" };
        let mut line = format!("{property};CN={quote}{name}{quote}");
        for (key, value) in parameters {
            line.extend([";", key, "=", value]);
        }
        line.extend([":", &address]);
        self.fold(&line).map_err(Refusal::internal)
    }

    /// Writes a line, broken between characters so that no part of it is too long.
    fn fold(&mut self, line: &str) -> fmt::Result {
        let mut octets = 0;
        for c in line.chars() {
            if octets + c.len_utf8() > MAX_LINE_OCTETS {
                self.0.write_str("\r\n ")?;
                octets = 1;
            }
            self.0.write_char(c)?;
            octets += c.len_utf8();
        }
        self.0.write_str("\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_characters_and_never_too_long() {
        for text in ["x".repeat(75), "x".repeat(76), "x".repeat(149), "é".repeat(200), "日本語 ".repeat(50)] {
            let mut lines = Lines::default();
            lines.fold(&text).unwrap();
            assert!(lines.0.split("\r\n").all(|line| line.len() <= MAX_LINE_OCTETS), "{}", lines.0);
            assert_eq!(lines.0.replace("\r\n ", "").trim_end_matches("\r\n"), text);
        }
    }

    #[test]
    fn no_value_begins_a_line_of_its_own() {
        let mut lines = Lines::default();
        lines.put("SUMMARY", one_line("a\r\nATTENDEE:mailto:x\u{2028}b\\n;,")).unwrap();
        lines.person("ATTENDEE", "urn:uuid:1".into(), "\"a\";X=1:^n\r\nEND:VEVENT\"", &[("ROLE", "CHAIR")]).unwrap();
        let unfolded = lines.0.replace("\r\n ", "");
        let expected = [
            r"SUMMARY:a  ATTENDEE:mailto:x b\\n\;\,",
            r#"ATTENDEE;CN="^'a^';X=1:^^n  END:VEVENT^'";ROLE=CHAIR:urn:uuid:1"#,
            "",
        ];
        assert_eq!(unfolded.split("\r\n").collect::<Vec<_>>(), expected);
    }

    #[test]
    fn names_of_any_letters_are_written_at_once() {
        let family = "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
        for name in
            [family.repeat(9), format!("{} {}", "é".repeat(99), " ".repeat(99)), format!("{family}\u{3000}").repeat(20)]
        {
            let mut lines = Lines::default();
            lines.person("ATTENDEE", "urn:uuid:1".into(), &name, &[]).unwrap();
            lines.put("SUMMARY", &name).unwrap();
            assert_eq!(lines.0.replace("\r\n ", ""), format!("ATTENDEE;CN={name}:urn:uuid:1\r\nSUMMARY:{name}\r\n"));
        }
    }

    #[test]
    fn an_address_stays_one_uri() {
        assert_eq!(percent_encoded("o'neil+x@a.test"), "o'neil+x@a.test");
        assert_eq!(percent_encoded("a?b%@ö.test"), "a%3Fb%25@%C3%B6.test");
    }

    #[test]
    fn instants_are_written_without_punctuation() {
        assert_eq!(utc("2026-03-01T10:30:00.999+01:00".parse().unwrap()), "20260301T093000Z");
    }
}
