//! Agreements with locked terms (`CONTRACT.md` §3).

pub(crate) mod http;
pub(crate) mod service;

#[cfg(test)]
mod tests;
