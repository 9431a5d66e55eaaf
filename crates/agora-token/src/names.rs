//! Validated names: the app's id and certificate, channels and accounts.

use std::fmt;

use thiserror::Error;

/// Length of an App ID and of a certificate, in hexadecimal digits.
const HEX_DIGITS: usize = 32;
/// A channel name is shorter than 64 bytes.
const CHANNEL_MAX_BYTES: usize = 63;
/// Agora's limit for a user account.
const ACCOUNT_MAX_BYTES: usize = 255;
/// What a channel name may hold besides ASCII letters and digits.
const CHANNEL_PUNCTUATION: &[u8] = b" !#$%&()+-:;<=.>?@[]^_{}|~,";

/// The text is no such name; it says what would be one and never repeats what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// Not an App ID.
    #[error("an App ID is 32 hexadecimal digits")]
    AppId,
    /// Not a certificate.
    #[error("an app certificate is 32 hexadecimal digits")]
    Certificate,
    /// Not a channel name.
    #[error("a channel name is 1 to 63 of the characters that Agora allows")]
    Channel,
    /// Not an account.
    #[error("an account is 1 to 255 bytes")]
    Account,
}

/// An app's public id: 32 hexadecimal digits, the case kept because the signature covers it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AppId(String);

/// An app's secret: 32 hexadecimal digits. Prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct AppCertificate(String);

/// A channel: 1…63 of Agora's allowed characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChannelName(String);

/// Who a token is for: a uid as decimal text, nothing for uid 0 (any uid), or a text account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account(String);

fn is_hex_key(text: &str) -> bool {
    text.len() == HEX_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl AppId {
    /// Takes 32 hexadecimal digits.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        if is_hex_key(&text) { Ok(Self(text)) } else { Err(InvalidName::AppId) }
    }

    /// The digits as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AppCertificate {
    /// Takes 32 hexadecimal digits.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        if is_hex_key(&text) { Ok(Self(text)) } else { Err(InvalidName::Certificate) }
    }

    /// The digits, for storing them in a place that only the server reads. Never log this.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AppCertificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AppCertificate([redacted])")
    }
}

impl ChannelName {
    /// Takes 1…63 bytes of letters, digits, space and ``!#$%&()+-:;<=.>?@[]^_{}|~,``.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || CHANNEL_PUNCTUATION.contains(&byte);
        if (1..=CHANNEL_MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(InvalidName::Channel)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Account {
    /// A text account of 1…255 bytes.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        if (1..=ACCOUNT_MAX_BYTES).contains(&text.len()) { Ok(Self(text)) } else { Err(InvalidName::Account) }
    }

    /// The account of a numeric uid; 0 stands for any uid and is written as nothing.
    #[must_use]
    pub fn from_uid(uid: u32) -> Self {
        Self(if uid == 0 { String::new() } else { uid.to_string() })
    }

    /// The text as the token carries it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_certificates_of_another_shape_are_refused() {
        for bad in [
            "",
            "970CA35de60c44645bbae8a215061b3",
            "970CA35de60c44645bbae8a215061b333",
            "g70CA35de60c44645bbae8a215061b33",
        ] {
            assert_eq!(AppId::new(bad), Err(InvalidName::AppId), "{bad}");
            assert_eq!(AppCertificate::new(bad).err(), Some(InvalidName::Certificate), "{bad}");
        }
        assert!(AppId::new("970CA35de60c44645bbae8a215061b33").is_ok());
    }

    #[test]
    fn channel_names_hold_only_what_agora_allows() {
        for bad in ["", "with/slash", "quote\"", "tab\t", "back\\slash", "ümlaut", "star*", "line\n", "nul\0"] {
            assert_eq!(ChannelName::new(bad), Err(InvalidName::Channel), "{bad:?}");
        }
        assert_eq!(ChannelName::new("a".repeat(64)), Err(InvalidName::Channel));
        assert!(ChannelName::new("a".repeat(63)).is_ok());
        assert!(ChannelName::new(" !#$%&()+-:;<=.>?@[]^_{}|~,").is_ok());
    }

    #[test]
    fn uid_zero_is_written_as_nothing() {
        assert_eq!(Account::from_uid(0).as_str(), "");
        assert_eq!(Account::from_uid(u32::MAX).as_str(), "4294967295");
        assert_eq!(Account::new(""), Err(InvalidName::Account));
        assert_eq!(Account::new("a".repeat(256)), Err(InvalidName::Account));
    }

    #[test]
    fn a_certificate_never_prints_itself() {
        let certificate = AppCertificate::new("5CFd2fd1755d40ecb72977518be15d3b").unwrap();
        assert_eq!(format!("{certificate:?}"), "AppCertificate([redacted])");
    }
}
