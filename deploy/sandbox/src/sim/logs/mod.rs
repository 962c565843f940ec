//! CloudWatch Logs, as far as a deployer and a person at the AWS CLI read what containers wrote.

mod api;
mod events;
mod groups;
mod page;
mod state;
mod streams;

pub use api::handle;
pub use state::{Group, Logs};
