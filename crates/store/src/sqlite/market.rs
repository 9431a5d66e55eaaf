//! Requests and proposals up to the decision. The acceptance itself is in `acceptance`.

use std::collections::HashMap;

use parley_domain::{
    FieldCheck, Proposal, ProposalId, ProposalRefusal, ProposalStatus, Request, RequestId, RequestStatus, Role,
    Timestamp, UserId, check_pending, check_proposing,
};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::{
    accounts,
    db::{ChangeRow, Db, RowExt, Tx, new_id},
    idempotency::{recall, remember},
    lists::{by_id, page_of},
};
use crate::{Committed, Created, MarketError, NewProposal, NewRequest, Page, PageRequest, StoreError};

const REQUEST: &str = "SELECT position, id, client_id, title, description, budget_amount, budget_currency, deadline,
    status, created_at FROM requests r";

const PROPOSAL: &str = "SELECT p.position, p.id, p.request_id, p.provider_id, u.name AS provider_name,
    p.price_amount, p.price_currency, p.scope, p.deadline, p.expires_at, p.status, p.created_at
    FROM proposals p JOIN users u ON u.id = p.provider_id";

fn request_of(row: &Row<'_>) -> rusqlite::Result<Request> {
    let has_budget = row.get::<_, Option<i64>>("budget_amount")?.is_some();
    Ok(Request {
        id: row.id("id")?,
        client_id: row.id("client_id")?,
        title: row.get("title")?,
        description: row.get("description")?,
        budget: if has_budget { Some(row.money("budget_amount", "budget_currency")?) } else { None },
        deadline: row.opt_at("deadline")?,
        status: row.word("status")?,
        created_at: row.at("created_at")?,
    })
}

fn proposal_of(row: &Row<'_>) -> rusqlite::Result<Proposal> {
    Ok(Proposal {
        id: row.id("id")?,
        request_id: row.id("request_id")?,
        provider_id: row.id("provider_id")?,
        provider_name: row.get("provider_name")?,
        price: row.money("price_amount", "price_currency")?,
        scope: row.get("scope")?,
        deadline: row.at("deadline")?,
        expires_at: row.at("expires_at")?,
        status: row.word("status")?,
        created_at: row.at("created_at")?,
    })
}

/// The request itself, whoever asks.
pub(super) fn find_request(db: &Db<'_>, request: RequestId) -> Result<Option<Request>, StoreError> {
    db.one(&format!("{REQUEST} WHERE id = ?1"), [request.0], request_of)
}

/// The proposal itself, whoever asks.
pub(super) fn find_proposal(db: &Db<'_>, proposal: ProposalId) -> Result<Option<Proposal>, StoreError> {
    db.one(&format!("{PROPOSAL} WHERE p.id = ?1"), [proposal.0], proposal_of)
}

/// Those of these proposals that are there, whoever asks.
pub(super) fn find_proposals(db: &Db<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Proposal>, StoreError> {
    by_id(db, &format!("{PROPOSAL} WHERE p.id"), ids, proposal_of)
}

fn role_of(db: &Db<'_>, user: UserId) -> Result<Role, MarketError> {
    Ok(accounts::user(db, user)?.ok_or(MarketError::NotFound)?.role)
}

pub(super) fn create_request(
    tx: &mut Tx<'_>,
    new: NewRequest,
    now: Timestamp,
) -> Result<Created<Request>, MarketError> {
    if role_of(tx, new.client)? != Role::Client {
        return Err(MarketError::Forbidden);
    }
    if let Some(first) = recall::<_, MarketError>(tx, new.client, new.idempotency.as_ref(), now)? {
        return Ok(Created::Same(first));
    }
    let request = Request {
        id: new_id(now),
        client_id: new.client,
        title: new.title,
        description: new.description,
        budget: new.budget,
        deadline: new.deadline,
        status: RequestStatus::Open,
        created_at: now,
    };
    tx.run_one(
        "INSERT INTO requests (id, client_id, title, description, budget_amount, budget_currency, deadline, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            request.id.0,
            request.client_id.0,
            request.title,
            request.description,
            request.budget.map(|budget| budget.amount_minor),
            request.budget.map(|budget| budget.currency.to_string()),
            request.deadline.map(Timestamp::as_millis),
            now.as_millis()
        ],
    )?;
    remember(tx, new.client, new.idempotency.as_ref(), &request, now)?;
    Ok(Created::New(request))
}

pub(super) fn requests(db: &Db<'_>, viewer: UserId, page: PageRequest) -> Result<Page<Request>, MarketError> {
    let condition = match role_of(db, viewer)? {
        Role::Client => "client_id = ?1",
        Role::Provider | Role::Admin => "status = 'OPEN' AND ?1 IS NOT NULL",
    };
    Ok(page_of(db, &format!("{REQUEST} WHERE {condition}"), "position", viewer.0, page, request_of)?)
}

pub(super) fn request(db: &Db<'_>, viewer: UserId, id: RequestId) -> Result<Request, MarketError> {
    let role = role_of(db, viewer)?;
    let request = find_request(db, id)?.ok_or(MarketError::NotFound)?;
    let may_see = match role {
        Role::Client => request.client_id == viewer,
        Role::Provider => request.status == RequestStatus::Open || has_proposed(db, viewer, id)?,
        Role::Admin => true,
    };
    if may_see { Ok(request) } else { Err(MarketError::NotFound) }
}

fn has_proposed(db: &Db<'_>, provider: UserId, request: RequestId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM proposals WHERE provider_id = ?1 AND request_id = ?2 LIMIT 1";
    Ok(db.one(sql, (provider.0, request.0), |_| Ok(()))?.is_some())
}

pub(super) fn cancel_request(tx: &mut Tx<'_>, client: UserId, id: RequestId) -> Result<Request, MarketError> {
    let mut request = request(tx, client, id)?;
    if request.client_id != client {
        return Err(MarketError::Forbidden);
    }
    if request.status != RequestStatus::Open {
        return Err(ProposalRefusal::RequestNotOpen(request.status).into());
    }
    tx.run_one("UPDATE requests SET status = 'CANCELLED' WHERE id = ?1 AND status = 'OPEN'", [id.0])?;
    request.status = RequestStatus::Cancelled;
    Ok(request)
}

pub(super) fn create_proposal(
    tx: &mut Tx<'_>,
    new: NewProposal,
    now: Timestamp,
) -> Result<Created<Proposal>, MarketError> {
    let provider = accounts::user(tx, new.provider)?.ok_or(MarketError::NotFound)?;
    let request = find_request(tx, new.request)?;
    if provider.role != Role::Provider {
        // A client knows of its own requests only.
        let knows = request.is_some_and(|request| request.client_id == new.provider);
        return Err(if knows || provider.role == Role::Admin { MarketError::Forbidden } else { MarketError::NotFound });
    }
    let request = request.ok_or(MarketError::NotFound)?;
    if let Some(first) = recall::<_, MarketError>(tx, new.provider, new.idempotency.as_ref(), now)? {
        return Ok(Created::Same(first));
    }
    check_proposing(provider.approved, request.status)?;
    let mut times = FieldCheck::new();
    times.future("/deadline", new.deadline, now);
    times.future("/expiresAt", new.expires_at, now);
    times.finish().map_err(MarketError::Invalid)?;
    let proposal = Proposal {
        id: new_id(now),
        request_id: request.id,
        provider_id: provider.id,
        provider_name: provider.name,
        price: new.price,
        scope: new.scope,
        deadline: new.deadline,
        expires_at: new.expires_at,
        status: ProposalStatus::Pending,
        created_at: now,
    };
    tx.run_one(
        "INSERT INTO proposals (id, request_id, provider_id, price_amount, price_currency, scope, deadline, expires_at,
             created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            proposal.id.0,
            proposal.request_id.0,
            proposal.provider_id.0,
            proposal.price.amount_minor,
            proposal.price.currency.as_str(),
            proposal.scope,
            proposal.deadline.as_millis(),
            proposal.expires_at.as_millis(),
            now.as_millis()
        ],
    )?;
    tell(tx, &proposal, request.client_id, now)?;
    remember(tx, new.provider, new.idempotency.as_ref(), &proposal, now)?;
    Ok(Created::New(proposal))
}

/// Logs and publishes a new or moved proposal to the two whom it concerns.
pub(super) fn tell(tx: &mut Tx<'_>, proposal: &Proposal, client: UserId, now: Timestamp) -> Result<(), StoreError> {
    let to = vec![client, proposal.provider_id];
    tx.log(ChangeRow::of("proposal", proposal.id.0), &to, now)?;
    tx.publish(Committed::Proposal { proposal: proposal.clone(), to });
    Ok(())
}

pub(super) fn proposals(
    db: &Db<'_>,
    viewer: UserId,
    id: RequestId,
    page: PageRequest,
) -> Result<Page<Proposal>, MarketError> {
    let request = request(db, viewer, id)?;
    let condition = if request.client_id == viewer { "?2 IS NOT NULL" } else { "p.provider_id = ?2" };
    let sql = format!("{PROPOSAL} WHERE p.request_id = ?1 AND {condition}");
    Ok(page_of(db, &sql, "p.position", (id.0, viewer.0), page, proposal_of)?)
}

/// How a waiting proposal goes away without a project.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Reject,
    Withdraw,
}

pub(super) fn decide(
    tx: &mut Tx<'_>,
    caller: UserId,
    id: ProposalId,
    decision: Decision,
    now: Timestamp,
) -> Result<Proposal, MarketError> {
    let (mut proposal, request) = known_proposal(tx, caller, id)?;
    let (entitled, status) = match decision {
        Decision::Reject => (request.client_id, ProposalStatus::Rejected),
        Decision::Withdraw => (proposal.provider_id, ProposalStatus::Withdrawn),
    };
    if caller != entitled {
        return Err(MarketError::Forbidden);
    }
    check_pending(&proposal)?;
    set_status(tx, &mut proposal, status)?;
    tell(tx, &proposal, request.client_id, now)?;
    Ok(proposal)
}

/// The proposal with its request, if the caller is one of the two whom it concerns.
pub(super) fn known_proposal(db: &Db<'_>, caller: UserId, id: ProposalId) -> Result<(Proposal, Request), MarketError> {
    let proposal = find_proposal(db, id)?.ok_or(MarketError::NotFound)?;
    let request = find_request(db, proposal.request_id)?.ok_or(MarketError::NotFound)?;
    if caller == request.client_id || caller == proposal.provider_id {
        Ok((proposal, request))
    } else {
        Err(MarketError::NotFound)
    }
}

/// Moves a proposal that was seen PENDING in this transaction.
pub(super) fn set_status(tx: &Tx<'_>, proposal: &mut Proposal, status: ProposalStatus) -> Result<(), StoreError> {
    tx.run_one(
        "UPDATE proposals SET status = ?2 WHERE id = ?1 AND status = 'PENDING'",
        params![proposal.id.0, status.as_str()],
    )?;
    proposal.status = status;
    Ok(())
}

/// The other proposals for the same request that still wait.
pub(super) fn waiting_siblings(db: &Db<'_>, proposal: &Proposal) -> Result<Vec<Proposal>, StoreError> {
    db.all(
        &format!("{PROPOSAL} WHERE p.request_id = ?1 AND p.status = 'PENDING' AND p.id <> ?2 ORDER BY p.position"),
        (proposal.request_id.0, proposal.id.0),
        proposal_of,
    )
}
