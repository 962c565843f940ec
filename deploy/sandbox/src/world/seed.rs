//! What a platform team has in AWS before it deploys: a cluster, a load balancer with a production and a stage listener, and their
//! two target groups. Made through AWS's own API by the official SDK, as Terraform would.

use std::time::Duration;

use anyhow::{Context, bail};
use aws_credential_types::Credentials;
use aws_sdk_elasticloadbalancingv2 as elbv2;
use elbv2::types::{Action, ActionTypeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum, ProtocolEnum, TargetTypeEnum};

/// Where and as whom to call the simulated AWS.
#[derive(Debug, Clone)]
pub struct Seed {
    /// `http://127.0.0.1:4566`.
    pub endpoint: String,
    /// Region of everything.
    pub region: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Name of the cluster.
    pub cluster: String,
    /// The load balancer.
    pub load_balancer: LoadBalancerSeed,
}

/// A load balancer with two listeners and two target groups.
#[derive(Debug, Clone)]
pub struct LoadBalancerSeed {
    /// Its name; the target groups are `<name>-1` and `<name>-2`.
    pub name: String,
    /// Port of the production listener.
    pub prod_port: u16,
    /// Port of the stage listener.
    pub stage_port: u16,
    /// Port of the target groups: the container's.
    pub target_port: u16,
    /// Seconds between health checks (5 to 300).
    pub health_check_seconds: i32,
    /// Seconds a target drains.
    pub deregistration_delay_seconds: u32,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Seeded {
    /// The load balancer's ARN.
    pub load_balancer: String,
    /// The address it answers at.
    pub dns_name: String,
    /// The production listener's ARN.
    pub prod_listener: String,
    /// The stage listener's ARN.
    pub stage_listener: String,
    /// The target group that production forwards to at first.
    pub prod_target_group: String,
    /// The target group that stage forwards to at first.
    pub stage_target_group: String,
}

/// An SDK configuration that calls the simulator with fixed keys and takes nothing from the environment.
pub fn aws_config(seed: &Seed) -> aws_config::SdkConfig {
    let credentials = Credentials::new(&seed.access_key, &seed.secret_key, None, None, "segue-sandbox");
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(seed.region.clone()))
        .endpoint_url(&seed.endpoint)
        .credentials_provider(aws_sdk_ecs::config::SharedCredentialsProvider::new(credentials))
        .build()
}

/// Makes the cluster, the target groups, the load balancer and its listeners, and waits until the load balancer is active.
///
/// # Errors
/// When AWS refuses something.
pub async fn seed(seed: &Seed) -> anyhow::Result<Seeded> {
    let config = aws_config(seed);
    let ecs = aws_sdk_ecs::Client::new(&config);
    let elb = elbv2::Client::new(&config);
    let wanted = &seed.load_balancer;

    ecs.create_cluster().cluster_name(&seed.cluster).send().await.context("ecs:CreateCluster")?;
    let prod_target_group = target_group(&elb, wanted, 1).await?;
    let stage_target_group = target_group(&elb, wanted, 2).await?;
    let (arn, dns_name) = load_balancer(&elb, &wanted.name).await?;
    Ok(Seeded {
        prod_listener: listener(&elb, &arn, wanted.prod_port, &prod_target_group).await?,
        stage_listener: listener(&elb, &arn, wanted.stage_port, &stage_target_group).await?,
        load_balancer: arn,
        dns_name,
        prod_target_group,
        stage_target_group,
    })
}

/// A load balancer that is active; its ARN and the address it answers at.
pub(super) async fn load_balancer(elb: &elbv2::Client, name: &str) -> anyhow::Result<(String, String)> {
    let created = elb
        .create_load_balancer()
        .name(name)
        .r#type(LoadBalancerTypeEnum::Application)
        .subnets("subnet-0aaaaaaaaaaaaaaa1")
        .subnets("subnet-0bbbbbbbbbbbbbbb2")
        .security_groups("sg-0cccccccccccccccc")
        .send()
        .await
        .context("elasticloadbalancing:CreateLoadBalancer")?;
    let load_balancer = created.load_balancers().first().context("no load balancer was returned")?;
    let arn = load_balancer.load_balancer_arn().context("a load balancer without an ARN")?.to_owned();
    let dns_name = load_balancer.dns_name().context("a load balancer without a DNS name")?.to_owned();
    active(elb, &arn).await?;
    Ok((arn, dns_name))
}

pub(super) async fn target_group(elb: &elbv2::Client, wanted: &LoadBalancerSeed, number: u8) -> anyhow::Result<String> {
    let created = elb
        .create_target_group()
        .name(format!("{}-{number}", wanted.name))
        .protocol(ProtocolEnum::Http)
        .port(i32::from(wanted.target_port))
        .vpc_id("vpc-0ddddddddddddddd")
        .target_type(TargetTypeEnum::Ip)
        .health_check_path("/healthz")
        .health_check_interval_seconds(wanted.health_check_seconds)
        .health_check_timeout_seconds(wanted.health_check_seconds.min(5) - 1)
        .healthy_threshold_count(2)
        .unhealthy_threshold_count(2)
        .send()
        .await
        .context("elasticloadbalancing:CreateTargetGroup")?;
    let arn =
        created.target_groups().first().and_then(|group| group.target_group_arn()).context("no target group was returned")?;
    let delay = elbv2::types::TargetGroupAttribute::builder()
        .key("deregistration_delay.timeout_seconds")
        .value(wanted.deregistration_delay_seconds.to_string())
        .build();
    elb.modify_target_group_attributes()
        .target_group_arn(arn)
        .attributes(delay)
        .send()
        .await
        .context("elasticloadbalancing:ModifyTargetGroupAttributes")?;
    Ok(arn.to_owned())
}

pub(super) async fn listener(elb: &elbv2::Client, load_balancer: &str, port: u16, target_group: &str) -> anyhow::Result<String> {
    let forward = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group).build();
    let created = elb
        .create_listener()
        .load_balancer_arn(load_balancer)
        .protocol(ProtocolEnum::Http)
        .port(i32::from(port))
        .default_actions(forward)
        .send()
        .await
        .context("elasticloadbalancing:CreateListener")?;
    let arn = created.listeners().first().and_then(|listener| listener.listener_arn()).context("no listener was returned")?;
    Ok(arn.to_owned())
}

async fn active(elb: &elbv2::Client, arn: &str) -> anyhow::Result<()> {
    // AWS takes minutes for this; the simulator as long divided by its clock factor.
    for _ in 0..1_500 {
        let described = elb.describe_load_balancers().load_balancer_arns(arn).send().await?;
        let state = described.load_balancers().first().and_then(|lb| lb.state()).and_then(|state| state.code());
        if state == Some(&LoadBalancerStateEnum::Active) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("{arn} did not become active")
}
