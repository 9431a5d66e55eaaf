//! What came to be when a proposal was accepted.

use parley_domain::{Project, ProjectId};
use parley_store::{Page, PageRequest, ProjectClosing};

use crate::{auth::caller::Caller, problem::Outcome, state::AppState};

/// The caller's projects.
pub(crate) async fn list(app: &AppState, caller: &Caller, page: PageRequest) -> Outcome<Page<Project>> {
    Ok(app.store.projects(caller.id(), page).await?)
}

/// One project of the caller's.
pub(crate) async fn get(app: &AppState, caller: &Caller, project: ProjectId) -> Outcome<Project> {
    Ok(app.store.project(caller.id(), project).await?)
}

/// Closes a project, and with it what hangs on it; the client only.
pub(crate) async fn close(
    app: &AppState,
    caller: &Caller,
    project: ProjectId,
    closing: ProjectClosing,
) -> Outcome<Project> {
    Ok(app.store.close_project(caller.id(), project, closing, app.now()).await?.project)
}
