//! Where everything is kept: the [`Store`] trait in the words of the domain, and its SQLite implementation.
//!
//! Every write is one transaction, answered only after its commit. What others must hear of it comes out of
//! [`Store::subscribe`] in commit order, whether or not the caller still waits for its answer.

pub mod accounts;
pub mod attachments;
pub mod committed;
pub mod conversations;
pub mod cursor;
pub mod error;
pub mod market;
pub mod meetings;
pub mod page;
pub mod search;
pub mod sqlite;
mod store;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
pub mod sync;

pub use accounts::*;
pub use attachments::*;
pub use committed::*;
pub use conversations::*;
pub use cursor::*;
pub use error::*;
pub use market::*;
pub use meetings::*;
pub use page::*;
pub use search::*;
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store::Store;
pub use sync::*;
