//! The rows that both sides see, exactly as they cross the wire (`CONTRACT.md` §2–§5). One shape serves the database,
//! the answer and every socket.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    AgoraUid, AttachmentId, ConversationId, EndReason, EngineKind, MeetingId, MeetingLogEvent, MeetingStatus,
    MeetingType, MessageId, MessageType, Money, ProjectId, ProjectStatus, ProposalId, ProposalStatus, ReminderId,
    RequestId, RequestStatus, Role, Timestamp, UserId,
};

/// A person with an account, as that person sees itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Address to sign in with; lower case.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// What the person is in the marketplace.
    pub role: Role,
    /// Whether a provider may propose; always true for the other roles.
    pub approved: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// IANA name such as `Europe/Berlin`, if the person gave one.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub time_zone: Option<String>,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Which request.
    pub id: RequestId,
    /// Whose.
    pub client_id: UserId,
    /// One line.
    pub title: String,
    /// The whole wish.
    pub description: String,
    /// What the client means to spend.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub budget: Option<Money>,
    /// When it should be done.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub deadline: Option<Timestamp>,
    /// Where it stands.
    pub status: RequestStatus,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a provider offers for a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// Which proposal.
    pub id: ProposalId,
    /// For which request.
    pub request_id: RequestId,
    /// Whose.
    pub provider_id: UserId,
    /// The name of that provider.
    pub provider_name: String,
    /// For how much.
    pub price: Money,
    /// What is to be done.
    pub scope: String,
    /// Until when.
    pub deadline: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub status: ProposalStatus,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An agreement: the terms are those of the accepted proposal and never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Which project.
    pub id: ProjectId,
    /// The request that it grew from.
    pub request_id: RequestId,
    /// The proposal that was accepted.
    pub proposal_id: ProposalId,
    /// Who ordered.
    pub client_id: UserId,
    /// Who carries it out.
    pub provider_ids: Vec<UserId>,
    /// The request's title.
    pub title: String,
    /// The agreed price; locked.
    pub price: Money,
    /// The agreed scope; locked.
    pub scope: String,
    /// The agreed deadline; locked.
    pub deadline: Timestamp,
    /// Proves the terms: lower-case hex SHA-256 over their canonical JSON.
    pub terms_hash: String,
    /// Where it stands.
    pub status: ProjectStatus,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// When the proposal was accepted.
    pub created_at: Timestamp,
}

/// A person in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who.
    pub user_id: UserId,
    /// Shown name.
    pub name: String,
    /// Client or provider.
    pub role: Role,
    /// Up to which message the person has read; 0 before the first.
    #[ts(type = "number")]
    pub last_read_seq: i64,
    /// IANA name of the person's time zone, if given.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub time_zone: Option<String>,
}

/// The one conversation of a project, as one participant sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Which conversation.
    pub id: ConversationId,
    /// Of which project.
    pub project_id: ProjectId,
    /// Its title.
    pub project_title: String,
    /// Its state: only an active project's conversation takes messages.
    pub project_status: ProjectStatus,
    /// Client and provider(s).
    pub participants: Vec<Participant>,
    /// The newest message.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_message: Option<Message>,
    /// Others' undeleted messages after the caller's read mark.
    #[ts(type = "number")]
    pub unread_count: i64,
    /// When something last happened in it.
    pub updated_at: Timestamp,
}

/// An uploaded file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// Which file.
    pub id: AttachmentId,
    /// Its name, for people.
    pub name: String,
    /// Bytes.
    #[ts(type = "number")]
    pub size: i64,
    /// Decided by content.
    pub media_type: String,
    /// Lower-case hex.
    pub sha256: String,
    /// Signed for the reader and five minutes.
    pub url: String,
}

/// Who has read a message, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReadBy {
    /// Who.
    pub user_id: UserId,
    /// When.
    pub read_at: Timestamp,
}

/// A message. `seq` orders it in its conversation; ids and clocks never do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Which message.
    pub id: MessageId,
    /// Its number in the conversation, from 1, given at commit.
    #[ts(type = "number")]
    pub seq: i64,
    /// Where.
    pub conversation_id: ConversationId,
    /// Who wrote it.
    pub sender_id: UserId,
    /// Text or file.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// As written; empty once deleted. Never HTML.
    pub content: String,
    /// Its files.
    pub attachments: Vec<Attachment>,
    /// The message that it answers.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub reply_to_id: Option<MessageId>,
    /// The sender's own name for it: the same one never makes a second message.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub client_id: Option<String>,
    /// When the server wrote it down.
    pub created_at: Timestamp,
    /// When its author last changed it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub edited_at: Option<Timestamp>,
    /// When its author took it back.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub deleted_at: Option<Timestamp>,
    /// Who else has read it.
    pub read_by: Vec<ReadBy>,
}

/// A call between the client and a provider of one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Meeting {
    /// Which meeting.
    pub id: MeetingId,
    /// In which project.
    pub project_id: ProjectId,
    /// Who called.
    pub host_id: UserId,
    /// Who is called.
    pub guest_id: UserId,
    /// Random and unique.
    pub channel_name: String,
    /// Instant or scheduled.
    #[serde(rename = "type")]
    pub kind: MeetingType,
    /// Where it stands.
    pub status: MeetingStatus,
    /// What carries the media; fixed at creation.
    pub engine: EngineKind,
    /// The time of a scheduled one.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub scheduled_at: Option<Timestamp>,
    /// When the guest said yes.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub accepted_at: Option<Timestamp>,
    /// When it became active.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub started_at: Option<Timestamp>,
    /// When it was over.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub ended_at: Option<Timestamp>,
    /// Whole seconds from start to end; null if it never was active.
    #[cfg_attr(feature = "openapi", schema(required))]
    #[ts(type = "number | null")]
    pub duration: Option<i64>,
    /// Why it is over.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub end_reason: Option<EndReason>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The four numbers of a meeting in its channel: two people, two screens. Distinct, and the same for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeetingUids {
    /// The host.
    pub host: AgoraUid,
    /// The guest.
    pub guest: AgoraUid,
    /// The host's screen.
    pub host_screen: AgoraUid,
    /// The guest's screen.
    pub guest_screen: AgoraUid,
}

/// One line of a meeting's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MeetingLogEntry {
    /// Who.
    pub user_id: UserId,
    /// What.
    pub event: MeetingLogEvent,
    /// When.
    pub at: Timestamp,
}

/// A reminder of a scheduled meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// Which reminder; a client shows it once.
    pub reminder_id: ReminderId,
    /// Of which meeting.
    pub meeting_id: MeetingId,
    /// In which project.
    pub project_id: ProjectId,
    /// When the meeting is.
    pub scheduled_at: Timestamp,
    /// Seconds left when it was sent.
    #[ts(type = "number")]
    pub starts_in_seconds: i64,
}
