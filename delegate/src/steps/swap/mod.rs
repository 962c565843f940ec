//! Swap Target Groups: production forwards to the new group, stage to the old one. A goal, not an exchange: reached once, it is
//! left as it is.

mod alarms;
mod bake;
mod downsize;
mod drained;
mod perform;
mod proof;
mod undo;

pub(super) use perform::{Swap, new_is_healthy, refuse_strangers};
pub(super) use undo::bring_back;
