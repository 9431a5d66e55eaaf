//! Accounts, sign-ins and who is calling (`CONTRACT.md` §2).

pub(crate) mod caller;
pub(crate) mod http;
pub(crate) mod passwords;
pub(crate) mod service;
pub(crate) mod sessions;
pub(crate) mod tokens;

#[cfg(test)]
mod tests;
