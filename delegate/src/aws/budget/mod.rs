//! The AWS call budget. AWS gives an account so many calls a second in each region, and all deployments share them: here every call
//! waits for its turn instead of being refused.

pub mod accounts;
mod bucket;
mod ecs;
pub mod groups;
pub mod lane;
mod load_balancing;
mod names;
mod others;
pub mod paced;
mod reads;
mod shared;
mod turns;

pub use accounts::{Budget, Budgets};
pub use groups::Operation;
pub use lane::Lane;
pub use paced::paced;
