//! The front door: HTTP in, AWS's wire protocols, signatures, budgets, and the journal of calls.

mod answer;
mod budget;
mod control;
mod fault_reader;
mod faults;
mod journal;
mod operations;
mod request;
mod rest;
mod server;
mod signature;
mod xml;

pub use budget::Budgets;
pub use fault_reader::{Problem, kinds as fault_kinds, read as read_fault};
pub use faults::{Faults, Rule};
pub use journal::Journal;
pub use server::serve;
