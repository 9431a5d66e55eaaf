//! Filling a database: the demo marketplace and the pairs of a load test. Both may be run again and beside a server.

use parley_domain::{
    Currency, Money, Project, Proposal, ProposalId, ProposalStatus, Request, RequestStatus, Role, Timestamp, User,
    UserId,
};
use parley_store::{AccountError, NewAccount, NewProposal, NewRequest, PageRequest};
use serde::Serialize;

use crate::AppState;

mod bench;
mod demo;
mod story;
#[cfg(test)]
mod tests;

pub use bench::bench;
pub use demo::demo;

/// A seeded account, as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeededUser {
    /// Address to sign in with.
    pub email: String,
    /// In the clear: these accounts are for trying things out.
    pub password: String,
}

/// An account of the demo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoAccount {
    /// How to sign in.
    #[serde(flatten)]
    pub sign_in: SeededUser,
    /// Shown name.
    pub name: String,
    /// Client or provider.
    pub role: Role,
}

/// What `seed demo` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Demo {
    /// The accounts.
    pub accounts: Vec<DemoAccount>,
}

/// What `seed bench` prints: conversation c belongs to users 2c and 2c+1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bench {
    /// Two people a pair.
    pub users: Vec<SeededUser>,
    /// One conversation a pair.
    pub conversations: Vec<parley_domain::ConversationId>,
}

struct Person {
    email: String,
    name: &'static str,
    role: Role,
    time_zone: Option<&'static str>,
}

/// The account with that address, made if it is not there.
async fn ensure_account(app: &AppState, person: &Person, hash: &str, at: Timestamp) -> anyhow::Result<User> {
    let user = match app.store.credentials_by_email(&person.email).await? {
        Some(known) => known.user,
        None => create_account(app, person, hash, at).await?,
    };
    // Also one that was there before: an earlier run may have ended between the two.
    if person.role == Role::Provider && user.role == Role::Provider && !user.approved {
        return Ok(app.store.set_approval(user.id, true).await?);
    }
    Ok(user)
}

async fn create_account(app: &AppState, person: &Person, hash: &str, at: Timestamp) -> anyhow::Result<User> {
    let account = NewAccount {
        email: person.email.clone(),
        password_hash: hash.to_owned(),
        name: person.name.to_owned(),
        role: person.role,
        time_zone: person.time_zone.map(str::to_owned),
    };
    match app.store.create_account(account, at).await {
        Ok(user) => Ok(user),
        Err(AccountError::EmailTaken) => {
            let known = app.store.credentials_by_email(&person.email).await?;
            Ok(known.map(|known| known.user).ok_or(AccountError::NotFound)?)
        }
        Err(error) => Err(error.into()),
    }
}

struct Wish<'a> {
    title: &'a str,
    description: &'a str,
    budget: Option<Money>,
    deadline: Option<Timestamp>,
    at: Timestamp,
}

/// The client's request of that title, made if there is none.
async fn ensure_request(app: &AppState, client: UserId, wish: &Wish<'_>) -> anyhow::Result<Request> {
    let mut page = PageRequest::first(100);
    loop {
        let found = app.store.requests(client, page).await?;
        if let Some(request) = found.items.into_iter().find(|request| request.title == wish.title) {
            return Ok(request);
        }
        match found.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    let request = NewRequest {
        client,
        title: wish.title.to_owned(),
        description: wish.description.to_owned(),
        budget: wish.budget,
        deadline: wish.deadline,
        idempotency: None,
    };
    Ok(app.store.create_request(request, wish.at).await?.into_inner())
}

struct Offer<'a> {
    price: Money,
    scope: &'a str,
    deadline: Timestamp,
    expires_at: Timestamp,
    at: Timestamp,
}

/// The provider's proposal for a request, made if the request is open and there is none.
async fn ensure_proposal(
    app: &AppState,
    provider: UserId,
    request: &Request,
    offer: &Offer<'_>,
) -> anyhow::Result<Option<Proposal>> {
    let found = app.store.proposals(provider, request.id, PageRequest::first(100)).await;
    if let Some(proposal) = found.ok().and_then(|page| page.items.into_iter().next()) {
        return Ok(Some(proposal));
    }
    if request.status != RequestStatus::Open {
        return Ok(None);
    }
    let proposal = NewProposal {
        provider,
        request: request.id,
        price: offer.price,
        scope: offer.scope.to_owned(),
        deadline: offer.deadline,
        expires_at: offer.expires_at,
        idempotency: None,
    };
    Ok(Some(app.store.create_proposal(proposal, offer.at).await?.into_inner()))
}

/// The project of a proposal, accepted if it waits.
async fn ensure_project(
    app: &AppState,
    client: UserId,
    proposal: &Proposal,
    at: Timestamp,
) -> anyhow::Result<Option<Project>> {
    if proposal.status == ProposalStatus::Pending {
        return Ok(Some(app.store.accept_proposal(client, proposal.id, at).await?.project));
    }
    find_project(app, client, proposal.id).await
}

async fn find_project(app: &AppState, client: UserId, proposal: ProposalId) -> anyhow::Result<Option<Project>> {
    let mut page = PageRequest::first(100);
    loop {
        let found = app.store.projects(client, page).await?;
        if let Some(project) = found.items.into_iter().find(|project| project.proposal_id == proposal) {
            return Ok(Some(project));
        }
        match found.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(None),
        }
    }
}

fn money(amount_minor: i64, currency: &str) -> anyhow::Result<Money> {
    Ok(Money { amount_minor, currency: currency.parse::<Currency>()? })
}
