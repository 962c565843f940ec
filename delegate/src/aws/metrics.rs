//! CloudWatch's metrics, as the steps ask for them.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use domain::failure::Failure;

/// A target group behind a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupBehind {
    /// ARN of the load balancer.
    pub load_balancer: String,
    /// ARN of the target group.
    pub target_group: String,
}

/// When periods begin, in seconds since 1970-01-01 UTC.
pub type PeriodStart = i64;

/// CloudWatch's metrics.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// How many requests each group got through its Application Load Balancer (`AWS/ApplicationELB`, `RequestCount`, `Sum`), by
    /// periods of `period` (1, 5, 10 or 30 s, or whole minutes) from `from` to before `to`, in the order asked. A period without a
    /// request is left out by AWS, and so is one whose numbers are not there yet.
    async fn requests(
        &self,
        groups: &[GroupBehind],
        period: Duration,
        from: PeriodStart,
        to: PeriodStart,
    ) -> Result<Vec<BTreeMap<PeriodStart, f64>>, Failure>;
}
