//! How things look: text out of data, nothing asked and nothing decided. Whatever came from outside is made visible before it
//! reaches a terminal.

mod data;
mod delegates;
mod deployment;
mod diagnostics;
mod discovery;
mod failure;
mod follow;
mod table;

pub use data::print;
pub use delegates::{Delegate, delegates};
pub use deployment::{deployments, show, status_word, time};
pub use diagnostics::diagnostics;
pub use discovery::load_balancers;
pub use failure::{error, failure};
pub use follow::{Follow, LogText};
pub use table::table;
