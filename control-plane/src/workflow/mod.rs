//! From documents to a plan: everything that can be found wrong without asking AWS is found here, before anything runs.
//!
//! ```text
//!  apply: parsed documents + stored ones --check--> findings
//!  start: stored documents + request ----compile--> engine::Plan, or findings
//! ```
//!
//! Both walk the same way ([`draft`]): a check is a plan whose tag, ids and missing variables are not known yet. All of it is
//! pure; the caller loads the documents first.

mod actions;
mod alarms;
mod approval;
mod check;
mod compile;
mod draft;
mod infrastructure;
mod names;
mod prometheus;
mod request;
mod resolver;
mod resources;
mod rollback;
mod setup;
mod steps;
mod switch;
mod variables;

#[cfg(test)]
mod tests;

pub use check::check_documents;
pub use compile::compile;
pub use infrastructure::{Placed, infrastructure};
pub use request::StartRequest;
pub use resources::Resources;
pub use rollback::{previous_of, rollback_plan, tag_of};
