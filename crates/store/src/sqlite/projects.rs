//! Projects as their people see them.

use std::collections::HashMap;

use parley_domain::{Project, ProjectId, UserId};
use rusqlite::Row;
use uuid::Uuid;

use super::{
    db::{Db, RowExt},
    lists::{by_id, page_of},
};
use crate::{MarketError, Page, PageRequest, StoreError};

/// The providers come as their ids strung together, in their order: one statement for a whole page.
const PROJECT: &str = "SELECT p.position, p.id, p.request_id, p.proposal_id, p.client_id, p.title, p.price_amount,
    p.price_currency, p.scope, p.deadline, p.terms_hash, p.status, p.created_at, c.id AS conversation_id,
    (SELECT group_concat(hex(user_id), '' ORDER BY place) FROM project_providers WHERE project_id = p.id) AS providers
    FROM projects p JOIN conversations c ON c.project_id = p.id";

fn project_of(row: &Row<'_>) -> rusqlite::Result<Project> {
    let providers: String = row.get("providers")?;
    let provider_ids = providers.as_bytes().chunks(32).filter_map(|hex| Uuid::try_parse_ascii(hex).ok()).map(UserId);
    Ok(Project {
        id: row.id("id")?,
        request_id: row.id("request_id")?,
        proposal_id: row.id("proposal_id")?,
        client_id: row.id("client_id")?,
        provider_ids: provider_ids.collect(),
        title: row.get("title")?,
        price: row.money("price_amount", "price_currency")?,
        scope: row.get("scope")?,
        deadline: row.at("deadline")?,
        terms_hash: row.get("terms_hash")?,
        status: row.word("status")?,
        conversation_id: row.id("conversation_id")?,
        created_at: row.at("created_at")?,
    })
}

/// Client first, then the providers in their order.
pub(super) fn people(project: &Project) -> Vec<UserId> {
    std::iter::once(project.client_id).chain(project.provider_ids.iter().copied()).collect()
}

pub(super) fn projects(db: &Db<'_>, viewer: UserId, page: PageRequest) -> Result<Page<Project>, StoreError> {
    // Which ones first, then what is in them: the terms of rows that fall off the page are not sorted along.
    let sql = format!(
        "{PROJECT} WHERE p.position IN (
             SELECT inner_p.position FROM participants pt JOIN conversations inner_c ON inner_c.id = pt.conversation_id
             JOIN projects inner_p ON inner_p.id = inner_c.project_id
             WHERE pt.user_id = ?1 AND inner_p.position < ?2 ORDER BY inner_p.position DESC LIMIT ?3)"
    );
    page_of(db, &sql, "p.position", viewer.0, page, project_of)
}

pub(super) fn project(db: &Db<'_>, viewer: UserId, id: ProjectId) -> Result<Project, MarketError> {
    let is_in = "EXISTS (SELECT 1 FROM participants pt WHERE pt.conversation_id = c.id AND pt.user_id = ?1)";
    db.one(&format!("{PROJECT} WHERE p.id = ?2 AND {is_in}"), (viewer.0, id.0), project_of)?
        .ok_or(MarketError::NotFound)
}

/// The project itself, whoever asks.
pub(super) fn find_project(db: &Db<'_>, id: ProjectId) -> Result<Option<Project>, StoreError> {
    db.one(&format!("{PROJECT} WHERE p.id = ?1"), [id.0], project_of)
}

/// Those of these projects that are there, whoever asks.
pub(super) fn find_projects(db: &Db<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Project>, StoreError> {
    by_id(db, &format!("{PROJECT} WHERE p.id"), ids, project_of)
}

/// Every project that is whole enough to be read.
pub(super) fn all_projects(db: &Db<'_>) -> Result<Vec<Project>, StoreError> {
    let sql = format!("{PROJECT} WHERE p.id IN (SELECT project_id FROM project_providers) ORDER BY p.position");
    db.all(&sql, (), project_of)
}
