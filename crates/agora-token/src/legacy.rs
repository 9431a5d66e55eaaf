//! Reading the older `006…` tokens, so that what an existing backend still hands out can be understood.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    AppCertificate, AppId, Privileges, TokenError,
    names::Account,
    wire::{MAX_TEXT_BYTES, Reader, SIGNATURE_BYTES, hmac_matches},
};

const VERSION: &str = "006";
const APP_ID_CHARS: usize = 32;

/// A `006…` token. Channel and uid are in it only as checksums; the signature covers the real ones.
#[derive(Clone, PartialEq, Eq)]
pub struct LegacyToken {
    /// The app it is for.
    pub app_id: AppId,
    /// The salt in its message.
    pub salt: u32,
    /// When it ends, in seconds since 1970 UTC (the issue plus 24 h).
    pub expires_at: u32,
    /// Rights by number, here each with the **second** (since 1970 UTC) at which it ends, not with a life.
    pub privileges: Privileges,
    channel_crc: u32,
    uid_crc: u32,
    signature: [u8; SIGNATURE_BYTES],
    message: Vec<u8>,
}

impl LegacyToken {
    /// Reads it without judging it. Never panics.
    pub fn parse(token: &str) -> Result<Self, TokenError> {
        if token.len() > MAX_TEXT_BYTES {
            return Err(TokenError::TooLong);
        }
        let rest = token.strip_prefix(VERSION).ok_or(TokenError::UnknownVersion)?;
        let (app_id, packed) = rest.split_at_checked(APP_ID_CHARS).ok_or(TokenError::Malformed("app id"))?;
        let app_id = AppId::new(app_id).map_err(|_| TokenError::Malformed("app id"))?;
        let content = STANDARD.decode(packed).map_err(|_| TokenError::Malformed("base64"))?;
        let mut reader = Reader(&content);
        let signature = reader.signature()?;
        let channel_crc = reader.u32("channel checksum")?;
        let uid_crc = reader.u32("uid checksum")?;
        let message = reader.counted("message")?.to_vec();
        let mut inner = Reader(&message);
        let salt = inner.u32("salt")?;
        let expires_at = inner.u32("end")?;
        let privileges = Privileges::from_map(inner.map("privileges")?);
        Ok(Self { app_id, salt, expires_at, privileges, channel_crc, uid_crc, signature, message })
    }

    /// Whether this certificate signed it for this channel and uid. Constant time in the signature.
    #[must_use]
    pub fn verify(&self, certificate: &AppCertificate, channel: &str, uid: u32) -> bool {
        let account = Account::from_uid(uid);
        let checksums_fit = crc32fast::hash(channel.as_bytes()) == self.channel_crc
            && crc32fast::hash(account.as_str().as_bytes()) == self.uid_crc;
        let mut signed = Vec::with_capacity(APP_ID_CHARS + channel.len() + self.message.len() + 10);
        signed.extend_from_slice(self.app_id.as_str().as_bytes());
        signed.extend_from_slice(channel.as_bytes());
        signed.extend_from_slice(account.as_str().as_bytes());
        signed.extend_from_slice(&self.message);
        hmac_matches(certificate.expose().as_bytes(), &signed, &self.signature) && checksums_fit
    }
}

impl fmt::Debug for LegacyToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LegacyToken")
            .field("app_id", &self.app_id)
            .field("expires_at", &self.expires_at)
            .field("privileges", &self.privileges)
            .finish_non_exhaustive()
    }
}
