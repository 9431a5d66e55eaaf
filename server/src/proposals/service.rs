//! What providers offer, and what clients make of it.

use parley_domain::{FieldCheck, Proposal, ProposalId, RequestId, Role};
use parley_protocol::rest::{self, Accepted};
use parley_store::{Created, Idempotency, NewProposal, Page, PageRequest};

use crate::{
    auth::caller::Caller,
    limits::Kind,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// Makes a proposal; approved providers only.
pub(crate) async fn create(
    app: &AppState,
    caller: &Caller,
    request: RequestId,
    body: rest::NewProposal,
    idempotency: Option<Idempotency>,
) -> Outcome<Created<Proposal>> {
    caller.require(Role::Provider)?;
    app.limits.take_for(Kind::Offer, caller.id())?;
    let now = app.now();
    let mut check = FieldCheck::new();
    check.money("/price", body.price);
    let scope = check.prose("/scope", &body.scope);
    if let Err(mut errors) = check.finish() {
        // All of a body's problems are told at once. A body without other problems is left to the store: sent again
        // with its key, it gets its first answer although its times have passed meanwhile.
        let mut times = FieldCheck::new();
        times.future("/deadline", body.deadline, now);
        times.future("/expiresAt", body.expires_at, now);
        errors.extend(times.finish().err().unwrap_or_default());
        return Err(errors.into());
    }
    let proposal = NewProposal {
        provider: caller.id(),
        request,
        price: body.price,
        scope,
        deadline: body.deadline,
        expires_at: body.expires_at,
        idempotency,
    };
    Ok(app.store.create_proposal(proposal, now).await?)
}

/// The proposals for a request: all for its client, a provider's own for a provider.
pub(crate) async fn list(
    app: &AppState,
    caller: &Caller,
    request: RequestId,
    page: PageRequest,
) -> Outcome<Page<Proposal>> {
    Ok(app.store.proposals(caller.id(), request, page).await?)
}

/// Accepts: the project with its locked terms and its conversation come to be, or nothing does.
pub(crate) async fn accept(app: &AppState, caller: &Caller, proposal: ProposalId) -> Outcome<Accepted> {
    let acceptance =
        app.store.accept_proposal(caller.id(), proposal, app.now()).await.map_err(Refusal::of_acceptance)?;
    Ok(Accepted { project: acceptance.project, conversation: acceptance.conversation })
}

/// The client turns it down.
pub(crate) async fn reject(app: &AppState, caller: &Caller, proposal: ProposalId) -> Outcome<Proposal> {
    Ok(app.store.reject_proposal(caller.id(), proposal, app.now()).await?)
}

/// The provider takes it back.
pub(crate) async fn withdraw(app: &AppState, caller: &Caller, proposal: ProposalId) -> Outcome<Proposal> {
    Ok(app.store.withdraw_proposal(caller.id(), proposal, app.now()).await?)
}
