//! CloudWatch's metrics over the SDK.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy},
};
use domain::failure::Failure;

use super::{
    cloudwatch::CloudWatch,
    failure::{Call, failure},
};
use crate::aws::metrics::{GroupBehind, Metrics, PeriodStart};

#[async_trait]
impl Metrics for CloudWatch {
    async fn requests(
        &self,
        groups: &[GroupBehind],
        period: Duration,
        from: PeriodStart,
        to: PeriodStart,
    ) -> Result<Vec<BTreeMap<PeriodStart, f64>>, Failure> {
        let call = Call { operation: "cloudwatch:GetMetricData", writes: false, what: "count the requests of target groups" };
        let period = i32::try_from(period.as_secs()).unwrap_or(i32::MAX);
        let queries: Vec<_> = groups.iter().enumerate().map(|(at, group)| query(at, group, period)).collect();
        let (mut counted, mut token) = (vec![BTreeMap::new(); groups.len()], None);
        loop {
            let request = self.client().get_metric_data().set_metric_data_queries(Some(queries.clone()));
            let request = request.start_time(DateTime::from_secs(from)).end_time(DateTime::from_secs(to));
            let request = request.scan_by(ScanBy::TimestampAscending).set_next_token(token);
            let answer = request.send().await.map_err(|error| failure(call, &error))?;
            for result in answer.metric_data_results() {
                // The ids are ours; others are none of this.
                let at = result.id().and_then(|id| id.strip_prefix('g')).and_then(|number| number.parse::<usize>().ok());
                if let Some(counts) = at.and_then(|at| counted.get_mut(at)) {
                    counts.extend(result.timestamps().iter().map(DateTime::secs).zip(result.values().iter().copied()));
                }
            }
            token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(counted);
            }
        }
    }
}

fn query(at: usize, group: &GroupBehind, period: i32) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/ApplicationELB")
        .metric_name("RequestCount")
        .dimensions(dimension("LoadBalancer", last_part(&group.load_balancer, "loadbalancer/")))
        .dimensions(dimension("TargetGroup", last_part(&group.target_group, "")))
        .build();
    let stat = MetricStat::builder().metric(metric).period(period).stat("Sum").build();
    MetricDataQuery::builder().id(format!("g{at}")).metric_stat(stat).build()
}

/// What CloudWatch calls a load balancer or a target group: the last part of its ARN.
fn last_part<'a>(arn: &'a str, without: &str) -> &'a str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    resource.strip_prefix(without).unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloudwatch_calls_things_by_the_last_part_of_their_arns() {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188";
        assert_eq!(last_part(arn, "loadbalancer/"), "app/shop/50dc6c495c0c9188");
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/green/73e2d6bc24d8a067";
        assert_eq!(last_part(arn, ""), "targetgroup/green/73e2d6bc24d8a067");
    }
}
