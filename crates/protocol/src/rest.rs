//! Bodies of the HTTP calls, `CONTRACT.md` §2–§5. Rows (`User`, `Project`, `Message`, …) are those of the domain.

use parley_domain::{
    AgoraUid, AttachmentId, Conversation, ConversationId, EngineKind, Meeting, MeetingId, MeetingType, Message,
    MessageId, MessageType, Money, Project, ProjectId, Proposal, Reminder, Role, TextRange, Timestamp, User, UserId,
};
use serde::{Deserialize, Deserializer, Serialize};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Leads to the next page; null on the last one.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
}

/// `POST /auth/register`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Register {
    /// Address to sign in with.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::email))]
    pub email: String,
    /// At least 10 characters.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::new_password))]
    pub password: String,
    /// Shown name.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::name))]
    pub name: String,
    /// `client` or `provider`.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::registrable_role))]
    pub role: Role,
}

/// `POST /auth/login`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// Address.
    pub email: String,
    /// Password.
    pub password: String,
}

/// `POST /auth/refresh`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Refresh {
    /// Works once.
    pub refresh_token: String,
}

/// A sign-in: the answer of register, login and refresh.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// Who signed in.
    pub user: User,
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// For the next pair.
    pub refresh_token: String,
    /// Seconds that the access token lives.
    pub expires_in: u64,
}

/// `POST /auth/password`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangePassword {
    /// The password of now.
    pub current: String,
    /// The password to come.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::new_password))]
    pub new: String,
}

/// `PATCH /users/me`. A member that is absent stays; `timeZone: null` clears it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdateMe {
    /// Shown name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::name_or_null))]
    pub name: Option<String>,
    /// IANA time zone.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::time_zone_or_null))]
    pub time_zone: Option<Option<String>>,
}

fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `PATCH /admin/providers/:id/approval`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Approval {
    /// Whether the provider may propose.
    pub approved: bool,
}

/// `POST /requests`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewRequest {
    /// One line.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::title))]
    pub title: String,
    /// The whole wish.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::prose))]
    pub description: String,
    /// What the client means to spend.
    #[serde(default)]
    pub budget: Option<Money>,
    /// When it should be done.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
}

/// `PATCH /requests/:id`; only `CANCELLED` is possible.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateRequest {
    /// The state to move to.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::cancelled))]
    pub status: parley_domain::RequestStatus,
}

/// `POST /requests/:id/proposals`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewProposal {
    /// For how much.
    pub price: Money,
    /// What is to be done.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::prose))]
    pub scope: String,
    /// Until when.
    pub deadline: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// 201 of `POST /proposals/:id/accept`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accepted {
    /// What came to be.
    pub project: Project,
    /// Where it is talked about.
    pub conversation: Conversation,
}

/// `POST /messages`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewMessage {
    /// Where.
    pub conversation_id: ConversationId,
    /// 1…8,000 characters for text.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::content, required))]
    pub content: String,
    /// Text or file.
    #[serde(rename = "type", default = "text")]
    pub kind: MessageType,
    /// The sender's own name for it, 1…128 characters: the same one never makes a second message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::client_id_or_null))]
    pub client_id: Option<String>,
    /// The sender's own uploads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachment_ids: Vec<AttachmentId>,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_id: Option<MessageId>,
}

fn text() -> MessageType {
    MessageType::Text
}

/// `PATCH /messages/:id`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EditMessage {
    /// What it says from now on: as in a new message.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schemas::content))]
    pub content: String,
}

/// A message that matches a search, with the part that does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchHit {
    /// The message.
    pub message: Message,
    /// Plain text around the first match, on one line; `…` stands where something was left out.
    pub snippet: String,
    /// What matched in the snippet, in order. Places beside the text can't be confused with anything in it.
    pub matches: Vec<TextRange>,
}

/// `PATCH /messages/conversation/:conversationId/read`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MarkRead {
    /// Up to this message; without it, up to the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to_message_id: Option<MessageId>,
}

/// Where a read mark stands after `PATCH …/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReadMark {
    /// Where.
    pub conversation_id: ConversationId,
    /// Up to which message.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_read_message_id: Option<MessageId>,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub read_at: Option<Timestamp>,
    /// Whether this call moved it.
    pub updated: bool,
}

/// `POST /meetings`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewMeeting {
    /// In which project.
    pub project_id: ProjectId,
    /// Instant or scheduled.
    #[serde(rename = "type")]
    pub kind: MeetingType,
    /// Whom; must be given when there are several others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_id: Option<UserId>,
    /// When; scheduled ones only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Timestamp>,
}

/// 201 of `POST /meetings`: the meeting, and its id once more as `meetingId`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedMeeting {
    /// The row.
    #[serde(flatten)]
    pub meeting: Meeting,
    /// Its id again.
    pub meeting_id: MeetingId,
}

/// `PATCH /meetings/:id`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Reschedule {
    /// The new time.
    pub scheduled_at: Timestamp,
}

/// `GET /meetings/:id/token`: all that a client needs to join.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MeetingToken {
    /// AccessToken2 for that channel and uid.
    pub token: String,
    /// The caller's number.
    pub uid: AgoraUid,
    /// The meeting's channel.
    pub channel_name: String,
    /// The App ID that the token belongs to.
    pub app_id: String,
    /// At most an hour from now.
    pub expires_at: Timestamp,
    /// What carries the media.
    pub engine: EngineKind,
    /// For the caller's screen.
    pub screen: ScreenToken,
    /// The other person's numbers.
    pub peer: PeerUids,
    /// STUN and TURN servers, if the operator runs any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ice_servers: Option<Vec<IceServer>>,
}

/// The second token, for sharing the screen.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScreenToken {
    /// AccessToken2 for the screen's uid.
    pub token: String,
    /// The screen's number.
    pub uid: AgoraUid,
}

/// The other person's numbers in the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PeerUids {
    /// The person.
    pub uid: AgoraUid,
    /// The person's screen.
    pub screen_uid: AgoraUid,
}

/// As WebRTC's `RTCIceServer`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IceServer {
    /// `stun:…` and `turn:…` addresses.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// `GET /sync`: what happened since a cursor, in commit order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SyncPage {
    /// What happened.
    pub changes: Vec<Change>,
    /// Where to go on.
    pub next_cursor: String,
    /// Whether there is more at once.
    pub more: bool,
}

/// One thing that happened, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Change {
    /// A message is new, edited or deleted.
    Message {
        /// The message as it is now.
        message: Message,
    },
    /// A read mark moved.
    #[serde(rename_all = "camelCase")]
    Read {
        /// Where.
        conversation_id: ConversationId,
        /// Whose.
        user_id: UserId,
        /// Up to which message.
        last_read_message_id: MessageId,
        /// Up to which number.
        last_read_seq: i64,
        /// When.
        read_at: Timestamp,
    },
    /// A meeting is new or moved.
    Meeting {
        /// The meeting as it is now.
        meeting: Meeting,
    },
    /// A project is new or was closed.
    Project {
        /// The project as it is now.
        project: Project,
    },
    /// A proposal is new or moved.
    Proposal {
        /// The proposal as it is now.
        proposal: Proposal,
    },
    /// A reminder was sent.
    Reminder {
        /// The reminder.
        reminder: Reminder,
    },
}
