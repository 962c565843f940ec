//! Previous Version Setup: the beginning of a rollback after success. It looks whether the version before still stands where the
//! deployment left it, and changes nothing.

mod look;
mod perform;

pub use look::previous_version;
pub(super) use perform::FindPrevious;
