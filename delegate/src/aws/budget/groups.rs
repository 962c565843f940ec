//! AWS's calls, and the token buckets that AWS publishes for them. A call takes a token from each group that it belongs to.

/// A call of AWS's, as the delegate makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `ecs:DescribeClusters`
    DescribeClusters,
    /// `ecs:ListServices` and `ecs:DescribeServices`
    ReadServices,
    /// `ecs:ListTasks` and `ecs:DescribeTasks`
    ReadTasks,
    /// `ecs:ListTaskDefinitions` and `ecs:DescribeTaskDefinition`
    ReadTaskDefinitions,
    /// `ecs:ListTagsForResource`
    ReadTags,
    /// `ecs:RegisterTaskDefinition`
    RegisterTaskDefinition,
    /// `ecs:CreateService`, `ecs:UpdateService` and `ecs:DeleteService`
    ChangeService,
    /// `ecs:TagResource` and `ecs:UntagResource`
    ChangeTags,
    /// `elasticloadbalancing:Describe*`, but for the next
    ReadLoadBalancing,
    /// `elasticloadbalancing:DescribeTargetHealth`
    ReadTargetHealth,
    /// `elasticloadbalancing:ModifyListener` and `elasticloadbalancing:ModifyRule`
    ChangeLoadBalancing,
    /// Any of Route 53's.
    Dns,
    /// Any read of Cloud Map's.
    ReadRegistry,
    /// Any read of Application Auto Scaling's.
    ReadScaling,
    /// Any change of Application Auto Scaling's.
    ChangeScaling,
    /// `cloudwatch:DescribeAlarms`
    ReadAlarms,
    /// `cloudwatch:GetMetricData`
    ReadMetrics,
    /// `logs:GetLogEvents`
    ReadLogs,
    /// No call of AWS's, or one that AWS does not limit in a way that a delegate could reach (`sts:GetCallerIdentity`).
    Unlimited,
}

impl Operation {
    /// The groups it takes a token from.
    pub fn groups(self) -> &'static [Group] {
        match self {
            Self::DescribeClusters => &[Group::ClusterRead],
            Self::ReadServices => &[Group::ServiceRead],
            Self::ReadTasks => &[Group::TaskRead],
            Self::ReadTaskDefinitions => &[Group::DefinitionRead],
            Self::ReadTags => &[Group::TagRead],
            Self::RegisterTaskDefinition => &[Group::DefinitionModify],
            Self::ChangeService => &[Group::ServiceModify],
            Self::ChangeTags => &[Group::TagModify],
            Self::ReadLoadBalancing => &[Group::Elb],
            Self::ReadTargetHealth => &[Group::Elb, Group::ElbHealth],
            Self::ChangeLoadBalancing => &[Group::Elb, Group::ElbModify],
            Self::Dns => &[Group::Route53],
            Self::ReadRegistry => &[Group::CloudMap],
            Self::ReadScaling => &[Group::ScalingRead],
            Self::ChangeScaling => &[Group::ScalingModify],
            Self::ReadAlarms => &[Group::AlarmRead],
            Self::ReadMetrics => &[Group::MetricData],
            Self::ReadLogs => &[Group::LogEvents],
            Self::Unlimited => &[],
        }
    }

    /// Whether its limits are the account's, whatever the region.
    pub fn is_global(self) -> bool {
        self == Self::Dns
    }
}

/// What calls share a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// ECS: clusters read.
    ClusterRead,
    /// ECS: services read.
    ServiceRead,
    /// ECS: tasks read.
    TaskRead,
    /// ECS: task definitions read.
    DefinitionRead,
    /// ECS: tags read.
    TagRead,
    /// ECS: task definitions registered.
    DefinitionModify,
    /// ECS: services made, changed, deleted.
    ServiceModify,
    /// ECS: tags changed.
    TagModify,
    /// ELB: all actions together.
    Elb,
    /// ELB: the part of it that questions for target health may take. This limit is Segue's, not AWS's: they are asked again and
    /// again, and must not keep the changes of others waiting behind them.
    ElbHealth,
    /// ELB: changes.
    ElbModify,
    /// Route 53: all actions together, of all regions.
    Route53,
    /// Cloud Map: AWS publishes no number; Segue keeps to this one.
    CloudMap,
    /// Application Auto Scaling, reads: AWS publishes no number; Segue keeps to this one.
    ScalingRead,
    /// Application Auto Scaling, changes: AWS publishes no number; Segue keeps to this one.
    ScalingModify,
    /// CloudWatch: alarms read.
    AlarmRead,
    /// CloudWatch: metrics read.
    MetricData,
    /// CloudWatch Logs: lines read.
    LogEvents,
}

/// A bucket: what it holds, how fast it fills, and what of it is kept for undoing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Calls at once.
    pub burst: f64,
    /// Calls a second.
    pub rate: f64,
    /// Of the burst, calls that only what takes something back may use: it finds a token at once, whatever goes forward beside it.
    pub kept: f64,
}

/// Of AWS's burst, the part that is left unused. AWS counts a call when it comes in: calls that left here evenly come in bunches, and
/// two that came in together with the bucket empty are one too many. It is a bunch of half a second to a second at AWS's rate.
const BURST_LEFT: f64 = 0.05;
/// Of AWS's rate, the part that is left unused: what a bunch took beyond its time is made up for by it.
const RATE_LEFT: f64 = 0.02;
/// Of the burst, the part that is kept for undoing.
const KEPT: f64 = 0.1;

impl Group {
    /// As AWS publishes it (ECS: request throttling; ELB: API throttling; Route 53, CloudWatch: quotas): burst, and calls a second.
    pub fn published(self) -> (f64, f64) {
        match self {
            Self::ServiceRead | Self::TaskRead => (100.0, 20.0),
            Self::ClusterRead | Self::DefinitionRead | Self::TagRead => (50.0, 20.0),
            Self::DefinitionModify => (20.0, 1.0),
            Self::ServiceModify => (50.0, 5.0),
            Self::TagModify => (20.0, 10.0),
            Self::Elb => (40.0, 10.0),
            Self::ElbHealth => (12.0, 4.0),
            Self::ElbModify => (20.0, 3.0),
            Self::Route53 => (50.0, 10.0),
            Self::CloudMap | Self::ScalingRead | Self::ScalingModify => (20.0, 10.0),
            Self::AlarmRead => (9.0, 9.0),
            Self::MetricData => (50.0, 50.0),
            Self::LogEvents => (25.0, 25.0),
        }
    }

    /// A little below what is published.
    pub fn limit(self) -> Limit {
        let (burst, rate) = self.published();
        let burst = (burst - (burst * BURST_LEFT).max(1.0)).floor();
        let kept = match self {
            // Nothing that is undone registers a task definition, or has to know health often.
            Self::DefinitionModify | Self::ElbHealth => 0.0,
            _ => (burst * KEPT).floor(),
        };
        Limit { burst, rate: rate * (1.0 - RATE_LEFT), kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_below_what_aws_gives() {
        assert_eq!(Group::DefinitionModify.limit(), Limit { burst: 19.0, rate: 0.98, kept: 0.0 });
        let elb = Group::Elb.limit();
        assert_eq!((elb.burst, elb.kept), (38.0, 3.0));
        assert!((elb.rate - 9.8).abs() < 1e-9);
    }
}
