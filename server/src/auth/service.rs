//! Accounts and sign-ins: may they, what changes.

use std::net::IpAddr;

use axum::http::StatusCode;
use parley_domain::{FieldCheck, Role, SessionId, User, UserId};
use parley_protocol::{
    Code,
    rest::{ChangePassword, Login, Register, SignedIn, UpdateMe},
};
use parley_store::{AccountChanges, NewAccount, NewSession, Rotation, Session};

use super::{
    caller::Caller,
    tokens::{Claims, RefreshToken},
};
use crate::{
    limits::Kind,
    problem::{Outcome, Refusal},
    state::AppState,
};

/// Makes an account and signs it in. Administrators are made on the command line only.
pub(crate) async fn register(app: &AppState, body: Register, from: Option<IpAddr>) -> Outcome<SignedIn> {
    app.limits.take_from(Kind::RegisterFrom, from)?;
    let mut check = FieldCheck::new();
    let email = check.email("/email", &body.email);
    check.password("/password", &body.password);
    let name = check.name("/name", &body.name);
    if body.role == Role::Admin {
        check.add("/role", "is client or provider");
    }
    check.finish()?;
    let password_hash = app.passwords.hash(body.password).await?;
    let account = NewAccount { email, password_hash, name, role: body.role, time_zone: None };
    let user = app.store.create_account(account, app.now()).await?;
    sign_in(app, user.id).await
}

/// Signs in. An unknown address and a wrong password look the same and take the same.
pub(crate) async fn login(app: &AppState, body: Login, from: Option<IpAddr>) -> Outcome<SignedIn> {
    let email = body.email.trim().to_lowercase();
    app.limits.take_sign_in(&email, from)?;
    let known = app.store.credentials_by_email(&email).await?;
    let (user, stored) = known.map(|known| (known.user, known.password_hash)).unzip();
    let fits = app.passwords.verify(body.password, stored).await?;
    match user {
        Some(user) if fits => {
            app.limits.signed_in(&email, from);
            sign_in(app, user.id).await
        }
        _ => Err(Refusal::new(Code::InvalidCredentials, "The address or the password is wrong.")),
    }
}

async fn sign_in(app: &AppState, user: UserId) -> Outcome<SignedIn> {
    let refresh = RefreshToken::generate()?;
    let expires_at = app.now() + app.config.timing.refresh_token;
    let session = NewSession { user, refresh: refresh.hash(), expires_at };
    let session = app.store.create_session(session, app.now()).await?;
    Ok(signed_in(app, session, &refresh))
}

fn signed_in(app: &AppState, session: Session, refresh: &RefreshToken) -> SignedIn {
    let lifetime = app.config.timing.access_token;
    let claims = Claims { session: session.id, user: session.user.id, expires_at: app.now() + lifetime };
    SignedIn {
        access_token: claims.sign(&app.secrets),
        refresh_token: refresh.expose(),
        expires_in: lifetime.as_secs(),
        user: session.user,
    }
}

/// Gives a new pair for a refresh token that was not used before, or was used a moment ago.
pub(crate) async fn refresh(app: &AppState, token: &str, from: Option<IpAddr>) -> Outcome<SignedIn> {
    app.limits.take_from(Kind::RefreshFrom, from)?;
    let presented = RefreshToken::parse(token)
        .ok_or_else(|| Refusal::new(Code::Unauthenticated, "This is no refresh token of this server."))?;
    let successor = presented.successor(&app.secrets);
    let rotation = Rotation {
        presented: presented.hash(),
        successor: successor.hash(),
        expires_at: app.now() + app.config.timing.refresh_token,
        grace: app.config.timing.refresh_grace,
    };
    let rotated = app.store.rotate_refresh(rotation, app.now()).await;
    if rotated.is_err() {
        app.sessions.forget();
    }
    let session = rotated?;
    Ok(signed_in(app, session, &successor))
}

/// Ends the caller's session.
pub(crate) async fn logout(app: &AppState, caller: &Caller) -> Outcome<()> {
    app.store.end_session(caller.session, app.now()).await?;
    app.sessions.forget();
    Ok(())
}

/// The session, unless it has ended.
pub(crate) async fn live_session(app: &AppState, session: SessionId) -> Outcome<Option<Session>> {
    Ok(app.sessions.get(app, session).await?)
}

/// Sets another password; the other sessions end.
pub(crate) async fn change_password(app: &AppState, caller: &Caller, body: ChangePassword) -> Outcome<()> {
    app.limits.take_for(Kind::Password, caller.id())?;
    let mut check = FieldCheck::new();
    check.password("/new", &body.new);
    check.finish()?;
    let stored = app.store.credentials(caller.id()).await?.map(|known| known.password_hash);
    if !app.passwords.verify(body.current, stored).await? {
        // 403 and not 401: the call was authenticated, and a client must not take this for a dead token.
        return Err(
            Refusal::new(Code::InvalidCredentials, "The current password is wrong.").with_status(StatusCode::FORBIDDEN)
        );
    }
    let password_hash = app.passwords.hash(body.new).await?;
    app.store.change_password(caller.id(), password_hash, Some(caller.session), app.now()).await?;
    app.sessions.forget();
    Ok(())
}

/// Changes the caller's own account.
pub(crate) async fn update_me(app: &AppState, caller: &Caller, body: UpdateMe) -> Outcome<User> {
    let mut check = FieldCheck::new();
    let name = body.name.map(|name| check.name("/name", &name));
    if let Some(Some(zone)) = &body.time_zone {
        check.time_zone("/timeZone", zone);
    }
    check.finish()?;
    let user = app.store.update_account(caller.id(), AccountChanges { name, time_zone: body.time_zone }).await?;
    app.sessions.forget();
    Ok(user)
}

/// Approves a provider or withdraws it.
pub(crate) async fn set_approval(app: &AppState, caller: &Caller, provider: UserId, approved: bool) -> Outcome<User> {
    caller.require(Role::Admin)?;
    let user = app.store.set_approval(provider, approved).await?;
    app.sessions.forget();
    Ok(user)
}
