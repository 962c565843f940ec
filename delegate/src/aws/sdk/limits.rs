//! Retries and time limits of AWS calls. The SDK's own default is to wait for ever.

use std::time::Duration;

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};

const CONNECT: Duration = Duration::from_secs(3);
/// The SDK sends a read up to so many times.
const READ_ATTEMPTS: u32 = 4;

/// How long one call may take, retries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// A read, with up to four tries.
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
            .operation_timeout(self.read)
            .build()
    }

    pub(super) fn write_timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT.min(self.write))
            .operation_attempt_timeout(self.write)
            .operation_timeout(self.write)
            .build()
    }

    pub(super) fn read_retries() -> RetryConfig {
        RetryConfig::standard().with_max_attempts(READ_ATTEMPTS)
    }

    // A second try inside the SDK would come after a time-out too, when the first may have been carried out, and would not ask
    // the lease. Trying again is the executor's matter.
    pub(super) fn write_retries() -> RetryConfig {
        RetryConfig::disabled()
    }
}
