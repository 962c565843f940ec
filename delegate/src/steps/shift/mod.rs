//! Shift Traffic: a share of production's traffic to the new version, the rest to the old one. Undone, the old version gets all of
//! it back at once, whatever the share was.

mod perform;
mod undo;

pub(super) use perform::Shift;
