//! From proposal to project, and the project's end.

use parley_domain::{
    AcceptanceContext, ConversationId, MeetingClosing, Project, ProjectId, ProjectStatus, Proposal, ProposalId,
    ProposalStatus, Request, RequestStatus, Timestamp, UserId, check_acceptance, terms_hash,
};
use rusqlite::params;

use super::{
    accounts, conversations,
    db::{ChangeRow, Tx, new_id},
    market, meetings, projects,
};
use crate::{Acceptance, ClosedProject, Committed, ConversationKey, MarketError, ProjectClosing, StoreError};

pub(super) fn accept_proposal(
    tx: &mut Tx<'_>,
    client: UserId,
    id: ProposalId,
    now: Timestamp,
) -> Result<Acceptance, MarketError> {
    let (mut accepted, mut request) = market::known_proposal(tx, client, id)?;
    if client != request.client_id {
        return Err(MarketError::Forbidden);
    }
    let provider = accounts::user(tx, accepted.provider_id)?.ok_or(MarketError::NotFound)?;
    let context = AcceptanceContext { provider_approved: provider.approved, request: request.status, now };
    check_acceptance(&accepted, context)?;

    let mut rejected = market::waiting_siblings(tx, &accepted)?;
    market::set_status(tx, &mut accepted, ProposalStatus::Accepted)?;
    for sibling in &mut rejected {
        market::set_status(tx, sibling, ProposalStatus::Rejected)?;
    }
    tx.run_one("UPDATE requests SET status = 'CONVERTED' WHERE id = ?1 AND status = 'OPEN'", [request.id.0])?;
    request.status = RequestStatus::Converted;

    let project = agreed(&request, &accepted, now);
    insert_project(tx, &project)?;
    for proposal in rejected.iter().chain([&accepted]) {
        market::tell(tx, proposal, client, now)?;
    }
    let to = projects::people(&project);
    let activity = tx.log(ChangeRow::of("project", project.id.0), &to, now)?;
    insert_conversation(tx, &project, &to, activity)?;
    tx.publish(Committed::Project { project: project.clone(), to });
    let conversation = conversations::conversation(tx, client, ConversationKey::Project(project.id))
        .map_err(|error| StoreError::Internal(error.to_string()))?;
    Ok(Acceptance { project, conversation, request, accepted, rejected })
}

/// The project that a proposal becomes: its terms are copied here and never again.
fn agreed(request: &Request, proposal: &Proposal, now: Timestamp) -> Project {
    let mut project = Project {
        id: new_id(now),
        request_id: request.id,
        proposal_id: proposal.id,
        client_id: request.client_id,
        provider_ids: vec![proposal.provider_id],
        title: request.title.clone(),
        price: proposal.price,
        scope: proposal.scope.clone(),
        deadline: proposal.deadline,
        terms_hash: String::new(),
        status: ProjectStatus::Active,
        conversation_id: new_id(now),
        created_at: now,
    };
    project.terms_hash = terms_hash(&project);
    project
}

fn insert_project(tx: &Tx<'_>, project: &Project) -> Result<(), StoreError> {
    tx.run_one(
        "INSERT INTO projects (id, request_id, proposal_id, client_id, title, price_amount, price_currency, scope,
             deadline, terms_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            project.id.0,
            project.request_id.0,
            project.proposal_id.0,
            project.client_id.0,
            project.title,
            project.price.amount_minor,
            project.price.currency.as_str(),
            project.scope,
            project.deadline.as_millis(),
            project.terms_hash,
            project.created_at.as_millis()
        ],
    )?;
    for (place, provider) in (0_i64..).zip(&project.provider_ids) {
        tx.run_one(
            "INSERT INTO project_providers (project_id, place, user_id) VALUES (?1, ?2, ?3)",
            params![project.id.0, place, provider.0],
        )?;
    }
    Ok(())
}

fn insert_conversation(tx: &Tx<'_>, project: &Project, people: &[UserId], activity: i64) -> Result<(), StoreError> {
    let id: ConversationId = project.conversation_id;
    tx.run_one(
        "INSERT INTO conversations (id, project_id, activity, updated_at) VALUES (?1, ?2, ?3, ?4)",
        params![id.0, project.id.0, activity, project.created_at.as_millis()],
    )?;
    for (place, user) in (0_i64..).zip(people) {
        tx.run_one(
            "INSERT INTO participants (conversation_id, user_id, place) VALUES (?1, ?2, ?3)",
            params![id.0, user.0, place],
        )?;
    }
    Ok(())
}

pub(super) fn close_project(
    tx: &mut Tx<'_>,
    client: UserId,
    id: ProjectId,
    closing: ProjectClosing,
    now: Timestamp,
) -> Result<ClosedProject, MarketError> {
    let mut project = projects::project(tx, client, id)?;
    if project.client_id != client {
        return Err(MarketError::Forbidden);
    }
    if project.status != ProjectStatus::Active {
        return Err(MarketError::ProjectNotActive(project.status));
    }
    project.status = match closing {
        ProjectClosing::Complete => ProjectStatus::Completed,
        ProjectClosing::Cancel => ProjectStatus::Cancelled,
    };
    tx.run_one(
        "UPDATE projects SET status = ?2 WHERE id = ?1 AND status = 'ACTIVE'",
        params![id.0, project.status.as_str()],
    )?;
    let unfinished = meetings::unfinished_of(tx, id)?;
    let closed = meetings::end(tx, unfinished, MeetingClosing::ProjectClosed, now)?;
    let to = projects::people(&project);
    tx.log(ChangeRow::of("project", id.0), &to, now)?;
    tx.publish(Committed::Project { project: project.clone(), to });
    Ok(ClosedProject { project, meetings: closed })
}
