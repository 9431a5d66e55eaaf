//! The routes of accounts.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, patch, post},
};
use parley_domain::{User, UserId};
use parley_protocol::rest::{Approval, ChangePassword, Login, Refresh, Register, SignedIn, UpdateMe};

use super::{
    caller::{Caller, ClientAddress},
    service,
};
use crate::{
    extract::{Body, Id},
    problem::Outcome,
    state::AppState,
};

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/register", post(register))
        .route("/auth/login", post(login))
        .route("/auth/refresh", post(refresh))
        .route("/auth/logout", post(logout))
        .route("/auth/password", post(change_password))
        .route("/users/me", get(me).patch(update_me))
        .route("/admin/providers/{id}/approval", patch(set_approval))
}

async fn register(
    State(app): State<AppState>,
    ClientAddress(from): ClientAddress,
    Body(body): Body<Register>,
) -> Outcome<(StatusCode, Json<SignedIn>)> {
    Ok((StatusCode::CREATED, Json(service::register(&app, body, from).await?)))
}

async fn login(
    State(app): State<AppState>,
    ClientAddress(from): ClientAddress,
    Body(body): Body<Login>,
) -> Outcome<Json<SignedIn>> {
    service::login(&app, body, from).await.map(Json)
}

async fn refresh(
    State(app): State<AppState>,
    ClientAddress(from): ClientAddress,
    Body(body): Body<Refresh>,
) -> Outcome<Json<SignedIn>> {
    service::refresh(&app, &body.refresh_token, from).await.map(Json)
}

async fn logout(State(app): State<AppState>, caller: Caller) -> Outcome<StatusCode> {
    service::logout(&app, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change_password(
    State(app): State<AppState>,
    caller: Caller,
    Body(body): Body<ChangePassword>,
) -> Outcome<StatusCode> {
    service::change_password(&app, &caller, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn me(caller: Caller) -> Json<User> {
    Json(caller.user)
}

async fn update_me(State(app): State<AppState>, caller: Caller, Body(body): Body<UpdateMe>) -> Outcome<Json<User>> {
    service::update_me(&app, &caller, body).await.map(Json)
}

async fn set_approval(
    State(app): State<AppState>,
    caller: Caller,
    Id(provider): Id<UserId>,
    Body(body): Body<Approval>,
) -> Outcome<Json<User>> {
    service::set_approval(&app, &caller, provider, body.approved).await.map(Json)
}
