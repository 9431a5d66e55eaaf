//! The packing that both token versions share: little-endian integers, `u16`-counted strings and maps, HMAC-SHA256.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::TokenError;

pub(crate) const SIGNATURE_BYTES: usize = 32;
/// Far above any real token (a few hundred characters); bounds the work that a stranger's text can cause.
pub(crate) const MAX_TEXT_BYTES: usize = 16 * 1024;
/// The same bound after unpacking: a hostile text of 16 KiB could otherwise swell to megabytes.
pub(crate) const MAX_CONTENT_BYTES: u64 = 64 * 1024;

pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Callers pass validated names and signatures, all far below 65,536 bytes.
    pub(crate) fn counted(&mut self, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).expect("names and signatures are shorter than 64 KiB");
        self.u16(length);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn map(&mut self, map: &BTreeMap<u16, u32>) {
        let count = u16::try_from(map.len()).unwrap_or(u16::MAX);
        self.u16(count);
        for (key, value) in map.iter().take(usize::from(count)) {
            self.u16(*key);
            self.u32(*value);
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Reads from the front; every step either succeeds or says which part was cut off.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize, part: &'static str) -> Result<&'a [u8], TokenError> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(TokenError::Malformed(part))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N], TokenError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(TokenError::Malformed(part))?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u16(&mut self, part: &'static str) -> Result<u16, TokenError> {
        self.array(part).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, part: &'static str) -> Result<u32, TokenError> {
        self.array(part).map(u32::from_le_bytes)
    }

    pub(crate) fn counted(&mut self, part: &'static str) -> Result<&'a [u8], TokenError> {
        let length = self.u16(part)?;
        self.take(usize::from(length), part)
    }

    pub(crate) fn text(&mut self, part: &'static str) -> Result<String, TokenError> {
        let bytes = self.counted(part)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| TokenError::Malformed(part))
    }

    pub(crate) fn signature(&mut self) -> Result<[u8; SIGNATURE_BYTES], TokenError> {
        self.counted("signature")?.try_into().map_err(|_| TokenError::Malformed("signature"))
    }

    pub(crate) fn map(&mut self, part: &'static str) -> Result<BTreeMap<u16, u32>, TokenError> {
        let count = self.u16(part)?;
        let mut map = BTreeMap::new();
        for _ in 0..count {
            let key = self.u16(part)?;
            map.insert(key, self.u32(part)?);
        }
        Ok(map)
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; SIGNATURE_BYTES] {
    let mut mac = keyed(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Compares in constant time.
pub(crate) fn hmac_matches(key: &[u8], message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
    let mut mac = keyed(key);
    mac.update(message);
    mac.verify_slice(signature).is_ok()
}
