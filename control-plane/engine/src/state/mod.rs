//! The state of a deployment: what its events amount to.

mod apply;
mod course;
mod deployment;

pub use apply::{Misfit, ReplayError};
pub use course::{Asked, Attempt, AttemptEnd, Course, Passed, Stage, StepRecord};
pub use deployment::Deployment;
pub(crate) use deployment::Rollback;
