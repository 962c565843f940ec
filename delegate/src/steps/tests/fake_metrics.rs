//! CloudWatch's metrics in memory: the new version gets a request in every period, the old one what it is told to get.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use domain::failure::{Failure, FailureKind};

use super::fake_aws::FakeAws;
use crate::aws::metrics::{GroupBehind, Metrics, PeriodStart};

#[async_trait]
impl Metrics for FakeAws {
    async fn requests(
        &self,
        groups: &[GroupBehind],
        period: Duration,
        from: PeriodStart,
        to: PeriodStart,
    ) -> Result<Vec<BTreeMap<PeriodStart, f64>>, Failure> {
        self.calls.lock().expect("no panic").push("GetMetricData");
        let Some(old) = *self.old_requests.lock().expect("no panic") else {
            return Err(Failure::refused(FailureKind::Authorization, "not authorized to perform: cloudwatch:GetMetricData"));
        };
        let periods = || (from..to).step_by(usize::try_from(period.as_secs()).expect("short"));
        let counts = |at: usize| if at.is_multiple_of(2) { 1.0 } else { old };
        Ok((0..groups.len()).map(|at| periods().map(|begins| (begins, counts(at))).collect()).collect())
    }
}
