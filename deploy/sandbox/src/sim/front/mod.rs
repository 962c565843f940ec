//! The front door: HTTP in, AWS's wire protocols, signatures, budgets, and the journal of calls.

mod answer;
mod budget;
mod control;
mod journal;
mod request;
mod server;
mod signature;

pub use budget::Budgets;
pub use journal::Journal;
pub use server::serve;
