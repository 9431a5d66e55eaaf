//! Messages (`CONTRACT.md` §4).

pub(crate) mod http;
pub(crate) mod index;
pub(crate) mod service;

#[cfg(test)]
mod tests;
