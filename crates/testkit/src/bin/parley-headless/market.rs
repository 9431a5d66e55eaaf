//! The offer that is accepted: the demo's, or when that was accepted before a new one.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use parley_client::{Clock, SystemClock};
use parley_domain::{Currency, Money, Project, Proposal, ProposalStatus, RequestStatus, UserId};
use parley_protocol::rest::{NewProposal, NewRequest};
use parley_testkit::Caller;

use crate::{partner::Partner, talk::Ask};

const DAY: Duration = Duration::from_secs(86_400);

/// The client accepts; the provider hears of the project and sees the same locked terms.
pub(crate) async fn accept_offer(client: &Caller, partner: &mut Partner, provider: UserId) -> Result<(Project, bool)> {
    let (proposal, is_new) = match pending_offer(client, provider).await? {
        Some(proposal) => (proposal, false),
        None => (new_offer(client, partner).await?, true),
    };
    let accepted = client.client.accept_proposal(proposal.id).await.context("the offer can't be accepted")?.project;
    let terms = |price: Money, scope: &str, deadline| (price, scope.to_owned(), deadline);
    ensure!(
        terms(accepted.price, &accepted.scope, accepted.deadline)
            == terms(proposal.price, &proposal.scope, proposal.deadline),
        "the project's terms are not those of the offer"
    );
    let heard: Project = partner.ask(Ask::HearProject { project: accepted.id }).await?;
    ensure!(heard.terms_hash == accepted.terms_hash, "the two sides see different terms");
    ensure!(heard.terms_hash == parley_domain::terms::terms_hash(&accepted), "the terms' hash does not prove them");
    Ok((accepted, is_new))
}

async fn pending_offer(client: &Caller, provider: UserId) -> Result<Option<Proposal>> {
    let now = SystemClock.now();
    for request in client.client.rest().requests().await? {
        if request.status != RequestStatus::Open {
            continue;
        }
        for proposal in client.client.rest().proposals(request.id).await? {
            let is_open = proposal.status == ProposalStatus::Pending && proposal.expires_at > now;
            if is_open && proposal.provider_id == provider {
                return Ok(Some(proposal));
            }
        }
    }
    Ok(None)
}

async fn new_offer(client: &Caller, partner: &mut Partner) -> Result<Proposal> {
    let now = SystemClock.now();
    let price = Money { amount_minor: 125_000, currency: "USD".parse::<Currency>()? };
    let request = NewRequest {
        title: "Product film, one minute".to_owned(),
        description: "A film of one minute that shows the product in use, with captions.".to_owned(),
        budget: Some(price),
        deadline: Some(now + DAY * 30),
    };
    let request = client.client.rest().create_request(&request).await.context("the request can't be made")?;
    let proposal = NewProposal {
        price,
        scope: "Script, one day of filming, cut, captions in two languages.".to_owned(),
        deadline: now + DAY * 21,
        expires_at: now + DAY * 7,
    };
    partner.ask(Ask::Propose { request: request.id, proposal }).await
}
