//! How much one commit may carry. Every implementation has the same limits, so that what fits in a test fits in production.
//!
//! The embedded store puts a page of its tree in a file of its own when it is larger than a quarter of a segment, and those files
//! are neither synced nor reliably removed. A page holds about 17 values at most: the limit on a value keeps every page below that.

/// The longest key, in bytes.
pub const KEY_BYTES: usize = 512;
/// The largest value, its format mark included, in bytes. A checkpoint of [`domain::limits::CHECKPOINT_BYTES`] fits in with what
/// is around it.
pub const VALUE_BYTES: usize = 64 * 1024;
/// The most writes and preconditions of one change set, together.
pub const CHANGES: usize = 4096;
/// The most bytes of keys and values in one change set.
pub const CHANGE_SET_BYTES: usize = 2 * 1024 * 1024;
