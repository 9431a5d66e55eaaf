//! Where pages and syncs go on: opaque words that come back from clients. This file stands alone, so that fuzzing it needs
//! no database.

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

/// How far someone has followed the change log. Opaque outside the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncCursor {
    /// Which log: a restored backup begins another one, so that old cursors don't lead astray.
    pub(crate) log: u32,
    /// The last change that was seen.
    pub(crate) seen: i64,
}

impl fmt::Display for SyncCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:x}", self.log, self.seen)
    }
}

impl FromStr for SyncCursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let (log, seen) = text.split_at_checked(8).filter(|_| is_hex).ok_or(InvalidCursor)?;
        Ok(Self {
            log: u32::from_str_radix(log, 16).map_err(|_| InvalidCursor)?,
            seen: i64::from_str_radix(seen, 16).map_err(|_| InvalidCursor)?,
        })
    }
}
