//! Pages and idempotent creation.

use crate::Cursor;

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
