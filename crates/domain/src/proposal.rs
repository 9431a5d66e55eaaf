//! When a proposal may be accepted, and what else may happen to one (`CONTRACT.md` §3).

use crate::{Proposal, ProposalStatus, RequestStatus, Timestamp};

/// Why a proposal can't be accepted, made, rejected or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposalRefusal {
    /// `PROPOSAL_NOT_PENDING`: it was accepted, rejected or withdrawn before.
    #[error("the proposal is {0}, not PENDING")]
    NotPending(ProposalStatus),
    /// `PROPOSAL_EXPIRED`: its time is over.
    #[error("the proposal expired at {0}")]
    Expired(Timestamp),
    /// `PROVIDER_NOT_APPROVED`: not at this moment.
    #[error("the provider is not approved")]
    ProviderNotApproved,
    /// `REQUEST_NOT_OPEN`: it was converted or cancelled before.
    #[error("the request is {0}, not OPEN")]
    RequestNotOpen(RequestStatus),
}

/// What an acceptance depends on besides the proposal.
#[derive(Clone, Copy, Debug)]
pub struct AcceptanceContext {
    /// Whether its provider is approved at this moment.
    pub provider_approved: bool,
    /// Where its request stands.
    pub request: RequestStatus,
    /// Now.
    pub now: Timestamp,
}

/// Whether the request's client may accept it: PENDING, not past `expiresAt`, provider approved, request OPEN.
///
/// # Errors
/// The first of these that does not hold, in that order.
pub fn check_acceptance(proposal: &Proposal, context: AcceptanceContext) -> Result<(), ProposalRefusal> {
    check_pending(proposal)?;
    if context.now > proposal.expires_at {
        return Err(ProposalRefusal::Expired(proposal.expires_at));
    }
    check_proposing(context.provider_approved, context.request)
}

/// Whether a provider may propose for a request.
///
/// # Errors
/// `ProviderNotApproved` first, then `RequestNotOpen`.
pub fn check_proposing(provider_approved: bool, request: RequestStatus) -> Result<(), ProposalRefusal> {
    if !provider_approved {
        return Err(ProposalRefusal::ProviderNotApproved);
    }
    if request != RequestStatus::Open {
        return Err(ProposalRefusal::RequestNotOpen(request));
    }
    Ok(())
}

/// Whether it may be rejected or withdrawn: only while it waits.
///
/// # Errors
/// `NotPending`.
pub fn check_pending(proposal: &Proposal) -> Result<(), ProposalRefusal> {
    if proposal.status != ProposalStatus::Pending {
        return Err(ProposalRefusal::NotPending(proposal.status));
    }
    Ok(())
}
