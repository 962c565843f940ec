//! `segue-sandbox faults`: what is to go wrong in a running simulated AWS, said by a person or by a file.

mod command;
mod file;
mod given;

pub use command::{FaultsCommand, run};
