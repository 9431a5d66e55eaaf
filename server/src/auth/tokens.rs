//! Access and refresh tokens.
//!
//! An access token says which session, whose, and until when, under the server's keyed hash; whether the session still
//! lives is asked of the store each time, so that signing out works at once. A refresh token is random; only its hash
//! is stored. Its successor is derived from it with the server's key, so that a repeated refresh (the answer was lost)
//! gives the same successor without any token being kept.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parley_domain::{SessionId, Timestamp, UserId};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{
    problem::{Outcome, Refusal},
    secrets::Secrets,
};

const VERSION: u8 = 1;
const CLAIMS_BYTES: usize = 1 + 16 + 16 + 8;
const TOKEN_BYTES: usize = CLAIMS_BYTES + 32;

/// What an access token says, after its signature was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) session: SessionId,
    pub(crate) user: UserId,
    pub(crate) expires_at: Timestamp,
}

impl Claims {
    /// The token's text.
    pub(crate) fn sign(&self, secrets: &Secrets) -> String {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(self.session.0.as_bytes());
        bytes.extend_from_slice(self.user.0.as_bytes());
        bytes.extend_from_slice(&self.expires_at.as_millis().to_be_bytes());
        let mac = secrets.mac("access", &[&bytes]);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token's text; `None` unless this server signed exactly that. Says nothing about its time.
    pub(crate) fn verify(token: &str, secrets: &Secrets) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let bytes: [u8; TOKEN_BYTES] = bytes.try_into().ok()?;
        let (claims, mac) = bytes.split_at(CLAIMS_BYTES);
        let is_ours: bool = secrets.mac("access", &[claims]).ct_eq(mac).into();
        if !is_ours || claims[0] != VERSION {
            return None;
        }
        Some(Self {
            session: SessionId(Uuid::from_slice(&claims[1..17]).ok()?),
            user: UserId(Uuid::from_slice(&claims[17..33]).ok()?),
            expires_at: Timestamp::from_millis(i64::from_be_bytes(claims[33..41].try_into().ok()?)),
        })
    }
}

/// A refresh token's text. No `Debug`, so that it can't reach a log.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken([u8; 32]);

impl RefreshToken {
    /// A new family's first token.
    pub(crate) fn generate() -> Outcome<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Refusal::internal(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// Reads the text; `None` if it can't be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The one that follows it.
    pub(crate) fn successor(&self, secrets: &Secrets) -> Self {
        Self(secrets.mac("refresh", &[&self.0]))
    }

    /// What the store keeps.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The text for the client.
    pub(crate) fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn secrets() -> (tempfile::TempDir, Secrets) {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::load(&Config::new(dir.path())).unwrap();
        (dir, secrets)
    }

    #[test]
    fn every_changed_character_spoils_the_token() {
        let (_dir, secrets) = secrets();
        let claims = Claims {
            session: SessionId(Uuid::from_u128(1)),
            user: UserId(Uuid::from_u128(2)),
            expires_at: Timestamp::from_millis(1_800_000_000_123),
        };
        let token = claims.sign(&secrets);
        assert_eq!(Claims::verify(&token, &secrets), Some(claims));
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(Claims::verify(std::str::from_utf8(&changed).unwrap(), &secrets), None, "at {index}");
        }
        for bad in ["", "A", "....", &token[1..]] {
            assert_eq!(Claims::verify(bad, &secrets), None);
        }
    }

    #[test]
    fn another_servers_token_is_a_strangers() {
        let (_a, ours) = secrets();
        let (_b, theirs) = secrets();
        let claims = Claims {
            session: SessionId(Uuid::from_u128(1)),
            user: UserId(Uuid::from_u128(2)),
            expires_at: Timestamp::from_millis(0),
        };
        assert_eq!(Claims::verify(&claims.sign(&theirs), &ours), None);
    }

    #[test]
    fn a_successor_is_the_same_each_time_and_not_its_predecessor() {
        let (_dir, secrets) = secrets();
        let first = RefreshToken::generate().unwrap();
        let again = RefreshToken::parse(&first.expose()).unwrap();
        assert!(first.successor(&secrets) == again.successor(&secrets));
        assert!(first.successor(&secrets) != first);
        assert_ne!(first.hash(), first.successor(&secrets).hash());
    }
}
