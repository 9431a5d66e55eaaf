//! Pages and idempotent creation.

use std::{fmt, str::FromStr};

/// Where a page begins. Opaque outside the store; comes back as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Later rows instead of earlier ones: only `?after=` goes that way.
    pub(crate) forward: bool,
    /// The position of the last row that was seen.
    pub(crate) position: i64,
}

/// Not a cursor that this store gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this server")]
pub struct InvalidCursor;

impl Cursor {
    pub(crate) fn before(position: i64) -> Self {
        Self { forward: false, position }
    }

    /// What comes after that number of a conversation: `?after=<seq>`.
    pub fn after(seq: i64) -> Self {
        Self { forward: true, position: seq }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:x}", if self.forward { 'n' } else { 'p' }, self.position)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (forward, digits) = match (text.strip_prefix('n'), text.strip_prefix('p')) {
            (Some(digits), _) => (true, digits),
            (None, Some(digits)) => (false, digits),
            (None, None) => return Err(InvalidCursor),
        };
        let position = i64::from_str_radix(digits, 16).map_err(|_| InvalidCursor)?;
        if position < 0 || digits.starts_with('+') { Err(InvalidCursor) } else { Ok(Self { forward, position }) }
    }
}

/// Which page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many rows; the store keeps it within 1…100.
    pub limit: u32,
    /// Where to go on; `None` begins at the newest.
    pub cursor: Option<Cursor>,
}

impl PageRequest {
    /// The first page.
    pub fn first(limit: u32) -> Self {
        Self { limit, cursor: None }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.clamp(1, 100) as usize
    }
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Leads to the next page; `None` on the last one.
    pub next_cursor: Option<Cursor>,
}

/// `Idempotency-Key` of a creating call, with what the body was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key, up to 128 characters; counts per user.
    pub key: String,
    /// SHA-256 over method, path and body.
    pub fingerprint: [u8; 32],
}

/// The same key came with another body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this Idempotency-Key was used with another body")]
pub struct KeyReused;

/// The outcome of a creating call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created<T> {
    /// It was made now.
    New(T),
    /// The same key made it within the last 24 hours: the first answer again. Nothing is published.
    Same(T),
}

impl<T> Created<T> {
    /// The row, whenever it was made.
    pub fn into_inner(self) -> T {
        match self {
            Self::New(row) | Self::Same(row) => row,
        }
    }
}
