//! Sound on its way: Opus, the buffer that makes an even stream of what the network delivers, and the worker that
//! does both every 10 ms.

pub(crate) mod jitter;
pub(crate) mod opus;
pub(crate) mod worker;
