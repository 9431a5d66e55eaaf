//! What a search finds.

use parley_domain::{Message, Snippet};

/// A message that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The message.
    pub message: Message,
    /// The part of it that matches.
    pub snippet: Snippet,
}
