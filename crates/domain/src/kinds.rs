//! The closed sets of words: roles, kinds and states, spelled as on the wire and in the database.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A word that belongs to none of the set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a {kind}")]
pub struct UnknownWord {
    /// The set that was meant.
    pub kind: &'static str,
    /// What was found instead.
    pub word: String,
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[$vdoc:meta])+ $variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        pub enum $name { $($(#[$vdoc])+ #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every member, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        // By hand: the derive does not see a name that a macro hands on, and would tell the variants' own names.
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(concat!($($doc),+).trim()))
                    .enum_values(Some(Self::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { kind: stringify!($name), word: word.to_owned() }),
                }
            }
        }
    )+};
}

words! {
    /// What a person is in the marketplace.
    Role {
        /// Asks for work and accepts proposals.
        Client = "client",
        /// Proposes and carries out work.
        Provider = "provider",
        /// Runs the server; made on the command line only.
        Admin = "admin",
    }
    /// Where a request stands.
    RequestStatus {
        /// Providers may propose.
        Open = "OPEN",
        /// A proposal was accepted; a project exists.
        Converted = "CONVERTED",
        /// Withdrawn by the client.
        Cancelled = "CANCELLED",
    }
    /// Where a proposal stands.
    ProposalStatus {
        /// Waits for the client.
        Pending = "PENDING",
        /// Became a project.
        Accepted = "ACCEPTED",
        /// Turned down, by hand or because a sibling was accepted.
        Rejected = "REJECTED",
        /// Taken back by the provider.
        Withdrawn = "WITHDRAWN",
    }
    /// Where a project stands.
    ProjectStatus {
        /// Messages and calls are possible.
        Active = "ACTIVE",
        /// Done; history stays readable.
        Completed = "COMPLETED",
        /// Given up; history stays readable.
        Cancelled = "CANCELLED",
    }
    /// What a message carries.
    MessageType {
        /// Words.
        Text = "text",
        /// At least one attachment.
        File = "file",
    }
    /// How a meeting begins.
    MeetingType {
        /// Rings at once.
        Instant = "instant",
        /// Has a time.
        Scheduled = "scheduled",
    }
    /// Where a meeting stands.
    MeetingStatus {
        /// Rings, or waits for its time.
        Pending = "PENDING",
        /// People can be in it.
        Active = "ACTIVE",
        /// Over after it was active.
        Completed = "COMPLETED",
        /// Over before it was active.
        Cancelled = "CANCELLED",
    }
    /// Why a meeting is over.
    EndReason {
        /// Someone hung up.
        Ended = "ended",
        /// The guest said no.
        Declined = "declined",
        /// The host took it back.
        Cancelled = "cancelled",
        /// Nobody answered within the ring time.
        Missed = "missed",
        /// Nobody started it within 60 minutes of its time.
        Expired = "expired",
        /// Both were away for two minutes.
        Abandoned = "abandoned",
        /// Its project was closed.
        ProjectClosed = "project_closed",
        /// Told to one device only: the same person went on on another one.
        Moved = "moved",
    }
    /// What happened in a call. Counted by person: who goes on with the call on another device has not left it.
    MeetingLogEvent {
        /// The person came into the call.
        Joined = "joined",
        /// The person left it or was lost.
        Left = "left",
        /// The person shares the screen.
        ScreenOn = "screen_on",
        /// The person no longer shares the screen.
        ScreenOff = "screen_off",
    }
    /// What a mail tells.
    MailKind {
        /// A meeting has a time, or another time.
        Scheduled = "scheduled",
        /// A meeting that was to come is off.
        Cancelled = "cancelled",
        /// A meeting comes near.
        Reminder = "reminder",
    }
    /// What carries a call's media.
    EngineKind {
        /// Agora's native library.
        Agora = "agora",
        /// The built-in WebRTC engine.
        Direct = "direct",
    }
}
