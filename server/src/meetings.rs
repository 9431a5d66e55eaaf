//! Calls, instant and scheduled (`CONTRACT.md` §5).

pub(crate) mod calendar;
pub(crate) mod due;
pub(crate) mod http;
pub(crate) mod live;
pub(crate) mod service;
pub(crate) mod tokens;

#[cfg(test)]
mod tests;
