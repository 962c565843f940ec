//! The main job: three versions in a row behind a load balancer, and not one request lost.

use aws_sdk_ecs::types::ServiceField;
use sandbox::{
    demo::Load,
    world::{World, WorldSettings, aws_config},
};
use serde_json::Value;
use tests::{
    deployments::{deploy_well, outcome, segue},
    programs::programs,
};

#[tokio::test]
async fn three_versions_replace_each_other_under_load() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings::default()).await?;
    let seeded = world.seeded.clone().expect("the simulated AWS was seeded");
    let load = Load::start(world.prod_url()?, 200);
    let mut services = Vec::new();
    for tag in ["1", "2", "3"] {
        let view = deploy_well(&world, tag).await?;
        assert_eq!(outcome(&view).as_deref(), Some("succeeded"), "{view:#}");
        services.push(live_service(&world).await?);
    }
    let traffic = load.stop().await;
    assert_eq!(traffic.failed, 0, "{traffic:?}");
    assert!(traffic.requests > 400, "{traffic:?}");
    for tag in ["1", "2", "3"] {
        assert!(traffic.by_version.get(tag).copied().unwrap_or(0) > 0, "{traffic:?}");
    }

    // The services are ecs__blue__green__elb__<revision>, each deployment's own; the revision grows.
    assert_eq!(services.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{services:?}");

    // Production serves version 3, stage forwards to the other group.
    let config = aws_config(&world.seed);
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config);
    let listeners = elb.describe_listeners().load_balancer_arn(&seeded.load_balancer).send().await?;
    let forwards = |listener: &str| {
        let found =
            listeners.listeners().iter().find(|found| found.listener_arn() == Some(listener)).expect("the listener stands");
        found.default_actions()[0].target_group_arn().expect("it forwards to one group").to_owned()
    };
    // Three swaps: production ended on the group that stage had at first.
    assert_eq!(forwards(&seeded.prod_listener), seeded.stage_target_group);
    assert_eq!(forwards(&seeded.stage_listener), seeded.prod_target_group);

    // New is BLUE at full size; old is GREEN at 0 and not deleted; the one before it is gone since the last setup.
    let ecs = aws_sdk_ecs::Client::new(&config);
    let described = ecs
        .describe_services()
        .cluster(&world.seed.cluster)
        .set_services(Some(services.clone()))
        .include(ServiceField::Tags)
        .send()
        .await?;
    let find = |name: &String| described.services().iter().find(|service| service.service_name() == Some(name));
    let tag = |service: &aws_sdk_ecs::types::Service| {
        service.tags().iter().find(|tag| tag.key() == Some("BG_VERSION")).and_then(|tag| tag.value().map(str::to_owned))
    };
    let live = find(&services[2]).expect("version 3's service");
    assert_eq!((live.status(), live.desired_count(), live.running_count()), (Some("ACTIVE"), 2, 2));
    assert_eq!(tag(live).as_deref(), Some("BLUE"));
    let old = find(&services[1]).expect("version 2's service is kept");
    assert_eq!((old.status(), old.desired_count(), old.running_count()), (Some("ACTIVE"), 0, 0));
    assert_eq!(tag(old).as_deref(), Some("GREEN"));
    assert!(find(&services[0]).is_none_or(|service| service.status() != Some("ACTIVE")), "version 1's service was not deleted");

    // One service each, one revision each.
    let counts = world.aws.counts().await?;
    assert_eq!(counts.get("ecs:CreateService"), Some(&3), "{counts:?}");
    assert_eq!(counts.get("ecs:RegisterTaskDefinition"), Some(&3), "{counts:?}");

    // What a person reads afterwards.
    let listed = segue(&world, &["deployment", "list"]).await?;
    assert_eq!(listed.stdout.matches("succeeded").count(), 3, "{}", listed.all());
    world.stop().await
}

/// The service that bears BLUE now.
async fn live_service(world: &World) -> anyhow::Result<String> {
    let ecs = aws_sdk_ecs::Client::new(&aws_config(&world.seed));
    let listed = ecs.list_services().cluster(&world.seed.cluster).max_results(100).send().await?;
    let described = ecs
        .describe_services()
        .cluster(&world.seed.cluster)
        .set_services(Some(listed.service_arns().to_vec()))
        .include(ServiceField::Tags)
        .send()
        .await?;
    let blue: Vec<_> = described
        .services()
        .iter()
        .filter(|service| service.tags().iter().any(|tag| tag.key() == Some("BG_VERSION") && tag.value() == Some("BLUE")))
        .filter_map(|service| service.service_name().map(str::to_owned))
        .collect();
    assert_eq!(blue.len(), 1, "exactly one service is BLUE: {blue:?}");
    Ok(blue[0].clone())
}

#[tokio::test]
async fn the_demonstration_prints_one_json_object_and_ends_with_0() -> anyhow::Result<()> {
    let mut command = tokio::process::Command::new(programs().path());
    let ended = tests::deployments::ended(command.args(["demo", "--json", "--rate", "200"])).await?;
    assert_eq!(ended.code, 0, "{}", ended.all());
    let summary: Value = serde_json::from_str(&ended.stdout)?;
    let deployments = summary["deployments"].as_array().expect("a list");
    assert_eq!(deployments.len(), 3);
    for deployment in deployments {
        assert_eq!(deployment["outcome"], "succeeded");
        assert!(deployment["id"].as_str().is_some_and(|id| id.starts_with("dep_")));
        assert!(deployment["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
        let steps: Vec<_> = deployment["steps"].as_array().expect("a list").iter().map(|step| &step["name"]).collect();
        assert_eq!(steps, ["ECS Blue Green Load Balancer Setup", "Upgrade Containers", "HTTP Check", "Swap Target Groups"]);
    }
    assert_eq!(summary["traffic"]["failed"], 0);
    assert!(summary["traffic"]["requests"].as_u64().is_some_and(|requests| requests > 400), "{summary:#}");
    assert_eq!(summary["aws_calls"]["ecs:CreateService"], 3);
    Ok(())
}
