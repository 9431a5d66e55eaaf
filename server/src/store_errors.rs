//! What the store refuses, as it leaves the server.

use axum::http::StatusCode;
use parley_domain::{FieldError, GuestProblem, MeetingRefusal, ProposalRefusal};
use parley_protocol::Code;
use parley_store::{
    AccountError, AttachmentError, ConversationError, InvalidCursor, KeyReused, MarketError, MeetingError,
    SessionError, StoreError, SyncError,
};

use crate::{attachments, problem::Refusal};

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Full | StoreError::ReadOnly | StoreError::Closed => {
                tracing::error!(%error, "the store refuses to work");
                Self::new(Code::Unavailable, "The server's database can't take this now; try again later.")
            }
            error => Self::internal(error),
        }
    }
}

impl From<Vec<FieldError>> for Refusal {
    fn from(errors: Vec<FieldError>) -> Self {
        errors.into_iter().fold(Self::new(Code::Invalid, "See errors for the fields."), |refusal, error| {
            refusal.with_field(error.pointer, error.message)
        })
    }
}

impl From<KeyReused> for Refusal {
    fn from(_: KeyReused) -> Self {
        Self::new(Code::IdempotencyKeyReused, "Take a new key for another body.")
    }
}

impl From<InvalidCursor> for Refusal {
    fn from(_: InvalidCursor) -> Self {
        Self::invalid("/cursor", "is not a cursor of this server")
    }
}

impl From<AccountError> for Refusal {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::EmailTaken => Self::new(Code::EmailTaken, "Sign in instead, or take another address."),
            AccountError::NotFound => Self::not_found("account"),
            AccountError::Store(error) => error.into(),
        }
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Unknown | SessionError::Over => {
                Self::new(Code::Unauthenticated, "This sign-in is over; sign in again.")
            }
            SessionError::Reused(session) => {
                tracing::warn!(%session, "a spent refresh token was presented; the session is ended");
                Self::new(
                    Code::Unauthenticated,
                    "This sign-in was ended because its token was used twice; sign in again.",
                )
            }
            SessionError::Store(error) => error.into(),
        }
    }
}

impl From<ProposalRefusal> for Refusal {
    fn from(refusal: ProposalRefusal) -> Self {
        let code = match refusal {
            ProposalRefusal::NotPending(_) => Code::ProposalNotPending,
            ProposalRefusal::Expired(_) => Code::ProposalExpired,
            ProposalRefusal::ProviderNotApproved => Code::ProviderNotApproved,
            ProposalRefusal::RequestNotOpen(_) => Code::RequestNotOpen,
        };
        Self::new(code, sentence(&refusal))
    }
}

impl From<MarketError> for Refusal {
    fn from(error: MarketError) -> Self {
        match error {
            MarketError::NotFound => Self::not_found("request, proposal or project"),
            MarketError::Forbidden => Self::new(Code::Forbidden, sentence(&error)),
            MarketError::Refused(refusal) => refusal.into(),
            MarketError::Invalid(errors) => errors.into(),
            MarketError::ProjectNotActive(_) => Self::new(Code::ProjectNotActive, sentence(&error)),
            MarketError::KeyReused(error) => error.into(),
            MarketError::Store(error) => error.into(),
        }
    }
}

impl From<ConversationError> for Refusal {
    fn from(error: ConversationError) -> Self {
        match error {
            ConversationError::NotFound => Self::not_found("conversation or message"),
            ConversationError::ProjectNotActive(_) => Self::new(Code::ProjectNotActive, sentence(&error)),
            ConversationError::UnknownReply => Self::invalid("/replyToId", error.to_string()),
            ConversationError::UnknownAttachment(place) => {
                Self::invalid(format!("/attachmentIds/{place}"), error.to_string())
            }
            ConversationError::NotTheAuthor => Self::new(Code::Forbidden, sentence(&error)),
            ConversationError::EditWindowOver => Self::new(Code::EditWindowOver, sentence(&error)),
            ConversationError::Deleted => Self::new(Code::MessageDeleted, sentence(&error)),
            ConversationError::Content(problem) => Self::invalid("/content", problem.to_string()),
            ConversationError::Store(error) => error.into(),
        }
    }
}

impl From<AttachmentError> for Refusal {
    fn from(error: AttachmentError) -> Self {
        match error {
            AttachmentError::NotFound => Self::not_found("file"),
            AttachmentError::QuotaExceeded => attachments::service::quota_exceeded(),
            AttachmentError::Store(error) => error.into(),
        }
    }
}

impl From<MeetingRefusal> for Refusal {
    fn from(refusal: MeetingRefusal) -> Self {
        let detail = sentence(&refusal);
        match refusal {
            MeetingRefusal::NotYours(_) => Self::new(Code::Forbidden, detail),
            MeetingRefusal::State { from, to } | MeetingRefusal::TooEarly { from, to, .. } => {
                Self::new(Code::MeetingState, detail).with_member("from", from.as_str()).with_member("to", to.as_str())
            }
            MeetingRefusal::InProgress(meeting) => {
                Self::new(Code::MeetingInProgress, detail).with_member("meetingId", meeting.to_string())
            }
            MeetingRefusal::ProjectNotActive(_) => Self::new(Code::ProjectNotActive, detail),
            MeetingRefusal::TimeNotInFuture => Self::invalid("/scheduledAt", "is not in the future"),
            MeetingRefusal::Guest(
                problem
                @ (GuestProblem::Ambiguous | GuestProblem::NotAParticipant | GuestProblem::NotClientAndProvider),
            ) => Self::invalid("/guestId", problem.to_string()),
        }
    }
}

impl From<MeetingError> for Refusal {
    fn from(error: MeetingError) -> Self {
        match error {
            MeetingError::NotFound => Self::not_found("meeting or project"),
            MeetingError::Refused(refusal) => refusal.into(),
            MeetingError::KeyReused(error) => error.into(),
            MeetingError::Store(error) => error.into(),
        }
    }
}

impl From<SyncError> for Refusal {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::TooOld => Self::new(Code::SyncTooOld, "Load everything anew and begin with a new cursor."),
            SyncError::Store(error) => error.into(),
        }
    }
}

impl Refusal {
    /// The refusal of an acceptance: that the provider is not approved is a conflict here, not a lack of right.
    pub(crate) fn of_acceptance(error: MarketError) -> Self {
        match error {
            MarketError::Refused(refusal @ ProposalRefusal::ProviderNotApproved) => {
                Self::from(refusal).with_status(StatusCode::CONFLICT)
            }
            error => error.into(),
        }
    }
}

fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
