//! Pages and idempotent creation at the edge.

use axum::http::{HeaderMap, Method};
use parley_domain::is_key;
use parley_protocol::rest;
use parley_store::{Cursor, Idempotency, Page, PageRequest, Recorded};
use sha2::{Digest, Sha256};

use crate::{
    extract::Query,
    problem::{Outcome, Refusal},
};

/// What a message with files usually takes as JSON, and what a page takes besides its messages.
const MESSAGE_BYTES: usize = 1_024;
const FRAME_BYTES: usize = 128;

impl Query {
    /// `?limit=` and `?cursor=`.
    pub(crate) fn page(&self) -> Outcome<PageRequest> {
        let cursor = self.text("cursor").map(str::parse::<Cursor>).transpose()?;
        Ok(PageRequest { limit: self.limit()?, cursor })
    }
}

/// A page of the store as a page of the wire.
pub(crate) fn page<T>(page: Page<T>) -> rest::Page<T> {
    rest::Page { items: page.items, next_cursor: page.next_cursor.map(|cursor| cursor.to_string()) }
}

/// A page of history as it leaves the server: what is JSON already is only copied.
pub(crate) fn history(page: Page<Recorded>) -> Outcome<String> {
    let length = |recorded: &Recorded| match recorded {
        Recorded::Json(json) => json.len() + 1,
        Recorded::Message(_) => MESSAGE_BYTES,
    };
    let mut body = String::with_capacity(FRAME_BYTES + page.items.iter().map(length).sum::<usize>());
    body.push_str(r#"{"items":["#);
    for (index, recorded) in page.items.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        match recorded {
            Recorded::Json(json) => body.push_str(json),
            Recorded::Message(message) => body.push_str(&serde_json::to_string(message).map_err(Refusal::internal)?),
        }
    }
    let next = page.next_cursor.map(|cursor| cursor.to_string());
    body.push_str(r#"],"nextCursor":"#);
    body.push_str(&serde_json::to_string(&next).map_err(Refusal::internal)?);
    body.push('}');
    Ok(body)
}

/// `Idempotency-Key`, if it was sent, with what makes two calls the same: method, path and body.
///
/// The path is the one below `/api/v1` or `/api`, so that both prefixes are one address.
pub(crate) fn idempotency(headers: &HeaderMap, path: &str, body: &[u8]) -> Outcome<Option<Idempotency>> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let invalid = || Refusal::invalid("/Idempotency-Key", "is one header of 1 to 128 visible characters");
    if values.next().is_some() {
        return Err(invalid());
    }
    let key = value.to_str().map_err(|_| invalid())?;
    if !is_key(key) {
        return Err(invalid());
    }
    let mut hash = Sha256::new();
    for part in [Method::POST.as_str().as_bytes(), path.as_bytes(), body] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Ok(Some(Idempotency { key: key.to_owned(), fingerprint: hash.finalize().into() }))
}
