//! What people write: the form in which a message is stored, and the other texts and instants that are read from
//! strangers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parley_domain::{
    Currency, FieldCheck, MAX_CONTENT_CHARS, MessageType, Timestamp, is_channel_name, is_key, normalize_content,
};

fuzz_target!(|raw: &str| {
    for kind in [MessageType::Text, MessageType::File] {
        if let Ok(content) = normalize_content(raw, kind) {
            assert_eq!(content, raw.replace("\r\n", "\n"), "all but line ends is verbatim");
            assert!((1..=MAX_CONTENT_CHARS).contains(&content.chars().count()));
            assert!(content.chars().all(|char| !char.is_control() || matches!(char, '\n' | '\t')));
            assert_eq!(normalize_content(&content, kind).as_ref(), Ok(&content), "what is stored may be stored again");
        }
    }
    if let Ok(at) = raw.parse::<Timestamp>() {
        assert_eq!(at.to_string().parse(), Ok(at), "an instant reads as it was written: {at}");
    }
    if let Ok(currency) = raw.parse::<Currency>() {
        assert_eq!(currency.as_str(), raw);
    }
    if is_channel_name(raw) {
        assert!((1..=63).contains(&raw.len()) && raw.is_ascii());
    }
    if is_key(raw) {
        assert!((1..=128).contains(&raw.chars().count()));
    }
    let mut checks = FieldCheck::new();
    let email = checks.email("/email", raw);
    checks.name("/name", raw);
    checks.title("/title", raw);
    checks.prose("/description", raw);
    checks.time_zone("/timeZone", raw);
    checks.client_id("/clientId", raw);
    checks.password("/password", raw);
    if checks.finish().is_ok() {
        assert_eq!(FieldCheck::new().email("/email", &email), email, "an address is brought into its form once");
    }
});
