//! Where a session survives a restart. The app supplies the place: a keyring, or a file where there is none.

use std::sync::{Mutex, PoisonError};

use parley_domain::User;
use serde::{Deserialize, Serialize};

use crate::ClientError;

/// Keeps one secret text.
///
/// The calls may block; the client makes them on threads where that is allowed.
pub trait SecretStore: Send + Sync + 'static {
    /// The secret, or `None` when there certainly is none.
    ///
    /// # Errors
    /// When it can't be known, as with a locked keyring: that isn't "signed out".
    fn load(&self) -> Result<Option<String>, SecretError>;

    /// Replaces the secret; it is durable when this returns.
    ///
    /// # Errors
    /// When it could not be kept.
    fn save(&self, secret: &str) -> Result<(), SecretError>;

    /// Forgets the secret.
    ///
    /// # Errors
    /// When it is possibly still there.
    fn clear(&self) -> Result<(), SecretError>;
}

/// The place of secrets can't be used now.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub String);

impl From<SecretError> for ClientError {
    fn from(error: SecretError) -> Self {
        Self::Storage(error.0)
    }
}

/// Keeps the secret only as long as the process lives.
#[derive(Default)]
pub struct MemorySecrets(Mutex<Option<String>>);

impl SecretStore for MemorySecrets {
    fn load(&self) -> Result<Option<String>, SecretError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn save(&self, secret: &str) -> Result<(), SecretError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(secret.to_owned());
        Ok(())
    }

    fn clear(&self) -> Result<(), SecretError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

/// What is kept of a session.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredSession {
    pub(crate) server: String,
    pub(crate) allow_plain_http: bool,
    pub(crate) user: User,
    pub(crate) refresh_token: String,
}
