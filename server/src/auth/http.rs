//! The routes of accounts.

use axum::{Json, extract::State, http::StatusCode};
use parley_domain::{User, UserId};
use parley_protocol::rest::{Approval, ChangePassword, Login, Refresh, Register, SignedIn, UpdateMe};
use utoipa_axum::routes;

use super::{
    caller::{Caller, ClientAddress},
    service,
};
use crate::{
    extract::{Body, Id},
    openapi::Routes,
    problem::Outcome,
    state::AppState,
};

/// The longest password, written in escapes, and what else belongs to it: strangers may send no more.
const MAX_BODY_BYTES: usize = 16 * 1024;

pub(crate) fn routes() -> Routes {
    Routes::of([
        routes!(register),
        routes!(login),
        routes!(refresh),
        routes!(logout),
        routes!(change_password),
        routes!(me, update_me),
        routes!(set_approval),
    ])
    .with_bodies_up_to(MAX_BODY_BYTES)
}

/// Make an account and sign in. A provider starts unapproved.
#[utoipa::path(
    post, path = "/auth/register", operation_id = "register", tag = "accounts",
    security(()),
    request_body = Register,
    responses(
        (status = 201, body = SignedIn),
        (status = 409, description = "`EMAIL_TAKEN`."),
        (status = 429, description = "`RATE_LIMITED`.")
    )
)]
async fn register(
    State(app): State<AppState>,
    ClientAddress(from): ClientAddress,
    Body(body): Body<Register>,
) -> Outcome<(StatusCode, Json<SignedIn>)> {
    Ok((StatusCode::CREATED, Json(service::register(&app, body, from).await?)))
}

/// Sign in.
#[utoipa::path(
    post, path = "/auth/login", operation_id = "login", tag = "accounts",
    security(()),
    request_body = Login,
    responses(
        (status = 200, body = SignedIn),
        (status = 401, description = "`INVALID_CREDENTIALS`, whether the address or the password is wrong."),
        (status = 429, description = "`RATE_LIMITED`, for the account or the network address.")
    )
)]
async fn login(
    State(app): State<AppState>,
    ClientAddress(from): ClientAddress,
    Body(body): Body<Login>,
) -> Outcome<Json<SignedIn>> {
    service::login(&app, body, from).await.map(Json)
}

/// Take the next pair of tokens.
///
/// A refresh token works once. Repeated within 30 s it gives the same successor; later its reuse ends the sign-in.
#[utoipa::path(
    post, path = "/auth/refresh", operation_id = "refresh", tag = "accounts",
    security(()),
    request_body = Refresh,
    responses(
        (status = 200, body = SignedIn),
        (status = 401, description = "`UNAUTHENTICATED`: unknown, spent or ended."),
        (status = 429, description = "`RATE_LIMITED`.")
    )
)]
async fn refresh(
    State(app): State<AppState>,
    ClientAddress(from): ClientAddress,
    Body(body): Body<Refresh>,
) -> Outcome<Json<SignedIn>> {
    service::refresh(&app, &body.refresh_token, from).await.map(Json)
}

/// End this sign-in: its tokens stop working, its sockets are closed.
#[utoipa::path(
    post, path = "/auth/logout", operation_id = "logout", tag = "accounts",
    responses((status = 204))
)]
async fn logout(State(app): State<AppState>, caller: Caller) -> Outcome<StatusCode> {
    service::logout(&app, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set another password; the other sign-ins end.
#[utoipa::path(
    post, path = "/auth/password", operation_id = "changePassword", tag = "accounts",
    request_body = ChangePassword,
    responses(
        (status = 204),
        (status = 403, description = "`INVALID_CREDENTIALS`: the current password is wrong.")
    )
)]
async fn change_password(
    State(app): State<AppState>,
    caller: Caller,
    Body(body): Body<ChangePassword>,
) -> Outcome<StatusCode> {
    service::change_password(&app, &caller, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who I am.
#[utoipa::path(
    get, path = "/users/me", operation_id = "getMe", tag = "accounts",
    responses((status = 200, body = User))
)]
async fn me(caller: Caller) -> Json<User> {
    Json(caller.user)
}

/// Change my name or time zone.
#[utoipa::path(
    patch, path = "/users/me", operation_id = "updateMe", tag = "accounts",
    request_body = UpdateMe,
    responses((status = 200, body = User))
)]
async fn update_me(State(app): State<AppState>, caller: Caller, Body(body): Body<UpdateMe>) -> Outcome<Json<User>> {
    service::update_me(&app, &caller, body).await.map(Json)
}

/// Approve a provider, or withdraw the approval. Administrators only.
#[utoipa::path(
    patch, path = "/admin/providers/{id}/approval", operation_id = "setApproval", tag = "accounts",
    params(("id" = UserId, Path)),
    request_body = Approval,
    responses(
        (status = 200, body = User),
        (status = 403, description = "`FORBIDDEN`: for administrators."),
        (status = 404, description = "`NOT_FOUND`: no such provider.")
    )
)]
async fn set_approval(
    State(app): State<AppState>,
    caller: Caller,
    Id(provider): Id<UserId>,
    Body(body): Body<Approval>,
) -> Outcome<Json<User>> {
    service::set_approval(&app, &caller, provider, body.approved).await.map(Json)
}
