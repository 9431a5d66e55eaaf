//! Payloads of the Socket.IO events, `CONTRACT.md` §6.

use parley_domain::{
    ConversationId, EndReason, EngineKind, MeetingId, MeetingStatus, MeetingType, MessageId, ProjectId, Timestamp,
    UserId,
};
use serde::{Deserialize, Serialize};

use crate::Code;

/// Event names, the same on both sides.
pub mod event {
    /// C→S: listen to a conversation.
    pub const JOIN: &str = "join";
    /// C→S: stop listening.
    pub const LEAVE: &str = "leave";
    /// S→C: `Message`, after its commit.
    pub const MESSAGE_NEW: &str = "message:new";
    /// S→C: `Message`, edited or deleted.
    pub const MESSAGE_UPDATED: &str = "message:updated";
    /// Both: reading up to a message.
    pub const MESSAGE_READ: &str = "message:read";
    /// Both: a read mark moved.
    pub const CONVERSATION_READ: &str = "conversation:read";
    /// Both: someone types.
    pub const CONVERSATION_TYPING: &str = "conversation:typing";
    /// S→C guest: a call rings.
    pub const MEETING_INVITE: &str = "meeting:invite";
    /// S→C both: a meeting has a time.
    pub const MEETING_SCHEDULED: &str = "meeting:scheduled";
    /// C→S: say yes.
    pub const MEETING_ACCEPT: &str = "meeting:accept";
    /// C→S: say no.
    pub const MEETING_DECLINE: &str = "meeting:decline";
    /// S→C both: the call is on.
    pub const MEETING_STARTED: &str = "meeting:started";
    /// S→C both: the call is over.
    pub const MEETING_ENDED: &str = "meeting:ended";
    /// S→C both: a meeting comes near.
    pub const MEETING_REMINDER: &str = "meeting:reminder";
    /// S→C: someone came or went.
    pub const PRESENCE_UPDATE: &str = "presence:update";
    /// C→S: this device is in the call.
    pub const CALL_JOIN: &str = "call:join";
    /// C→S: this device left the call.
    pub const CALL_LEAVE: &str = "call:leave";
    /// Both: camera, microphone, screen on or off.
    pub const CALL_STATE: &str = "call:state";
    /// Both: the direct engine's signalling.
    pub const CALL_SIGNAL: &str = "call:signal";
    /// S→C: `Project`, new or closed; to its people. An addition to the contract: the lists need it.
    pub const PROJECT_UPDATED: &str = "project:updated";
    /// S→C: `Proposal`, new or moved; to the request's client and the provider. An addition likewise.
    pub const PROPOSAL_UPDATED: &str = "proposal:updated";
    /// C→S: the next access token.
    pub const AUTH_RENEW: &str = "auth:renew";
}

/// What a client says when it connects.
#[derive(Clone, Serialize, Deserialize)]
pub struct ConnectAuth {
    /// The access token.
    pub token: String,
    /// What this device can carry calls with; both when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engines: Option<Vec<EngineKind>>,
}

/// The answer to every client event: `{ ok: true, … }` or `{ ok: false, code, detail }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ack {
    /// Whether it was done.
    pub ok: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Why not, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What else the answer carries.
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}

impl Ack {
    /// Done.
    pub fn ok() -> Self {
        Self { ok: true, code: None, detail: None, more: serde_json::Map::new() }
    }

    /// Not done.
    pub fn refused(code: Code, detail: impl Into<String>) -> Self {
        Self { ok: false, code: Some(code), detail: Some(detail.into()), more: serde_json::Map::new() }
    }
}

macro_rules! payloads {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$fdoc:meta])+ $field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$fdoc])+ pub $field: $type),+ }
    )+};
}

payloads! {
    /// `join`, `leave` and, from the client, `conversation:read`.
    InConversation {
        /// Which conversation.
        conversation_id: ConversationId,
    }
    /// C→S `message:read`.
    ReadUpTo {
        /// Where.
        conversation_id: ConversationId,
        /// Up to which message.
        message_id: MessageId,
    }
    /// S→C `message:read`.
    MessageRead {
        /// Where.
        conversation_id: ConversationId,
        /// Up to which message.
        message_id: MessageId,
        /// By whom.
        user_id: UserId,
        /// When.
        read_at: Timestamp,
    }
    /// S→C `conversation:read`.
    ConversationRead {
        /// Where.
        conversation_id: ConversationId,
        /// By whom.
        user_id: UserId,
        /// Up to which message.
        last_read_message_id: MessageId,
        /// When.
        read_at: Timestamp,
    }
    /// C→S `conversation:typing`.
    Typing {
        /// Where.
        conversation_id: ConversationId,
        /// Begins or ends.
        is_typing: bool,
    }
    /// S→C `conversation:typing`.
    TypingBy {
        /// Where.
        conversation_id: ConversationId,
        /// Begins or ends.
        is_typing: bool,
        /// Who.
        user_id: UserId,
    }
    /// S→C `meeting:invite`.
    Invite {
        /// Which meeting.
        meeting_id: MeetingId,
        /// In which project.
        project_id: ProjectId,
        /// Who calls.
        host_id: UserId,
        /// The caller's name.
        host_name: String,
        /// Instant or scheduled.
        r#type: MeetingType,
        /// The time of a scheduled one.
        scheduled_at: Option<Timestamp>,
        /// How much longer it rings.
        expires_in_seconds: u64,
    }
    /// C→S `meeting:accept`, `meeting:decline`, `call:leave`.
    OfMeeting {
        /// Which meeting.
        meeting_id: MeetingId,
    }
    /// S→C `meeting:ended`.
    MeetingEnded {
        /// Which meeting.
        meeting_id: MeetingId,
        /// How it stands now.
        status: MeetingStatus,
        /// Why it is over.
        end_reason: Option<EndReason>,
        /// Whole seconds; null if it never was active.
        duration: Option<i64>,
    }
    /// S→C `presence:update`.
    Presence {
        /// Who.
        user_id: UserId,
        /// Whether a device of that person is connected.
        online: bool,
        /// When the last one went.
        last_seen_at: Option<Timestamp>,
    }
    /// S→C `call:state`.
    CallStateOf {
        /// Which meeting.
        meeting_id: MeetingId,
        /// Whose.
        user_id: UserId,
        /// Camera on.
        camera: bool,
        /// Microphone on.
        microphone: bool,
        /// Screen shared.
        screen: bool,
    }
    /// C→S `call:state`.
    CallState {
        /// Which meeting.
        meeting_id: MeetingId,
        /// Camera on.
        camera: bool,
        /// Microphone on.
        microphone: bool,
        /// Screen shared.
        screen: bool,
    }
    /// `call:signal`, both ways. What `data` holds is between the two engines.
    Signal {
        /// Which meeting.
        meeting_id: MeetingId,
        /// Whatever the engines agreed on; at most 64 KiB.
        data: serde_json::Value,
    }
}

/// S→C `meeting:started`: each person gets its own token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeetingStarted {
    /// Which meeting.
    pub meeting_id: MeetingId,
    /// Its channel.
    pub channel_name: String,
    /// The receiver's token.
    pub token: String,
    /// The receiver's number.
    pub uid: parley_domain::AgoraUid,
    /// The App ID.
    pub app_id: String,
    /// What carries the media.
    pub engine: EngineKind,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// C→S `call:join`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallJoin {
    /// Which meeting.
    pub meeting_id: MeetingId,
    /// The meeting's token.
    pub token: String,
}

/// C→S `auth:renew`.
#[derive(Clone, Serialize, Deserialize)]
pub struct AuthRenew {
    /// The next access token.
    pub token: String,
}
