//! The engine: the pure core that decides what a deployment does next.
//!
//! A deployment is a journal of [`Event`]s. [`decide`] answers an [`Input`] with events, [`Deployment::apply`] folds an event
//! into the state, [`next()`] derives from the state what should be outstanding. The caller's order is always: decide, append,
//! flush, apply, then act on `next`. After a crash the same three functions say the same, so there is no recovery program.
//!
//! ```text
//!  queued --Start--> step 0 --ok--> step 1 --ok--> ... --ok--> Succeeded
//!     |                 | given up, or a person's word
//!     |                 v
//!     |              undo of every step that ever ran, in reverse --> RolledBack | NeedsOperator
//!     |                        what needs an operator can be taken up again: the undo that was given up is tried once more
//!     '--Abort (from anywhere; a held task is cancelled and waited for) --> Aborted
//! ```
//!
//! No clock, no randomness, no IO: the time comes in as `now_ms`, milliseconds since 1970-01-01 UTC.

mod approval;
mod assignment;
mod decide;
mod event;
mod follow_up;
mod input;
pub mod invariants;
mod next;
mod plan;
mod planted;
mod rejection;
mod state;
mod stored;
mod timing;
mod view;

#[cfg(test)]
mod explorer;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use assignment::assignment;
pub use decide::{create, decide};
pub use event::{Event, Loss};
pub use input::{Holder, Input};
pub use next::{HeldTask, Hold, Next, Timer, TimerId, WantedTask, next};
pub use plan::{DEFAULT_HAND_OVERS, InvalidPlan, Plan, PlannedStep};
pub use rejection::Rejection;
pub use state::{Asked, Attempt, AttemptEnd, Course, Deployment, Misfit, Passed, ReplayError, Stage, StepRecord};
pub use stored::{FORMAT, StoredEvent, StoredEventError};
pub use timing::GRACE_SECONDS;
pub use view::view;
