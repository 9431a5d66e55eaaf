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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Money;

    fn proposal(status: ProposalStatus) -> Proposal {
        Proposal {
            id: Uuid::from_u128(1).into(),
            request_id: Uuid::from_u128(2).into(),
            provider_id: Uuid::from_u128(3).into(),
            provider_name: "Pat".into(),
            price: Money { amount_minor: 1, currency: "USD".parse().unwrap() },
            scope: "All".into(),
            deadline: Timestamp::from_millis(9_000),
            expires_at: Timestamp::from_millis(1_000),
            status,
            created_at: Timestamp::from_millis(0),
        }
    }

    fn context(provider_approved: bool, request: RequestStatus, millis: i64) -> AcceptanceContext {
        AcceptanceContext { provider_approved, request, now: Timestamp::from_millis(millis) }
    }

    #[test]
    fn every_combination_of_faults_names_the_first() {
        for &status in ProposalStatus::ALL {
            for &request in RequestStatus::ALL {
                for approved in [false, true] {
                    for millis in [0, 1_000, 1_001] {
                        let expected = if status != ProposalStatus::Pending {
                            Err(ProposalRefusal::NotPending(status))
                        } else if millis > 1_000 {
                            Err(ProposalRefusal::Expired(Timestamp::from_millis(1_000)))
                        } else if !approved {
                            Err(ProposalRefusal::ProviderNotApproved)
                        } else if request != RequestStatus::Open {
                            Err(ProposalRefusal::RequestNotOpen(request))
                        } else {
                            Ok(())
                        };
                        let got = check_acceptance(&proposal(status), context(approved, request, millis));
                        assert_eq!(got, expected, "{status} {request} approved={approved} at {millis}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_an_approved_provider_proposes_and_only_for_an_open_request() {
        assert_eq!(check_proposing(true, RequestStatus::Open), Ok(()));
        assert_eq!(check_proposing(false, RequestStatus::Cancelled), Err(ProposalRefusal::ProviderNotApproved));
        let converted = RequestStatus::Converted;
        assert_eq!(check_proposing(true, converted), Err(ProposalRefusal::RequestNotOpen(converted)));
    }
}
