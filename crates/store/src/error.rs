//! What can go wrong with the store itself. Refusals of the domain are the enums of each family.

/// The store could not do its work. Nothing of the failed write is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Someone else holds the database for longer than the busy time-out; trying again may help.
    #[error("the database is busy")]
    Busy,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The database can't be written: its file or folder is read-only.
    #[error("the database is read-only")]
    ReadOnly,
    /// The disk failed.
    #[error("the database can't be read or written: {0}")]
    Io(String),
    /// The file is damaged, is no database, or holds what no version of this program writes.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A newer program wrote this file.
    #[error("the database has schema {found}, newer than {known}, the newest this program knows: use a newer program")]
    NewerSchema {
        /// What the file has.
        found: i32,
        /// What this program knows.
        known: i32,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A mistake in the program.
    #[error("the store failed: {0}")]
    Internal(String),
}

impl StoreError {
    /// Whether the same call may succeed a little later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy)
    }
}
