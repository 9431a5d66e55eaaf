//! Mail about meetings, where the operator named a mail server: what is set, moved or called off, and each reminder.
//!
//! The store writes a mail down in the transaction that gives the reason for it, one row a person. `outbox` takes
//! rows under a lease, `letter` says what they say, `smtp` hands them to the mail server. A row goes once it was
//! handed over; whoever dies before that leaves it to be sent again, under the same `Message-ID`.

pub(crate) mod letter;
pub(crate) mod outbox;
pub mod smtp;

#[cfg(test)]
mod tests;
