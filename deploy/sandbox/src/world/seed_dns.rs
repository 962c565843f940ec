//! What a platform team has in AWS before it deploys blue/green with DNS: a Cloud Map namespace with two services that alternate, and
//! a hosted zone of its own for the name that customers use.

use anyhow::Context;
use aws_sdk_route53 as route53;
use aws_sdk_servicediscovery as cloud_map;
use cloud_map::types::{DnsConfig, DnsRecord, OperationTargetType, RecordType, RoutingPolicy};

use super::seed::{Seed, aws_config};

/// The namespace of the two services.
const NAMESPACE: &str = "shop.internal";
/// The zone of the alias.
const ZONE: &str = "shop.example";

/// What was made.
#[derive(Debug, Clone)]
pub struct SeededDns {
    /// ARN of the first Cloud Map service, `service1.shop.internal`.
    pub registry1: String,
    /// ARN of the second.
    pub registry2: String,
    /// Id of the hosted zone.
    pub zone: String,
    /// The name that customers use, without a trailing dot.
    pub alias: String,
}

/// Makes them.
///
/// # Errors
/// When AWS refuses something.
pub async fn seed_dns(seed: &Seed) -> anyhow::Result<SeededDns> {
    let config = aws_config(seed);
    let map = cloud_map::Client::new(&config);
    let made = map.create_private_dns_namespace().name(NAMESPACE).vpc("vpc-0ddddddddddddddd").send().await;
    let made = made.context("servicediscovery:CreatePrivateDnsNamespace")?;
    let operation = map.get_operation().operation_id(made.operation_id().unwrap_or_default()).send().await;
    let operation = operation.context("servicediscovery:GetOperation")?;
    let targets = operation.operation().and_then(|operation| operation.targets());
    let namespace = targets.and_then(|targets| targets.get(&OperationTargetType::Namespace)).context("no namespace was made")?;
    let dns = route53::Client::new(&config);
    let zone = dns.create_hosted_zone().name(ZONE).caller_reference("sandbox").send().await;
    let zone = zone.context("route53:CreateHostedZone")?;
    let zone = zone.hosted_zone().context("no hosted zone was returned")?;
    Ok(SeededDns {
        registry1: registry(&map, namespace, "service1").await?,
        registry2: registry(&map, namespace, "service2").await?,
        zone: zone.id().rsplit('/').next().unwrap_or_default().to_owned(),
        alias: format!("todolist.{ZONE}"),
    })
}

async fn registry(map: &cloud_map::Client, namespace: &str, name: &str) -> anyhow::Result<String> {
    let record = |kind: RecordType| DnsRecord::builder().r#type(kind).ttl(1).build();
    let config = DnsConfig::builder()
        .routing_policy(RoutingPolicy::Multivalue)
        .dns_records(record(RecordType::A)?)
        .dns_records(record(RecordType::Srv)?)
        .build()?;
    let made = map.create_service().name(name).namespace_id(namespace).dns_config(config).send().await;
    let made = made.context("servicediscovery:CreateService")?;
    Ok(made.service().and_then(|service| service.arn()).context("a Cloud Map service without an ARN")?.to_owned())
}
