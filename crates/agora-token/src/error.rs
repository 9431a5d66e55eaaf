//! Why a token could not be read, and why one that was read does not open a channel.

use thiserror::Error;

/// The text is not a token of the asked version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It does not begin with the version that this reader reads.
    #[error("not a token of this version")]
    UnknownVersion,
    /// Longer, packed or unpacked, than any token is.
    #[error("longer than a token can be")]
    TooLong,
    /// The right version, but the rest is cut off or not what the format says; the text names the part.
    #[error("malformed token: {0}")]
    Malformed(&'static str),
}

/// A well-formed token that does not let this person into this channel now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JoinRefused {
    /// Signed with another certificate, for another app, or altered.
    #[error("the token is not signed by this app's certificate")]
    Signature,
    /// Made for another channel, or not for RTC at all.
    #[error("the token is for another channel")]
    Channel,
    /// Made for another uid.
    #[error("the token is for another uid")]
    Uid,
    /// Past its life, or past the life of its right to join.
    #[error("the token has expired")]
    Expired,
    /// It does not carry the right to join.
    #[error("the token does not allow joining")]
    Privilege,
}
