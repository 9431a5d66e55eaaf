//! What a client missed while it was away: `GET /sync`.

pub(crate) mod http;
pub(crate) mod service;
