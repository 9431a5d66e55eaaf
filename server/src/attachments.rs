//! Files that people send each other (`CONTRACT.md` §4).

mod body;
mod files;
pub(crate) mod http;
pub(crate) mod links;
mod media_type;
mod range;
mod reception;
pub(crate) mod service;
pub(crate) mod sweep;

#[cfg(test)]
mod tests;

pub(crate) use files::Files;
