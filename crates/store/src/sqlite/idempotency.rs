//! `Idempotency-Key`: the first answer, again, for 24 hours.

use std::time::Duration;

use parley_domain::{Timestamp, UserId};
use rusqlite::params;
use serde::{Serialize, de::DeserializeOwned};

use super::db::Tx;
use crate::{Idempotency, KeyReused, StoreError};

/// By the contract; the sweep may come later, so that the age is checked here too.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The answer that this key got before.
pub(super) fn recall<T: DeserializeOwned, E: From<StoreError> + From<KeyReused>>(
    tx: &Tx<'_>,
    user: UserId,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Option<T>, E> {
    let Some(Idempotency { key, fingerprint }) = idempotency else { return Ok(None) };
    let found = tx.one(
        "SELECT fingerprint, answer FROM idempotency_keys WHERE user_id = ?1 AND key = ?2 AND created_at > ?3",
        params![user.0, key, (now - LIFE).as_millis()],
        |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, String>(1)?)),
    )?;
    match found {
        None => Ok(None),
        Some((first, _)) if first != *fingerprint => Err(KeyReused.into()),
        Some((_, answer)) => {
            serde_json::from_str(&answer).map(Some).map_err(|error| StoreError::Corrupt(error.to_string()).into())
        }
    }
}

/// Keeps the answer for the next time.
pub(super) fn remember<T: Serialize>(
    tx: &Tx<'_>,
    user: UserId,
    idempotency: Option<&Idempotency>,
    answer: &T,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(Idempotency { key, fingerprint }) = idempotency else { return Ok(()) };
    let answer = serde_json::to_string(answer).map_err(|error| StoreError::Internal(error.to_string()))?;
    tx.run_one(
        "INSERT OR REPLACE INTO idempotency_keys (user_id, key, fingerprint, answer, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![user.0, key, fingerprint, answer, now.as_millis()],
    )
}
