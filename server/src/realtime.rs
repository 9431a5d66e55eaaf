//! Socket.IO (`CONTRACT.md` §6): who is connected, what they may send, what they hear.

pub(crate) mod calls;
pub(crate) mod devices;
pub(crate) mod events;
pub(crate) mod gate;
pub(crate) mod handshake;
pub(crate) mod presence;
pub(crate) mod publish;
pub(crate) mod sessions;
pub(crate) mod typing;
mod worker;

#[cfg(test)]
mod tests;
