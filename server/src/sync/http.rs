//! The route of the change log.

use axum::{Json, Router, extract::State, routing::get};
use parley_protocol::rest::SyncPage;

use super::service;
use crate::{auth::caller::Caller, extract::Query, problem::Outcome, state::AppState};

pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/sync", get(changes))
}

async fn changes(State(app): State<AppState>, caller: Caller, query: Query) -> Outcome<Json<SyncPage>> {
    service::changes(&app, &caller, query.text("since"), query.limit()?).await.map(Json)
}
