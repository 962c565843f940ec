//! Retries and time limits of AWS calls. The SDK's own default is to wait for ever.

use std::time::Duration;

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};

const CONNECT: Duration = Duration::from_secs(3);
/// How long one call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// A read, with all its tries, without the waits for its turn.
    pub read: Duration,
    /// A write: one try. The lease has to outlast it, so that no late write follows another delegate's.
    pub write: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self { read: Duration::from_secs(15), write: Duration::from_secs(4) }
    }
}

impl CallLimits {
    pub(super) fn read_timeouts(self) -> TimeoutConfig {
        let attempt = (self.read / 2).max(Duration::from_secs(1)).min(self.read);
        TimeoutConfig::builder()
            .connect_timeout(CONNECT.min(attempt))
            .operation_attempt_timeout(attempt)
            .operation_timeout(attempt)
            .build()
    }

    pub(super) fn write_timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT.min(self.write))
            .operation_attempt_timeout(self.write)
            .operation_timeout(self.write)
            .build()
    }

    // A second try of a write inside the SDK would come after a time-out too, when the first may have been carried out, and would
    // not ask the lease: trying again is the executor's matter. A second try of a read would not wait for its turn in the budget:
    // there it is the budget's.
    pub(super) fn no_retries() -> RetryConfig {
        RetryConfig::disabled()
    }
}
