//! Conversations, messages and read marks: inputs, outcomes and refusals.

use std::{ops::Deref, sync::Arc};

use parley_domain::{
    AttachmentId, ContentProblem, ConversationId, Message, MessageId, MessageType, ProjectId, ProjectStatus, Timestamp,
    UserId,
};

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::{Page, StoreError};

/// A conversation is known by its own id or by its project's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationKey {
    /// By its own.
    Id(ConversationId),
    /// By its project's.
    Project(ProjectId),
}

/// A message to be written. The content is normalised and validated by the caller with the domain's rules.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Who writes.
    pub sender: UserId,
    /// Where.
    pub conversation: ConversationId,
    /// A text, or files with a text beside them.
    pub kind: MessageType,
    /// What.
    pub content: String,
    /// The sender's own name for it: the same one never makes a second message.
    pub client_id: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// The sender's own uploads that were not sent before, in their order; at least one for a file message, none for a
    /// text.
    pub attachments: Vec<AttachmentId>,
}

/// What an author does to a message of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Another content, brought into its form by the store with the domain's rules: they depend on the message's kind.
    Edit(String),
    /// The row stays, its content and its files go.
    Delete,
}

/// A message that was revised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revised {
    /// As it is now.
    pub message: Message,
    /// The files that went with it: nothing refers to their bytes any more.
    pub removed: Vec<AttachmentId>,
}

/// A message as it was written, serialized once: that is what its row keeps, what answers show and sockets get.
#[derive(Clone, Debug)]
pub struct Posted {
    message: Message,
    json: Box<RawValue>,
}

impl Posted {
    /// Serializes it.
    ///
    /// # Errors
    /// `Internal` if that is not possible; no message is known that can't be serialized.
    pub fn new(message: Message) -> Result<Self, StoreError> {
        let json = to_raw_value(&message).map_err(|error| StoreError::Internal(error.to_string()))?;
        Ok(Self { message, json })
    }

    /// As the wire shows it; the addresses of its files are not signed.
    pub fn json(&self) -> &RawValue {
        &self.json
    }
}

impl Deref for Posted {
    type Target = Message;
    fn deref(&self) -> &Message {
        &self.message
    }
}

impl PartialEq for Posted {
    fn eq(&self, other: &Self) -> bool {
        self.message == other.message
    }
}

impl Eq for Posted {}

impl Serialize for Posted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// A piece of a page of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Texts one after the other as they were written, as JSON with commas between them, their readers included.
    Json(String),
    /// A message that has files, whose addresses are signed for each reader, or that was revised.
    Message(Box<Message>),
}

impl Recorded {
    /// The messages themselves.
    ///
    /// # Errors
    /// `Corrupt` if the kept JSON is not that of messages.
    pub fn read(self) -> Result<Vec<Message>, StoreError> {
        match self {
            Self::Json(json) => {
                serde_json::from_str(&format!("[{json}]")).map_err(|error| StoreError::Corrupt(error.to_string()))
            }
            Self::Message(message) => Ok(vec![*message]),
        }
    }
}

impl Page<Recorded> {
    /// The messages themselves.
    ///
    /// # Errors
    /// As [`Recorded::read`].
    pub fn read(self) -> Result<Page<Message>, StoreError> {
        let pieces = self.items.into_iter().map(Recorded::read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page { items: pieces.concat(), next_cursor: self.next_cursor })
    }
}

/// A message that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The message with its number.
    pub message: Arc<Posted>,
    /// Whether it was written now or before.
    pub novelty: Novelty,
    /// Everybody in the conversation, the sender included.
    pub participants: Vec<UserId>,
}

/// Whether a call made something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// Made now: 201.
    New,
    /// This sender used that `clientId` before: 200 with the first answer. Nothing is published.
    Same,
}

/// How far someone has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadState {
    /// Where.
    pub conversation_id: ConversationId,
    /// Who.
    pub user_id: UserId,
    /// Up to which number; 0 before the first.
    pub last_read_seq: i64,
    /// Up to which message.
    pub last_read_message_id: Option<MessageId>,
    /// Since when.
    pub read_at: Option<Timestamp>,
}

/// The outcome of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The mark as it is now.
    pub state: ReadState,
    /// Whether this call moved it. A mark never goes back.
    pub moved: bool,
    /// Everybody in the conversation, the reader included.
    pub participants: Vec<UserId>,
}

/// Why a conversation can't be seen or written to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// Unknown, or the caller is not in it; for a read mark also an unknown message.
    #[error("not found")]
    NotFound,
    /// `PROJECT_NOT_ACTIVE`.
    #[error("the project is {0}, not ACTIVE")]
    ProjectNotActive(ProjectStatus),
    /// `replyToId` is no message of this conversation.
    #[error("the answered message is not in this conversation")]
    UnknownReply,
    /// An upload is not the sender's own, or was sent before; counts from 0.
    #[error("is not an upload of yours that waits to be sent")]
    UnknownAttachment(usize),
    /// Somebody else's message.
    #[error("only its author changes a message")]
    NotTheAuthor,
    /// `EDIT_WINDOW_OVER`.
    #[error("a message can be changed for {} minutes", parley_domain::EDIT_WINDOW.as_secs() / 60)]
    EditWindowOver,
    /// `MESSAGE_DELETED`.
    #[error("the message was deleted")]
    Deleted,
    /// The new content is refused.
    #[error(transparent)]
    Content(#[from] ContentProblem),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
