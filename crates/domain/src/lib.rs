//! The words and the rules of Parley: identifiers, money, terms, and what may happen to a proposal, a project,
//! a message and a meeting. Pure: no I/O, no clock, no randomness of its own; every other crate may use it.

pub mod channel;
pub mod content;
pub mod fields;
pub mod file_name;
pub mod ids;
pub mod kinds;
pub mod meeting;
pub mod model;
pub mod money;
pub mod proposal;
pub mod search;
pub mod terms;
pub mod time;

pub use channel::*;
pub use content::*;
pub use fields::*;
pub use file_name::*;
pub use ids::*;
pub use kinds::*;
pub use meeting::*;
pub use model::*;
pub use money::{Currency, InvalidCurrency, Money};
pub use proposal::*;
pub use search::*;
pub use terms::*;
pub use time::{InvalidTimestamp, Timestamp};
