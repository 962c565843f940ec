//! Routes: the listeners and rules that lead requests to target groups. Reading where they lead, and changing it.

mod back;
mod now;
mod set;

pub(super) use back::put_back;
pub(super) use now::{Leads, PairNow, Role, RouteNow, look, refuse_if_new_is_live};
pub(super) use set::{recorded, set, snapshot};
