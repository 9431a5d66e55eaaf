//! What clients ask for (`CONTRACT.md` §3).

pub(crate) mod http;
pub(crate) mod service;
