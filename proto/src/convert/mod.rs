//! Wire to domain and back. Total: every message either becomes a domain value or a [`Malformed`] that says which field is wrong.

pub mod deployment;
pub mod document;
pub mod log;
mod malformed;

pub use malformed::Malformed;
use malformed::some;
