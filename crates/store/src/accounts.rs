//! Accounts and sessions: inputs, outcomes and refusals.

use parley_domain::{Role, SessionId, Timestamp, User, UserId};

use crate::StoreError;

/// SHA-256 of a refresh token. The token itself is never stored.
pub type TokenHash = [u8; 32];

/// An account to be made. Validated by the caller with the domain's rules.
#[derive(Clone)]
pub struct NewAccount {
    /// Lower case.
    pub email: String,
    /// A PHC string.
    pub password_hash: String,
    /// Shown name.
    pub name: String,
    /// Providers start unapproved.
    pub role: Role,
    /// IANA name.
    pub time_zone: Option<String>,
}

/// What proves a password.
#[derive(Clone)]
pub struct Credentials {
    /// Whose.
    pub user: User,
    /// A PHC string.
    pub password_hash: String,
}

/// Changes to one's own account. `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountChanges {
    /// Shown name.
    pub name: Option<String>,
    /// IANA name; `Some(None)` clears it.
    pub time_zone: Option<Option<String>>,
}

/// A sign-in to be stored.
#[derive(Clone, Copy)]
pub struct NewSession {
    /// Whose.
    pub user: UserId,
    /// Of its first refresh token.
    pub refresh: TokenHash,
    /// When that refresh token ends.
    pub expires_at: Timestamp,
}

/// A sign-in that is not over, with its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which one: the family of its tokens.
    pub id: SessionId,
    /// Whose.
    pub user: User,
}

/// A refresh token that was presented, and the one to follow it.
#[derive(Clone, Copy)]
pub struct Rotation {
    /// Of the presented token.
    pub presented: TokenHash,
    /// Of its successor. The successor must follow from the presented token (an HMAC with a server secret), so that a
    /// repeated call can give the same one although only hashes are stored.
    pub successor: TokenHash,
    /// When the successor ends.
    pub expires_at: Timestamp,
    /// How long after its first use the presented token gives the same successor again: 30 s.
    pub grace: std::time::Duration,
}

/// Why accounts can't be made or found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// `EMAIL_TAKEN`.
    #[error("an account with this address exists")]
    EmailTaken,
    /// No such person.
    #[error("no such account")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a refresh token gives nothing. All of them are `UNAUTHENTICATED` at the edge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// No such token.
    #[error("unknown refresh token")]
    Unknown,
    /// Past its time, or its session has ended.
    #[error("the session is over")]
    Over,
    /// Used before and not repeated within the grace: the whole family has now ended; close its sockets.
    #[error("the refresh token was used before; its session has ended")]
    Reused(SessionId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Someone who shares an active project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub user_id: UserId,
    /// When that person's last device went.
    pub last_seen_at: Option<Timestamp>,
}
