//! The state of a deployment: what its events amount to.

mod apply;
mod course;
mod deployment;

pub use apply::{Misfit, ReplayError};
pub use course::{Attempt, AttemptEnd, Course, Stage, StepRecord};
pub use deployment::Deployment;
pub(crate) use deployment::Rollback;
