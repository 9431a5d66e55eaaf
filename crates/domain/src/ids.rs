//! Identifiers. Each kind of row has its own type, so that one can't be passed for another.

use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

id! {
    /// A person with an account.
    UserId,
    /// One sign-in of one device; its tokens form one family.
    SessionId,
    /// What a client asks for.
    RequestId,
    /// What a provider offers for a request.
    ProposalId,
    /// What came to be when a proposal was accepted.
    ProjectId,
    /// The one conversation of a project.
    ConversationId,
    /// A message in a conversation.
    MessageId,
    /// An uploaded file.
    AttachmentId,
    /// A call, instant or scheduled.
    MeetingId,
    /// One reminder of one scheduled meeting.
    ReminderId,
    /// One mail to one person about one meeting.
    MailId,
}

/// A person's number in an Agora channel: unsigned, 32 bits, above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = u32, minimum = 1))]
#[serde(transparent)]
#[ts(type = "number")]
pub struct AgoraUid(pub NonZeroU32);

impl AgoraUid {
    /// The uid of that number, or `None` for 0.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number as Agora counts it.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for AgoraUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
