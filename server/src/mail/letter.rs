//! What a mail says: plain words, in the recipient's time zone, with the calendar file beside them.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};
use parley_domain::{MailKind, Timestamp};
use parley_store::DueMail;

use crate::meetings::calendar::{self, one_line, why_over};

/// A mail that can't be put together: nobody will ever be able to send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unwritable {
    /// The account's address is none that mail can be sent to.
    #[error("the recipient's address takes no mail")]
    Address,
    /// A part of it can't be written.
    #[error("it can't be put together")]
    Form,
}

/// RFC 3834 §5: no automatic answer is wanted.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Puts a mail together. Its `Message-ID` is the row's id, the same at every try. `alarms` is how long before a meeting
/// its reminders go out.
pub(crate) fn write(
    mail: &DueMail,
    from: &Mailbox,
    alarms: &[Duration],
    now: Timestamp,
) -> Result<Message, Unwritable> {
    let address: Address = mail.to.email.parse().map_err(|_| Unwritable::Address)?;
    let words = Words::of(mail, now);
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(Some(one_line(&mail.to.name)), address))
        .subject(words.subject)
        .date(system_time(now))
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .header(AutoSubmitted);
    let body = SinglePart::plain(words.body);
    let message = if mail.kind == MailKind::Reminder {
        message.singlepart(body)
    } else {
        let file =
            calendar::file(&mail.view, &mail.to, alarms, now).map_err(|_| Unwritable::Form)?.ok_or(Unwritable::Form)?;
        let kind = ContentType::parse(&file.media_type()).map_err(|_| Unwritable::Form)?;
        let file = Attachment::new("meeting.ics".to_owned()).body(file.text, kind);
        message.multipart(MultiPart::mixed().singlepart(body).singlepart(file))
    };
    message.map_err(|_| Unwritable::Form)
}

struct Words {
    subject: String,
    body: String,
}

impl Words {
    fn of(mail: &DueMail, now: Timestamp) -> Self {
        let view = &mail.view;
        let title = one_line(&view.project_title);
        let (host, guest) = (one_line(&view.host_name), one_line(&view.guest_name));
        let is_host = mail.to.id == view.meeting.host_id;
        let peer = if is_host { &guest } else { &host };
        let at = view.meeting.scheduled_at.unwrap_or(now);
        let time = Local::of(at, mail.to.time_zone.as_deref());
        let (subject, first) = match mail.kind {
            MailKind::Scheduled if view.sequence == 0 => (
                format!("Meeting on {}: {title}", time.short()),
                if is_host {
                    format!("You set a meeting with {guest}.")
                } else {
                    format!("{host} would like to meet you. Open Parley to say yes or no.")
                },
            ),
            MailKind::Scheduled => (
                format!("New time, {}: {title}", time.short()),
                format!("The meeting with {peer} has another time. A yes to the earlier one no longer counts."),
            ),
            MailKind::Cancelled => (
                format!("Off: meeting on {}, {title}", time.short()),
                format!("The meeting with {peer} does not take place. {}", why_over(view.meeting.end_reason)),
            ),
            MailKind::Reminder => {
                let left = in_words(at.saturating_since(now));
                (format!("Meeting {left}: {title}"), format!("Your meeting with {peer} begins {left}."))
            }
        };
        let body = format!(
            "Hello {},\n\n{first}\n\nWhen:    {}\nWho:     {host} and {guest}\nProject: {title}\n\n\
             Meetings take place in Parley. Nobody reads answers to this mail.\n",
            one_line(&mail.to.name),
            time.long(),
        );
        Self { subject, body }
    }
}

/// Whole minutes, rounded up: a mail takes its time too.
fn in_words(left: Duration) -> String {
    match left.as_secs().div_ceil(60) {
        0 => "now".to_owned(),
        1 => "in a minute".to_owned(),
        minutes @ 2..=120 => format!("in {minutes} minutes"),
        minutes => format!("in {} hours", minutes.div_ceil(60)),
    }
}

/// An instant as a person's own clock shows it; UTC for those who named no time zone that is known here.
struct Local(DateTime<Tz>);

impl Local {
    fn of(at: Timestamp, zone: Option<&str>) -> Self {
        let zone: Tz = zone.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
        // A timestamp lies between the years 1 and 9999, which every zone can show.
        let at = DateTime::<Utc>::from_timestamp_millis(at.as_millis()).unwrap_or_default();
        Self(zone.from_utc_datetime(&at.naive_utc()))
    }

    fn short(&self) -> String {
        self.0.format("%-d %b %Y, %H:%M").to_string()
    }

    fn long(&self) -> String {
        let zone = self.0.timezone().name();
        let offset = if zone == "UTC" { String::new() } else { self.0.format(", UTC%:z").to_string() };
        format!("{} ({zone}{offset})", self.0.format("%A, %-d %B %Y, %H:%M"))
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + at.saturating_since(Timestamp::from_millis(0))
}
