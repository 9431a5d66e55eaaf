//! Uploads: inputs and refusals. The store knows of files; their bytes are the caller's to keep.

use parley_domain::{AttachmentId, UserId};

use crate::StoreError;

/// A file whose bytes are on disk under that id.
#[derive(Clone, Debug)]
pub struct NewAttachment {
    /// Drawn by the caller, who has stored the bytes under it.
    pub id: AttachmentId,
    /// Who uploaded it.
    pub uploader: UserId,
    /// Cleaned with the domain's rules.
    pub name: String,
    /// Bytes; at least one.
    pub size: i64,
    /// Decided by content.
    pub media_type: String,
    /// Of the bytes.
    pub sha256: [u8; 32],
    /// What this person may have waiting.
    pub quota: UnsentQuota,
}

/// How much of one person may wait to be sent, the new upload included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsentQuota {
    /// Files.
    pub files: u32,
    /// Bytes of all of them.
    pub bytes: i64,
}

/// What of one person waits to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsent {
    /// Files.
    pub files: u32,
    /// Bytes of all of them.
    pub bytes: i64,
}

impl UnsentQuota {
    /// Whether one more file of that size fits.
    pub fn has_room(&self, unsent: Unsent, size: i64) -> bool {
        unsent.files < self.files && unsent.bytes.saturating_add(size) <= self.bytes
    }
}

/// Why an upload is not taken or not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// Unknown, or not the caller's to know of.
    #[error("not found")]
    NotFound,
    /// Too much of this person waits to be sent.
    #[error("too many uploads wait to be sent")]
    QuotaExceeded,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
