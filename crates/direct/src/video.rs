//! Pictures on their way: the thread that encodes what is published, and the one that decodes what comes.

pub(crate) mod receive;
pub(crate) mod send;
