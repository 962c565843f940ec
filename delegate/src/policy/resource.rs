//! What an ARN is of.

/// The load balancer's name in the ARN of a listener, a rule or the load balancer itself:
/// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/ID/ID`.
pub(super) fn load_balancer_of(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    let mut parts = resource.split('/');
    let kind = parts.next()?;
    if !matches!(kind, "loadbalancer" | "listener" | "listener-rule") {
        return None;
    }
    matches!(parts.next()?, "app" | "net" | "gwy").then(|| parts.next()).flatten()
}

/// What of ECS may bear tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tagged<'a> {
    /// A service in a cluster: `arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/SERVICE`.
    Service(&'a str, &'a str),
    /// A task definition: `arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION`.
    TaskDefinition(&'a str),
}

/// What this ARN is of, if it is one of those that Segue tags.
pub(super) fn tagged(arn: &str) -> Option<Tagged<'_>> {
    let resource = arn.splitn(6, ':').nth(5)?;
    match resource.split('/').collect::<Vec<_>>()[..] {
        ["service", cluster, service] => Some(Tagged::Service(cluster, service)),
        ["task-definition", family] => Some(Tagged::TaskDefinition(family.split(':').next().unwrap_or(family))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_say_what_they_are_of() {
        let elb = |resource: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{resource}");
        for (resource, name) in [
            ("listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2", Some("shop")),
            ("listener-rule/net/till/50dc/f2f7/9683", Some("till")),
            ("loadbalancer/app/shop/50dc6c495c0c9188", Some("shop")),
            ("targetgroup/shop/50dc", None),
        ] {
            assert_eq!(load_balancer_of(&elb(resource)), name, "{resource}");
        }
        assert_eq!(tagged("arn:aws:ecs:r:1:service/prod/shop__7"), Some(Tagged::Service("prod", "shop__7")));
        assert_eq!(tagged("arn:aws:ecs:r:1:task-definition/shop:7"), Some(Tagged::TaskDefinition("shop")));
        assert_eq!(tagged("arn:aws:ecs:r:1:cluster/prod"), None);
    }
}
