//! The front door: HTTP in, AWS's wire protocols, signatures, budgets, and the journal of calls.

mod answer;
mod budget;
mod control;
mod faults;
mod journal;
mod request;
mod server;
mod signature;
mod xml;

pub use budget::Budgets;
pub use faults::Faults;
pub use journal::Journal;
pub use server::serve;
