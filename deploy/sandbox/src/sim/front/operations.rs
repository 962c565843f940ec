//! The operations that the simulator answers: what is not listed here is refused, so that the list is whole, and a fault for an
//! operation that nobody can call is a slip that is told.

use domain::suggestion::nearest;

use super::request::Service;
use crate::sim::cloudwatch::Wire;

/// Every simulated service.
pub const SERVICES: [Service; 8] = [
    Service::CloudMap,
    Service::Ecs,
    Service::Elb,
    Service::Autoscaling,
    Service::CloudWatch(Wire::Json),
    Service::Logs,
    Service::Route53,
    Service::Sts,
];

/// The operations of a service.
pub fn of(service: Service) -> &'static [&'static str] {
    match service {
        Service::Ecs => &ECS,
        Service::Elb => &ELB,
        Service::CloudMap => &CLOUD_MAP,
        Service::Autoscaling => &AUTOSCALING,
        Service::CloudWatch(_) => &CLOUDWATCH,
        Service::Logs => &LOGS,
        Service::Route53 => &ROUTE53,
        Service::Sts => &STS,
    }
}

/// Whether a service has an operation.
pub fn knows(service: Service, operation: &str) -> bool {
    of(service).contains(&operation)
}

/// Whether an operation changes anything.
pub fn is_write(operation: &str) -> bool {
    !["Describe", "List", "Get", "Filter"].iter().any(|prefix| operation.starts_with(prefix))
}

/// What a user means by `ecs:CreateService`, `ecs:*` or `*`; `elbv2` is another name of `elasticloadbalancing`.
///
/// # Errors
/// A text that says what is wrong, with the nearest name if there is one.
pub fn pattern(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let Some((given, operation)) = text.split_once(':') else {
        let services = SERVICES.into_iter().filter(|service| knows(*service, text));
        let meant: Vec<String> = services.map(|service| format!("{}:{text}", service.as_str())).collect();
        let hint = if meant.is_empty() { String::new() } else { format!("; did you mean {}?", meant.join(" or ")) };
        return Err(format!("{text:?} is no operation: it is written SERVICE:OPERATION, SERVICE:* or *{hint}"));
    };
    let name = if given == "elbv2" { Service::Elb.as_str() } else { given };
    let Some(service) = SERVICES.into_iter().find(|service| service.as_str() == name) else {
        let known = SERVICES.map(Service::as_str);
        let hint = match nearest(name, known) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("known: {}", known.join(", ")),
        };
        return Err(format!("there is no service {given:?} here; {hint}"));
    };
    if operation == "*" || knows(service, operation) {
        return Ok(format!("{name}:{operation}"));
    }
    let hint = match nearest(operation, of(service).iter().copied()) {
        Some(near) => format!("; did you mean {name}:{near}?"),
        None => String::new(),
    };
    Err(format!("{name} has no operation {operation:?} here{hint}"))
}

const ECS: [&str; 23] = [
    "CreateCluster",
    "DescribeClusters",
    "ListClusters",
    "DeleteCluster",
    "RegisterTaskDefinition",
    "DescribeTaskDefinition",
    "DeregisterTaskDefinition",
    "ListTaskDefinitions",
    "ListTaskDefinitionFamilies",
    "CreateService",
    "UpdateService",
    "DeleteService",
    "DescribeServices",
    "ListServices",
    "ListTasks",
    "DescribeTasks",
    "RunTask",
    "StopTask",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    "ListServiceDeployments",
    "DescribeServiceDeployments",
];

const ELB: [&str; 26] = [
    "CreateLoadBalancer",
    "DescribeLoadBalancers",
    "DeleteLoadBalancer",
    "CreateListener",
    "DescribeListeners",
    "ModifyListener",
    "DeleteListener",
    "CreateRule",
    "DescribeRules",
    "ModifyRule",
    "DeleteRule",
    "SetRulePriorities",
    "CreateTargetGroup",
    "DescribeTargetGroups",
    "ModifyTargetGroup",
    "DeleteTargetGroup",
    "RegisterTargets",
    "DeregisterTargets",
    "DescribeTargetHealth",
    "DescribeTargetGroupAttributes",
    "ModifyTargetGroupAttributes",
    "DescribeLoadBalancerAttributes",
    "ModifyLoadBalancerAttributes",
    "AddTags",
    "RemoveTags",
    "DescribeTags",
];

const CLOUD_MAP: [&str; 14] = [
    "CreatePrivateDnsNamespace",
    "CreatePublicDnsNamespace",
    "CreateHttpNamespace",
    "GetNamespace",
    "ListNamespaces",
    "DeleteNamespace",
    "CreateService",
    "GetService",
    "ListServices",
    "DeleteService",
    "RegisterInstance",
    "DeregisterInstance",
    "ListInstances",
    "GetOperation",
];

const ROUTE53: [&str; 8] = [
    "CreateHostedZone",
    "GetHostedZone",
    "ListHostedZones",
    "ListHostedZonesByName",
    "DeleteHostedZone",
    "ChangeResourceRecordSets",
    "ListResourceRecordSets",
    "GetChange",
];

const AUTOSCALING: [&str; 10] = [
    "RegisterScalableTarget",
    "DescribeScalableTargets",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "DescribeScalingPolicies",
    "DeleteScalingPolicy",
    "DescribeScalingActivities",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
];

const CLOUDWATCH: [&str; 12] = [
    "PutMetricAlarm",
    "DescribeAlarms",
    "DescribeAlarmsForMetric",
    "DeleteAlarms",
    "SetAlarmState",
    "PutMetricData",
    "GetMetricData",
    "GetMetricStatistics",
    "ListMetrics",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
];

const LOGS: [&str; 6] =
    ["CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups", "DescribeLogStreams", "GetLogEvents", "FilterLogEvents"];

const STS: [&str; 2] = ["AssumeRole", "GetCallerIdentity"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_an_operation_all_of_a_service_or_all() {
        for (given, meant) in [
            ("ecs:CreateService", "ecs:CreateService"),
            ("elbv2:ModifyListener", "elasticloadbalancing:ModifyListener"),
            ("elbv2:*", "elasticloadbalancing:*"),
            ("sts:*", "sts:*"),
            ("*", "*"),
        ] {
            assert_eq!(pattern(given).as_deref(), Ok(meant));
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_one() {
        for (given, told) in [
            ("ecs:CreateServise", "ecs has no operation \"CreateServise\" here; did you mean ecs:CreateService?"),
            ("ecs:Quark", "ecs has no operation \"Quark\" here"),
            ("esc:*", "there is no service \"esc\" here; did you mean \"ecs\"?"),
            ("CreateService", "SERVICE:* or *; did you mean servicediscovery:CreateService or ecs:CreateService?"),
        ] {
            let error = pattern(given).expect_err("a slip");
            assert!(error.ends_with(told), "{error}");
        }
    }
}
