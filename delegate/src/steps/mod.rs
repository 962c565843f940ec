//! The steps: one file or folder for each kind, with what it does and how that is undone.

mod alarms;
mod approval;
mod counts;
mod dns;
mod events;
mod http_check;
mod markers;
mod note;
mod notify;
mod previous;
mod prometheus;
mod routes;
mod scaling;
mod script;
mod setup;
mod shift;
mod step;
mod swap;
mod targets;
mod upgrade;
mod version;

pub use previous::previous_version;
pub use step::{Step, of};

#[cfg(test)]
mod tests;
