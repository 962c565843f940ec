//! More of AWS than a world has from the start: rules, listeners with TLS, further load balancers. Made through the official SDK.

use std::time::Duration;

use anyhow::{Context, bail};
use aws_sdk_elasticloadbalancingv2 as elbv2;
use elbv2::types::{
    Action, ActionTypeEnum, Certificate, FixedResponseActionConfig, LoadBalancerStateEnum, LoadBalancerTypeEnum, ProtocolEnum,
    RuleCondition, TargetTypeEnum,
};
use sandbox::world::{World, aws_config};

/// The load balancing API of a world's simulated AWS.
pub fn load_balancing(world: &World) -> elbv2::Client {
    elbv2::Client::new(&aws_config(&world.seed))
}

fn forward(target_group: &str) -> Action {
    Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group).build()
}

/// The world's listeners lead nowhere by themselves; a rule of each leads to what they led to before.
///
/// # Errors
/// When AWS refuses something.
pub async fn lead_by_rules(world: &World, prod_priority: i32, stage_priority: i32) -> anyhow::Result<()> {
    let elb = load_balancing(world);
    let seeded = world.seeded.clone().context("seeded")?;
    let routes = [
        (&seeded.prod_listener, prod_priority, &seeded.prod_target_group),
        (&seeded.stage_listener, stage_priority, &seeded.stage_target_group),
    ];
    for (listener, priority, group) in routes {
        let everything = RuleCondition::builder().field("path-pattern").values("/*").build();
        let rule = elb.create_rule().listener_arn(listener).priority(priority).conditions(everything);
        rule.actions(forward(group)).send().await.context("CreateRule")?;
        let not_here = FixedResponseActionConfig::builder().status_code("404").build();
        let not_here = Action::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(not_here).build();
        elb.modify_listener().listener_arn(listener).default_actions(not_here).send().await.context("ModifyListener")?;
    }
    Ok(())
}

/// HTTPS listeners of the world's load balancer, to the same groups as its own two.
///
/// # Errors
/// When AWS refuses something.
pub async fn add_tls(world: &World, prod_port: u16, stage_port: u16) -> anyhow::Result<()> {
    let elb = load_balancing(world);
    let seeded = world.seeded.clone().context("seeded")?;
    for (port, group) in [(prod_port, &seeded.prod_target_group), (stage_port, &seeded.stage_target_group)] {
        let certificate = format!("arn:aws:acm:{}:123456789012:certificate/shop", world.seed.region);
        elb.create_listener()
            .load_balancer_arn(&seeded.load_balancer)
            .protocol(ProtocolEnum::Https)
            .port(i32::from(port))
            .certificates(Certificate::builder().certificate_arn(certificate).build())
            .default_actions(forward(group))
            .send()
            .await
            .context("CreateListener")?;
    }
    Ok(())
}

/// A further load balancer with two listeners and two groups of its own; gives where it answers.
///
/// # Errors
/// When AWS refuses something.
pub async fn add_load_balancer(
    world: &World,
    name: &str,
    kind: LoadBalancerTypeEnum,
    (prod_port, stage_port): (u16, u16),
) -> anyhow::Result<String> {
    let elb = load_balancing(world);
    let network = kind == LoadBalancerTypeEnum::Network;
    let protocol = if network { ProtocolEnum::Tcp } else { ProtocolEnum::Http };
    let created = elb.create_load_balancer().name(name).r#type(kind).subnets("subnet-0aaaaaaaaaaaaaaa1");
    let created = created.subnets("subnet-0bbbbbbbbbbbbbbb2").send().await.context("CreateLoadBalancer")?;
    let balancer = created.load_balancers().first().context("a load balancer")?;
    let arn = balancer.load_balancer_arn().context("an ARN")?;
    active(&elb, arn).await?;
    for (number, port) in [(1, prod_port), (2, stage_port)] {
        let group = elb
            .create_target_group()
            .name(format!("{name}-{number}"))
            .protocol(protocol.clone())
            .port(i32::from(world.settings.workload.container_port))
            .vpc_id("vpc-0ddddddddddddddd")
            .target_type(TargetTypeEnum::Ip)
            .health_check_interval_seconds(5)
            .health_check_timeout_seconds(4)
            .healthy_threshold_count(2)
            .unhealthy_threshold_count(2)
            .set_health_check_path((!network).then(|| "/healthz".to_owned()));
        let group = group.send().await.context("CreateTargetGroup")?;
        let group = group.target_groups().first().and_then(|group| group.target_group_arn()).context("a target group")?;
        let delay = elbv2::types::TargetGroupAttribute::builder().key("deregistration_delay.timeout_seconds").value("20").build();
        elb.modify_target_group_attributes().target_group_arn(group).attributes(delay).send().await?;
        let listener = elb.create_listener().load_balancer_arn(arn).protocol(protocol.clone()).port(i32::from(port));
        listener.default_actions(forward(group)).send().await.context("CreateListener")?;
    }
    Ok(balancer.dns_name().context("a DNS name")?.to_owned())
}

async fn active(elb: &elbv2::Client, arn: &str) -> anyhow::Result<()> {
    for _ in 0..300 {
        let described = elb.describe_load_balancers().load_balancer_arns(arn).send().await?;
        let state = described.load_balancers().first().and_then(|balancer| balancer.state()).and_then(|state| state.code());
        if state == Some(&LoadBalancerStateEnum::Active) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("{arn} did not become active")
}
