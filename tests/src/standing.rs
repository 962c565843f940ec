//! How the simulated AWS stands, asked through the official SDK: what forwards where, and which services there are.

use anyhow::Context;
use sandbox::world::{SeededDns, World, aws_config};

/// What a customer would see in the AWS console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The target groups that production and stage forward to; with DNS the alias's records.
    pub forwards: [String; 2],
    /// Every service, by name.
    pub services: Vec<StandingService>,
}

/// A service that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StandingService {
    /// Its name.
    pub name: String,
    /// Its desired count.
    pub desired: i32,
    /// Its colour tag, or `none`.
    pub colour: String,
}

/// Looks.
///
/// # Errors
/// When the simulated AWS can't be asked.
pub async fn standing(world: &World) -> anyhow::Result<Standing> {
    let seeded = world.seeded.clone().context("seeded")?;
    let config = aws_config(&world.seed);
    let (ecs, elb) = (aws_sdk_ecs::Client::new(&config), aws_sdk_elasticloadbalancingv2::Client::new(&config));
    let listeners = elb.describe_listeners().load_balancer_arn(&seeded.load_balancer).send().await?;
    let forwards = [&seeded.prod_listener, &seeded.stage_listener].map(|arn| {
        let found = listeners.listeners().iter().find(|listener| listener.listener_arn() == Some(arn));
        let target = found.and_then(|listener| listener.default_actions().first()?.target_group_arn());
        target.unwrap_or("nothing").to_owned()
    });
    let forwards = match &world.dns {
        Some(dns) => records(&aws_sdk_route53::Client::new(&config), dns).await?,
        None => forwards,
    };
    let names = ecs.list_services().cluster(&world.seed.cluster).send().await?;
    let mut services = Vec::new();
    if !names.service_arns().is_empty() {
        let described = ecs
            .describe_services()
            .cluster(&world.seed.cluster)
            .set_services(Some(names.service_arns().to_vec()))
            .include(aws_sdk_ecs::types::ServiceField::Tags)
            .send()
            .await?;
        for service in described.services() {
            let colour = service.tags().iter().find(|tag| tag.key() == Some("BG_VERSION")).and_then(|tag| tag.value());
            services.push(StandingService {
                name: service.service_name().unwrap_or_default().to_owned(),
                desired: service.desired_count(),
                colour: colour.unwrap_or("none").to_owned(),
            });
        }
    }
    services.sort();
    Ok(Standing { forwards, services })
}

/// The alias's records by their set identifiers: where they lead, and how heavily.
async fn records(route53: &aws_sdk_route53::Client, dns: &SeededDns) -> anyhow::Result<[String; 2]> {
    let listed = route53.list_resource_record_sets().hosted_zone_id(&dns.zone).send().await?;
    Ok(["Harness-Blue", "Harness-Green"].map(|identifier| {
        let found = listed.resource_record_sets().iter().find(|record| record.set_identifier() == Some(identifier));
        let told = found.map(|record| {
            let value = record.resource_records().first().map(|record| record.value()).unwrap_or_default();
            format!("{value} {}", record.weight().unwrap_or_default())
        });
        told.unwrap_or_else(|| "nothing".to_owned())
    }))
}
