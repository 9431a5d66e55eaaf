//! The limits of what people type, checked field by field. Every problem carries a JSON pointer into the body, and all
//! of a body's problems are told at once.
//!
//! Lengths count Unicode scalar values. One-line fields are trimmed; multi-line ones keep their white space, with CR LF
//! made LF. Control characters (Cc) are refused everywhere but LF and TAB in multi-line fields.

use crate::{Money, Timestamp};

/// Names: long enough for a company with its legal form.
pub const MAX_NAME_CHARS: usize = 100;
/// Titles are shown on one line.
pub const MAX_TITLE_CHARS: usize = 200;
/// Descriptions and scopes: some ten printed pages, far below the body limit.
pub const MAX_PROSE_CHARS: usize = 20_000;
/// RFC 5321 §4.5.3.1.3, less the angle brackets.
pub const MAX_EMAIL_BYTES: usize = 254;
/// RFC 5321 §4.5.3.1.1.
const MAX_EMAIL_LOCAL_BYTES: usize = 64;
/// Ten characters, any of them; no rules of composition (NIST SP 800-63B §5.1.1.2).
pub const MIN_PASSWORD_CHARS: usize = 10;
/// Bounds the work of hashing.
pub const MAX_PASSWORD_BYTES: usize = 1_024;
/// `clientId` of a message and `Idempotency-Key`.
pub const MAX_KEY_CHARS: usize = 128;
/// The longest IANA name has 32 characters.
pub const MAX_TIME_ZONE_BYTES: usize = 64;

/// One field that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct FieldError {
    /// JSON pointer into the body (RFC 6901), such as `/price/amountMinor`.
    pub pointer: String,
    /// What is wrong, for people.
    pub message: String,
}

/// Collects the problems of one body while its fields are brought into the form in which they are stored.
#[derive(Debug, Default)]
pub struct FieldCheck {
    errors: Vec<FieldError>,
}

impl FieldCheck {
    /// No problem so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing, or all problems in the order in which they were met.
    ///
    /// # Errors
    /// The problems, at least one.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    /// Adds a problem that the caller found.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError { pointer: pointer.into(), message: message.into() });
    }

    /// A person's name.
    pub fn name(&mut self, pointer: &str, value: &str) -> String {
        self.line(pointer, value, MAX_NAME_CHARS)
    }

    /// A title.
    pub fn title(&mut self, pointer: &str, value: &str) -> String {
        self.line(pointer, value, MAX_TITLE_CHARS)
    }

    /// A description or a scope.
    pub fn prose(&mut self, pointer: &str, value: &str) -> String {
        let value = value.replace("\r\n", "\n");
        self.length(pointer, &value, MAX_PROSE_CHARS);
        if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            self.add(pointer, "contains a control character");
        }
        value
    }

    /// An e-mail address, lower-cased: something before one `@`, a host of labels after it. Whether mail arrives there
    /// is not a matter of syntax.
    pub fn email(&mut self, pointer: &str, value: &str) -> String {
        let email = value.trim().to_lowercase();
        if !is_email(&email) {
            self.add(pointer, "is not an e-mail address");
        }
        email
    }

    /// A password to be set; taken verbatim.
    pub fn password(&mut self, pointer: &str, value: &str) {
        if value.chars().count() < MIN_PASSWORD_CHARS {
            self.add(pointer, format!("has at least {MIN_PASSWORD_CHARS} characters"));
        } else if value.len() > MAX_PASSWORD_BYTES {
            self.add(pointer, format!("has at most {MAX_PASSWORD_BYTES} bytes"));
        }
    }

    /// An IANA time zone, by its form: the server has no list of them, the apps have.
    pub fn time_zone(&mut self, pointer: &str, value: &str) {
        let is_name = !value.is_empty()
            && value.len() <= MAX_TIME_ZONE_BYTES
            && value.starts_with(|c: char| c.is_ascii_alphabetic())
            && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '-'))
            && value.split('/').all(|part| !part.is_empty());
        if !is_name {
            self.add(pointer, "is not a time zone such as Europe/Berlin");
        }
    }

    /// A sum within 0…2⁵³−1 minor units.
    pub fn money(&mut self, pointer: &str, value: Money) {
        if !value.is_valid() {
            self.add(format!("{pointer}/amountMinor"), format!("is between 0 and {}", Money::MAX_AMOUNT_MINOR));
        }
    }

    /// An instant that must lie ahead.
    pub fn future(&mut self, pointer: &str, value: Timestamp, now: Timestamp) {
        if value <= now {
            self.add(pointer, "is not in the future");
        }
    }

    /// A message's `clientId`.
    pub fn client_id(&mut self, pointer: &str, value: &str) {
        if !is_key(value) {
            self.add(pointer, format!("has 1 to {MAX_KEY_CHARS} characters and no control characters"));
        }
    }

    fn line(&mut self, pointer: &str, value: &str, max_chars: usize) -> String {
        let value = value.trim();
        self.length(pointer, value, max_chars);
        if value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            self.add(pointer, "contains a control character or a line break");
        }
        value.to_owned()
    }

    fn length(&mut self, pointer: &str, value: &str, max_chars: usize) {
        if value.chars().all(char::is_whitespace) {
            self.add(pointer, "is empty");
        } else if value.chars().count() > max_chars {
            self.add(pointer, format!("has at most {max_chars} characters"));
        }
    }
}

/// Whether it may be a `clientId` or an `Idempotency-Key`: 1…[`MAX_KEY_CHARS`] characters, no control characters.
pub fn is_key(value: &str) -> bool {
    (1..=MAX_KEY_CHARS).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}

fn is_email(email: &str) -> bool {
    let Some((local, host)) = email.rsplit_once('@') else { return false };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    email.len() <= MAX_EMAIL_BYTES
        && (1..=MAX_EMAIL_LOCAL_BYTES).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| {
            !c.is_whitespace()
                && !c.is_control()
                && !matches!(c, '@' | '"' | '<' | '>' | ',' | ';' | ':' | '(' | ')' | '[' | ']' | '\\')
        })
        && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn errors(check: impl FnOnce(&mut FieldCheck)) -> Vec<FieldError> {
        let mut fields = FieldCheck::new();
        check(&mut fields);
        fields.finish().err().unwrap_or_default()
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        let long = format!("{}@x.test", "a".repeat(65));
        for email in [
            "",
            "@",
            "a@",
            "@x.test",
            "a b@x.test",
            "a@x..test",
            "a@-x.test",
            "a@x.test.",
            ".a@x.test",
            "a..b@x.test",
            "a@x_y.test",
            "<a@x.test>",
            "a@b@c.test",
            "a\u{0}@x.test",
            &long,
        ] {
            assert_eq!(errors(|fields| drop(fields.email("/email", email))).len(), 1, "{email:?}");
        }
    }

    #[test]
    fn addresses_are_trimmed_and_lower_cased() {
        let mut fields = FieldCheck::new();
        assert_eq!(fields.email("/email", " Client+x@Demo.TEST "), "client+x@demo.test");
        assert_eq!(fields.email("/email", "a@localhost"), "a@localhost");
        assert_eq!(fields.finish(), Ok(()));
    }

    #[test]
    fn all_problems_of_a_body_are_told_at_once_with_pointers() {
        let found = errors(|fields| {
            fields.title("/title", " ");
            fields.prose("/scope", "a\u{0}");
            fields.money("/price", Money { amount_minor: -1, currency: "USD".parse().unwrap() });
            fields.password("/password", "short");
            fields.time_zone("/timeZone", "../etc/passwd");
        });
        let pointers: Vec<_> = found.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/title", "/scope", "/price/amountMinor", "/password", "/timeZone"]);
    }

    #[test]
    fn lengths_are_exact() {
        assert!(errors(|fields| drop(fields.title("/title", &"ä".repeat(MAX_TITLE_CHARS)))).is_empty());
        assert_eq!(errors(|fields| drop(fields.title("/title", &"ä".repeat(MAX_TITLE_CHARS + 1)))).len(), 1);
        assert!(errors(|fields| fields.password("/password", &"ä".repeat(MIN_PASSWORD_CHARS))).is_empty());
        assert_eq!(errors(|fields| fields.password("/password", &"ä".repeat(MAX_PASSWORD_BYTES))).len(), 1);
        assert!(is_key(&"k".repeat(MAX_KEY_CHARS)) && !is_key(&"k".repeat(MAX_KEY_CHARS + 1)) && !is_key(""));
    }

    #[test]
    fn what_is_now_is_not_in_the_future() {
        let now = Timestamp::from_millis(1_000);
        assert_eq!(errors(|fields| fields.future("/scheduledAt", now, now)).len(), 1);
        assert!(errors(|fields| fields.future("/scheduledAt", Timestamp::from_millis(1_001), now)).is_empty());
    }

    #[test]
    fn time_zones_are_names() {
        for zone in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert!(errors(|fields| fields.time_zone("/timeZone", zone)).is_empty(), "{zone}");
        }
    }

    proptest! {
        #[test]
        fn a_line_that_passed_passes_again_unchanged(value in "(?s).{0,30}") {
            let mut fields = FieldCheck::new();
            let once = fields.title("/title", &value);
            if fields.finish().is_ok() {
                let mut again = FieldCheck::new();
                prop_assert_eq!(again.title("/title", &once), once);
                prop_assert_eq!(again.finish(), Ok(()));
            }
        }
    }
}
