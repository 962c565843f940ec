//! Swap Target Groups: production forwards to the new group, stage to the old one. A goal, not an exchange: reached once, it is
//! left as it is.

mod bake;
mod downsize;
mod listeners;
mod perform;
mod proof;
mod undo;

pub(super) use perform::Swap;
