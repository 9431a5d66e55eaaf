//! Accounts, sessions and secrets.

use parley_domain::{Role, SessionId, Timestamp, User, UserId};
use rusqlite::{Row, params};

use super::db::{Db, RowExt, Tx, json_ids, new_id};
use crate::{
    AccountChanges, AccountError, Committed, Contact, Credentials, NewAccount, NewSession, Rotation, Session,
    SessionError, StoreError, TokenHash,
};

const USER: &str = "SELECT id, email, name, role, approved, created_at, time_zone, password_hash FROM users u";

fn user_of(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.id("id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        role: row.word("role")?,
        approved: row.get("approved")?,
        created_at: row.at("created_at")?,
        time_zone: row.get("time_zone")?,
    })
}

fn credentials_of(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    Ok(Credentials { user: user_of(row)?, password_hash: row.get("password_hash")? })
}

pub(super) fn create_account(tx: &mut Tx<'_>, account: NewAccount, now: Timestamp) -> Result<User, AccountError> {
    let user = User {
        id: new_id(now),
        email: account.email,
        name: account.name,
        role: account.role,
        approved: account.role != Role::Provider,
        created_at: now,
        time_zone: account.time_zone,
    };
    let inserted = tx.run(
        "INSERT INTO users (id, email, password_hash, name, role, approved, time_zone, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (email) DO NOTHING",
        params![
            user.id.0,
            user.email,
            account.password_hash,
            user.name,
            user.role.as_str(),
            user.approved,
            user.time_zone,
            now.as_millis()
        ],
    )?;
    if inserted == 0 { Err(AccountError::EmailTaken) } else { Ok(user) }
}

pub(super) fn credentials_by_email(db: &Db<'_>, email: &str) -> Result<Option<Credentials>, StoreError> {
    db.one(&format!("{USER} WHERE email = ?1"), [email], credentials_of)
}

pub(super) fn credentials(db: &Db<'_>, user: UserId) -> Result<Option<Credentials>, StoreError> {
    db.one(&format!("{USER} WHERE id = ?1"), [user.0], credentials_of)
}

pub(super) fn user(db: &Db<'_>, user: UserId) -> Result<Option<User>, StoreError> {
    db.one(&format!("{USER} WHERE id = ?1"), [user.0], user_of)
}

pub(super) fn update_account(tx: &mut Tx<'_>, id: UserId, changes: AccountChanges) -> Result<User, AccountError> {
    let current = user(tx, id)?.ok_or(AccountError::NotFound)?;
    let name = changes.name.unwrap_or(current.name);
    let time_zone = changes.time_zone.unwrap_or(current.time_zone);
    tx.run_one("UPDATE users SET name = ?2, time_zone = ?3 WHERE id = ?1", params![id.0, name, time_zone])?;
    user(tx, id)?.ok_or(AccountError::NotFound)
}

pub(super) fn set_approval(tx: &mut Tx<'_>, provider: UserId, approved: bool) -> Result<User, AccountError> {
    let sql = "UPDATE users SET approved = ?2 WHERE id = ?1 AND role = 'provider'";
    if tx.run(sql, params![provider.0, approved])? == 0 {
        return Err(AccountError::NotFound);
    }
    user(tx, provider)?.ok_or(AccountError::NotFound)
}

pub(super) fn change_password(
    tx: &mut Tx<'_>,
    user: UserId,
    password_hash: &str,
    keep: Option<SessionId>,
    now: Timestamp,
) -> Result<Vec<SessionId>, AccountError> {
    if tx.run("UPDATE users SET password_hash = ?2 WHERE id = ?1", params![user.0, password_hash])? == 0 {
        return Err(AccountError::NotFound);
    }
    let ended = tx.all(
        "SELECT id FROM sessions WHERE user_id = ?1 AND ended_at IS NULL AND id IS NOT ?2",
        params![user.0, keep.map(|keep| keep.0)],
        |row| row.id("id"),
    )?;
    for session in &ended {
        mark_ended(tx, *session, now)?;
    }
    if !ended.is_empty() {
        tx.publish(Committed::SessionsEnded { user, sessions: ended.clone() });
    }
    Ok(ended)
}

pub(super) fn create_session(tx: &mut Tx<'_>, new: NewSession, now: Timestamp) -> Result<Session, AccountError> {
    let user = user(tx, new.user)?.ok_or(AccountError::NotFound)?;
    let id: SessionId = new_id(now);
    tx.run_one(
        "INSERT INTO sessions (id, user_id, created_at) VALUES (?1, ?2, ?3)",
        params![id.0, new.user.0, now.as_millis()],
    )?;
    insert_token(tx, id, &new.refresh, new.expires_at)?;
    Ok(Session { id, user })
}

fn insert_token(tx: &Tx<'_>, session: SessionId, hash: &TokenHash, expires_at: Timestamp) -> Result<(), StoreError> {
    tx.run_one(
        "INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES (?1, ?2, ?3)",
        params![hash, session.0, expires_at.as_millis()],
    )
}

pub(super) fn session(db: &Db<'_>, session: SessionId) -> Result<Option<Session>, StoreError> {
    let sql = "SELECT u.id, email, name, role, approved, u.created_at, time_zone FROM sessions s
               JOIN users u ON u.id = s.user_id WHERE s.id = ?1 AND s.ended_at IS NULL";
    db.one(sql, [session.0], |row| Ok(Session { id: session, user: user_of(row)? }))
}

pub(super) fn ended_sessions(db: &Db<'_>, sessions: &[SessionId]) -> Result<Vec<SessionId>, StoreError> {
    let sql = "SELECT id FROM sessions WHERE ended_at IS NULL AND id IN (SELECT unhex(value) FROM json_each(?1))";
    let live = db.all(sql, [json_ids(sessions.iter().map(|session| session.0))], |row| row.id::<SessionId>("id"))?;
    Ok(sessions.iter().copied().filter(|session| !live.contains(session)).collect())
}

struct Token {
    session: SessionId,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    successor: Option<TokenHash>,
}

/// The outer `Err` undoes the write; the inner one is committed, because ending a family is a write too.
pub(super) fn rotate_refresh(
    tx: &mut Tx<'_>,
    rotation: Rotation,
    now: Timestamp,
) -> Result<Result<Session, SessionError>, SessionError> {
    let token = tx
        .one(
            "SELECT session_id, expires_at, used_at, successor FROM refresh_tokens WHERE hash = ?1",
            [rotation.presented],
            |row| {
                Ok(Token {
                    session: row.id("session_id")?,
                    expires_at: row.at("expires_at")?,
                    used_at: row.opt_at("used_at")?,
                    successor: row.get("successor")?,
                })
            },
        )?
        .ok_or(SessionError::Unknown)?;
    let session = session(tx, token.session)?.ok_or(SessionError::Over)?;
    match token.used_at {
        None if token.expires_at <= now => Err(SessionError::Over),
        None => {
            tx.run_one(
                "UPDATE refresh_tokens SET used_at = ?2, successor = ?3 WHERE hash = ?1 AND used_at IS NULL",
                params![rotation.presented, now.as_millis(), rotation.successor],
            )?;
            insert_token(tx, session.id, &rotation.successor, rotation.expires_at)?;
            Ok(Ok(session))
        }
        Some(used_at)
            if token.successor == Some(rotation.successor) && now.saturating_since(used_at) <= rotation.grace =>
        {
            Ok(Ok(session))
        }
        Some(_) => {
            end_session(tx, session.id, now)?;
            Ok(Err(SessionError::Reused(session.id)))
        }
    }
}

pub(super) fn end_session(tx: &mut Tx<'_>, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
    let user = tx.one("SELECT user_id FROM sessions WHERE id = ?1 AND ended_at IS NULL", [session.0], |row| {
        row.id::<UserId>("user_id")
    })?;
    let Some(user) = user else { return Ok(()) };
    mark_ended(tx, session, now)?;
    tx.publish(Committed::SessionsEnded { user, sessions: vec![session] });
    Ok(())
}

fn mark_ended(tx: &Tx<'_>, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
    tx.run_one(
        "UPDATE sessions SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL",
        params![session.0, now.as_millis()],
    )
}

pub(super) fn contacts(db: &Db<'_>, user: UserId) -> Result<Vec<Contact>, StoreError> {
    db.all(
        "SELECT u.id, u.last_seen_at FROM users u WHERE u.id <> ?1 AND u.id IN (
             SELECT other.user_id FROM participants mine
             JOIN conversations c ON c.id = mine.conversation_id
             JOIN projects p ON p.id = c.project_id AND p.status = 'ACTIVE'
             JOIN participants other ON other.conversation_id = c.id
             WHERE mine.user_id = ?1)
         ORDER BY u.position",
        [user.0],
        |row| Ok(Contact { user_id: row.id("id")?, last_seen_at: row.opt_at("last_seen_at")? }),
    )
}

pub(super) fn set_last_seen(tx: &mut Tx<'_>, user: UserId, at: Timestamp) -> Result<(), StoreError> {
    tx.run("UPDATE users SET last_seen_at = ?2 WHERE id = ?1", params![user.0, at.as_millis()]).map(drop)
}

pub(super) fn secret(tx: &mut Tx<'_>, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
    tx.run("INSERT OR IGNORE INTO secrets (name, value) VALUES (?1, ?2)", params![name, candidate])?;
    tx.one("SELECT value FROM secrets WHERE name = ?1", [name], |row| row.get(0))?
        .ok_or_else(|| StoreError::Internal("a secret was not kept".into()))
}
