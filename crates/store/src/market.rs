//! Requests, proposals and projects: inputs, outcomes and refusals.

use parley_domain::{
    Conversation, FieldError, Money, Project, ProjectStatus, Proposal, ProposalRefusal, Request, RequestId, Timestamp,
    UserId,
};

use crate::{Idempotency, KeyReused, MeetingChange, StoreError};

/// A request to be made.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Whose; must be a client.
    pub client: UserId,
    /// One line.
    pub title: String,
    /// The whole wish.
    pub description: String,
    /// What the client means to spend.
    pub budget: Option<Money>,
    /// When it should be done.
    pub deadline: Option<Timestamp>,
    /// `Idempotency-Key`.
    pub idempotency: Option<Idempotency>,
}

/// A proposal to be made.
#[derive(Clone, Debug)]
pub struct NewProposal {
    /// Whose; must be a provider.
    pub provider: UserId,
    /// For which request.
    pub request: RequestId,
    /// For how much.
    pub price: Money,
    /// What is to be done.
    pub scope: String,
    /// Until when.
    pub deadline: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// `Idempotency-Key`.
    pub idempotency: Option<Idempotency>,
}

/// All that one acceptance changed, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// What came to be.
    pub project: Project,
    /// Its conversation, as the client sees it.
    pub conversation: Conversation,
    /// The request, CONVERTED.
    pub request: Request,
    /// The proposal, ACCEPTED.
    pub accepted: Proposal,
    /// Its siblings that were PENDING, REJECTED.
    pub rejected: Vec<Proposal>,
}

/// How a project is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectClosing {
    /// Done.
    Complete,
    /// Given up.
    Cancel,
}

/// A closed project and the meetings that closed with it, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedProject {
    /// The project as it is now.
    pub project: Project,
    /// What became of its meetings.
    pub meetings: Vec<MeetingChange>,
}

/// Why requests, proposals and projects can't be made, seen or moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// Unknown, or not the caller's to know of.
    #[error("not found")]
    NotFound,
    /// Known to the caller, but not allowed to the caller.
    #[error("this is not allowed to you")]
    Forbidden,
    /// The proposal or its request says no.
    #[error(transparent)]
    Refused(#[from] ProposalRefusal),
    /// `INVALID`: these fields don't fit the moment, such as a deadline that has passed.
    #[error("these times have passed")]
    Invalid(Vec<FieldError>),
    /// `PROJECT_NOT_ACTIVE`.
    #[error("the project is {0}, not ACTIVE")]
    ProjectNotActive(ProjectStatus),
    /// `IDEMPOTENCY_KEY_REUSED`.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
