//! The vocabulary of Segue: what both servers, the wire and the person mean by the same words.
//!
//! No IO, no async, no clock, no randomness: everything here is data and pure functions over it. The crate knows nothing of
//! gRPC, of the store or of the AWS SDK; they all know it.

pub mod console;
pub mod deployment;
pub mod discovery;
pub mod error;
pub mod expression;
pub mod failure;
pub mod ids;
pub mod infrastructure;
pub mod limits;
pub mod log;
pub mod manifest;
pub mod names;
pub mod outcome;
pub mod retry;
pub mod scope;
pub mod signal;
pub mod step;
pub mod strategy;
pub mod suggestion;
pub mod task;
