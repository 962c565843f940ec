//! Blue/green with DNS: two Cloud Map services alternate, and weighted CNAME records of an alias lead production's traffic to the one
//! or the other.
//!
//! ```text
//!  myapp.zone.  CNAME  Harness-Blue  100  -->  service2.namespace  (the new version's tasks)
//!               CNAME  Harness-Green   0  -->  service1.namespace  (the old version's)
//! ```

mod checks;
mod live;
mod look;
mod records;
mod setup;
mod share;
mod undo;
mod weights;

pub(super) use live::refuse_if_new_is_live;
pub(super) use records::told_otherwise;
pub(super) use setup::SetUpRoute53;
pub(super) use share::{share, unshare};
pub(super) use weights::Change;
