//! What clients ask for.

use parley_domain::{FieldCheck, Request, RequestId, RequestStatus, Role};
use parley_protocol::rest;
use parley_store::{Created, Idempotency, NewRequest, Page, PageRequest};

use crate::{
    auth::caller::Caller,
    limits::Kind,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// Makes a request; clients only.
pub(crate) async fn create(
    app: &AppState,
    caller: &Caller,
    body: rest::NewRequest,
    idempotency: Option<Idempotency>,
) -> Outcome<Created<Request>> {
    caller.require(Role::Client)?;
    app.limits.take_for(Kind::Offer, caller.id())?;
    let mut check = FieldCheck::new();
    let title = check.title("/title", &body.title);
    let description = check.prose("/description", &body.description);
    if let Some(budget) = body.budget {
        check.money("/budget", budget);
    }
    check.finish()?;
    let request = NewRequest {
        client: caller.id(),
        title,
        description,
        budget: body.budget,
        deadline: body.deadline,
        idempotency,
    };
    Ok(app.store.create_request(request, app.now()).await?)
}

/// The caller's own requests, or the open ones for a provider.
pub(crate) async fn list(app: &AppState, caller: &Caller, page: PageRequest) -> Outcome<Page<Request>> {
    Ok(app.store.requests(caller.id(), page).await?)
}

/// One request.
pub(crate) async fn get(app: &AppState, caller: &Caller, request: RequestId) -> Outcome<Request> {
    Ok(app.store.request(caller.id(), request).await?)
}

/// Moves a request; `CANCELLED` is the only way.
pub(crate) async fn update(
    app: &AppState,
    caller: &Caller,
    request: RequestId,
    status: RequestStatus,
) -> Outcome<Request> {
    if status != RequestStatus::Cancelled {
        return Err(Refusal::invalid("/status", "can only become CANCELLED"));
    }
    Ok(app.store.cancel_request(caller.id(), request).await?)
}
