//! AWS's published token buckets, per account and region. They refill as much faster as the simulated clock runs, so that the
//! ratio between a deployer's calls and AWS's patience stays what it is.

use std::collections::HashMap;

use super::request::Service;

/// A bucket: how many calls at once, and how many a second.
type Bucket = (f64, f64);

/// The group of an operation and its bucket (docs: ECS request throttling; ELB API throttling).
fn group(service: Service, operation: &str) -> Vec<(&'static str, Bucket)> {
    match service {
        // AWS publishes none for Application Auto Scaling.
        Service::Sts | Service::Autoscaling => Vec::new(),
        // Transactions per second, without a burst beyond (docs: CloudWatch Logs quotas).
        Service::Logs => vec![match operation {
            "GetLogEvents" => ("log events", (25.0, 25.0)),
            "DescribeLogStreams" => ("log streams", (25.0, 25.0)),
            "FilterLogEvents" => ("log filter", (10.0, 10.0)),
            "DescribeLogGroups" => ("log groups", (10.0, 10.0)),
            _ => ("log group modify", (10.0, 10.0)),
        }],
        // All actions together, burst 50 and 10 a second (docs: API throttling); it is global, and one region is simulated a time.
        Service::Route53 => vec![("route53", (50.0, 10.0))],
        // AWS publishes no rate for these; none is kept.
        Service::CloudMap => Vec::new(),
        // Transactions per second, without a burst beyond (docs: CloudWatch quotas).
        Service::CloudWatch(_) => vec![match operation {
            "GetMetricData" => ("metric data", (50.0, 50.0)),
            "GetMetricStatistics" => ("metric statistics", (400.0, 400.0)),
            "PutMetricData" => ("metric put", (500.0, 500.0)),
            "ListMetrics" => ("metric list", (25.0, 25.0)),
            "DescribeAlarms" | "DescribeAlarmsForMetric" => ("alarm read", (9.0, 9.0)),
            "PutMetricAlarm" => ("alarm put", (3.0, 3.0)),
            "SetAlarmState" => ("alarm set", (3.0, 3.0)),
            "DeleteAlarms" => ("alarm delete", (3.0, 3.0)),
            _ => ("alarm tags", (20.0, 20.0)),
        }],
        Service::Elb => {
            let account = ("elb", (40.0, 10.0));
            match operation {
                "RegisterTargets" | "DeregisterTargets" => vec![account, ("elb targets", (20.0, 4.0))],
                "CreateLoadBalancer" | "SetSubnets" => vec![account, ("elb create", (10.0, 0.2))],
                _ if operation.starts_with("Describe") => vec![account, ("elb read", (40.0, 10.0))],
                _ => vec![account, ("elb modify", (20.0, 3.0))],
            }
        }
        Service::Ecs => vec![match operation {
            "CreateCluster" | "DeleteCluster" => ("cluster modify", (20.0, 1.0)),
            "DescribeClusters" | "ListClusters" => ("cluster read", (50.0, 20.0)),
            "RegisterTaskDefinition" | "DeregisterTaskDefinition" => ("definition modify", (20.0, 1.0)),
            "DescribeTaskDefinition" | "ListTaskDefinitions" | "ListTaskDefinitionFamilies" => ("definition read", (50.0, 20.0)),
            "CreateService" | "UpdateService" | "DeleteService" => ("service modify", (50.0, 5.0)),
            "DescribeServices" | "ListServices" => ("service read", (100.0, 20.0)),
            "ListServiceDeployments" | "DescribeServiceDeployments" => ("deployment read", (50.0, 20.0)),
            "DescribeTasks" | "ListTasks" => ("task read", (100.0, 20.0)),
            "RunTask" | "StopTask" => ("task modify", (100.0, 40.0)),
            "TagResource" | "UntagResource" => ("tag modify", (20.0, 10.0)),
            _ => ("tag read", (50.0, 20.0)),
        }],
    }
}

/// All buckets.
#[derive(Debug, Default)]
pub struct Budgets {
    left: HashMap<(String, String, &'static str), (f64, f64)>,
}

impl Budgets {
    /// Takes a token for a call, at `now` in AWS's time; false: the call is throttled.
    pub fn take(&mut self, account: &str, region: &str, service: Service, operation: &str, now: f64) -> bool {
        let groups = group(service, operation);
        let mut filled = Vec::new();
        for (name, (burst, refill)) in groups {
            let key = (account.to_owned(), region.to_owned(), name);
            let (tokens, at) = self.left.get(&key).copied().unwrap_or((burst, now));
            filled.push((key, (tokens + (now - at) * refill).min(burst)));
        }
        let enough = filled.iter().all(|(_, tokens)| *tokens >= 1.0);
        for (key, tokens) in filled {
            self.left.insert(key, (if enough { tokens - 1.0 } else { tokens }, now));
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut budgets = Budgets::default();
        let mut register = |now: f64| budgets.take("1", "r", Service::Ecs, "RegisterTaskDefinition", now);
        assert_eq!((0..30).filter(|_| register(0.0)).count(), 20);
        assert!(!register(0.5));
        assert!(register(1.0));
        assert!(!register(1.0));
    }

    #[test]
    fn all_elb_calls_share_the_account_s_bucket() {
        let mut budgets = Budgets::default();
        let describes = (0..60).filter(|_| budgets.take("1", "r", Service::Elb, "DescribeListeners", 0.0)).count();
        assert_eq!(describes, 40);
        assert!(!budgets.take("1", "r", Service::Elb, "ModifyListener", 0.0));
        assert!(budgets.take("1", "other", Service::Elb, "ModifyListener", 0.0));
    }
}
