//! The route of the change log.

use axum::{Json, extract::State};
use parley_protocol::rest::SyncPage;

use utoipa_axum::routes;

use super::service;
use crate::{
    auth::caller::Caller,
    extract::Query,
    openapi::{Limit, Routes},
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Routes {
    Routes::of([routes!(changes)])
}

/// What concerns me since a cursor, in commit order; without one, the cursor of now.
#[utoipa::path(
    get, path = "/sync", operation_id = "sync", tag = "sync",
    params(Limit, ("since" = Option<String>, Query, description = "The `nextCursor` of the answer before.")),
    responses(
        (status = 200, body = SyncPage),
        (status = 410, description = "`SYNC_TOO_OLD`: start anew.")
    )
)]
async fn changes(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<SyncPage>> {
    service::changes(&app, &caller, query.text("since"), query.limit()?).await.map(Json)
}
