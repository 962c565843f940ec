//! A retry policy is data that yields delays. One owner per kind of failure: the engine retries steps by this; the delegate's
//! AWS client has its own, counted in its time limits.

use serde::{Deserialize, Serialize};

/// How often, and after which waits, something is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryPolicy {
    /// Waits in milliseconds before the second, third ... attempt. Its length is the number of retries.
    pub delays_ms: Vec<u64>,
}

impl RetryPolicy {
    /// No second attempt.
    pub fn never() -> Self {
        Self { delays_ms: Vec::new() }
    }

    /// The default for a step that failed for a passing reason: after 2, 5, 15 and 30 s.
    pub fn transient() -> Self {
        Self { delays_ms: vec![2_000, 5_000, 15_000, 30_000] }
    }

    /// The wait before the next attempt, after `retries` retries were made; none when they are used up.
    pub fn delay_ms(&self, retries: u32) -> Option<u64> {
        self.delays_ms.get(usize::try_from(retries).ok()?).copied()
    }
}
