//! A deployment that fails late is undone: production serves the version before, AWS stands as it stood, and no request failed.

use std::time::Duration;

use anyhow::Context;
use sandbox::{
    demo::Load,
    world::{World, WorldSettings, aws_config},
};
use serde_json::json;
use tests::{
    deployments::{Ended, WORKFLOW, deploy_well, newest, outcome, segue, until},
    documents::{append_step, change_workflow},
    programs::programs,
    standing::standing,
};

/// The world's workflow, with a check after the swap that nothing can satisfy.
const LATE_CHECK: &str = "        - httpCheck: {url: \"http://127.0.0.1:9/\", within: 1s, interval: 200ms}
          name: Late Check
";

async fn world() -> anyhow::Result<World> {
    World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await
}

/// From here on deployments fail after the swap.
async fn fail_late(world: &World) -> anyhow::Result<()> {
    append_step(world, LATE_CHECK).await
}

async fn deploy(world: &World, tag: &str) -> anyhow::Result<Ended> {
    segue(world, &["deploy", WORKFLOW, "--artifact-tag", tag]).await
}

#[tokio::test]
async fn a_version_that_fails_after_the_swap_goes_back_without_a_failed_request() -> anyhow::Result<()> {
    let world = world().await?;
    deploy_well(&world, "1").await?;
    let before = standing(&world).await?;
    fail_late(&world).await?;

    let load = Load::start(world.prod_url()?, 200);
    let ended = deploy(&world, "2").await?;
    let traffic = load.stop().await;
    assert_eq!(ended.code, 10, "{}", ended.all());
    assert!(!ended.all().contains("succeeded"), "never called a success: {}", ended.all());
    assert_eq!(traffic.failed, 0, "{traffic:?}");
    assert!(traffic.by_version.keys().eq(["1", "2"]), "version 2 served production in between: {:?}", traffic.by_version);

    // The new service stays at 0 and green; everything else is as it was.
    let after = standing(&world).await?;
    assert_eq!(after.forwards, before.forwards);
    assert_eq!(after.services.len(), 2, "{after:?}");
    assert_eq!(after.services[0], before.services[0]);
    assert_eq!((after.services[1].desired, after.services[1].colour.as_str()), (0, "GREEN"));
    world.stop().await
}

#[tokio::test]
async fn a_first_deployment_that_fails_leaves_listeners_as_they_were_and_nothing_running() -> anyhow::Result<()> {
    let world = world().await?;
    let before = standing(&world).await?;
    fail_late(&world).await?;
    let ended = deploy(&world, "1").await?;
    assert_eq!(ended.code, 10, "{}", ended.all());
    let after = standing(&world).await?;
    assert_eq!(after.forwards, before.forwards);
    assert!(after.services.iter().all(|service| service.desired == 0), "{after:?}");
    world.stop().await
}

#[tokio::test]
async fn what_could_not_be_undone_is_told_and_taken_up_again() -> anyhow::Result<()> {
    let world = world().await?;
    deploy_well(&world, "1").await?;
    let before = standing(&world).await?;
    fail_late(&world).await?;
    // The two changes of the swap pass; from then on AWS refuses to touch a listener.
    let denied = json!({"kind": "refuse", "code": "AccessDenied", "message": "not authorized to ModifyListener", "status": 403});
    world.aws.add_fault(&json!({"operation": "elasticloadbalancing:ModifyListener", "fault": denied, "after": 2})).await?;

    let ended = deploy(&world, "2").await?;
    assert_eq!(ended.code, 11, "{}", ended.all());
    let view = newest(&world).await?;
    let id = view["id"].as_str().context("an id")?.to_owned();
    for expected in ["needs an operator", "AccessDenied", "Rollback Swap Target Groups", &format!("segue deployment retry {id}")]
    {
        assert!(ended.all().contains(expected), "expected {expected:?} in\n{}", ended.all());
    }

    world.aws.clear_faults().await?;
    let retried = segue(&world, &["deployment", "retry", &id]).await?;
    assert_eq!(retried.code, 0, "{}", retried.all());
    let ended = segue(&world, &["deployment", "watch", &id]).await?;
    assert_eq!(ended.code, 10, "{}", ended.all());
    let after = standing(&world).await?;
    assert_eq!((after.forwards, &after.services[0]), (before.forwards, &before.services[0]));

    // A second time there is nothing to take up.
    let over = segue(&world, &["deployment", "retry", &id]).await?;
    assert_eq!(over.code, 3, "{}", over.all());
    world.stop().await
}

/// A person points production to a group of their own; gives its ARN.
async fn point_production_elsewhere(world: &World) -> anyhow::Result<String> {
    let seeded = world.seeded.clone().context("seeded")?;
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&aws_config(&world.seed));
    let own = elb
        .create_target_group()
        .name("somebodys")
        .protocol(aws_sdk_elasticloadbalancingv2::types::ProtocolEnum::Http)
        .port(8080)
        .vpc_id("vpc-0ddddddddddddddd")
        .target_type(aws_sdk_elasticloadbalancingv2::types::TargetTypeEnum::Ip)
        .send()
        .await?;
    let own = own.target_groups().first().and_then(|group| group.target_group_arn()).context("a group")?.to_owned();
    let forward = aws_sdk_elasticloadbalancingv2::types::Action::builder()
        .r#type(aws_sdk_elasticloadbalancingv2::types::ActionTypeEnum::Forward)
        .target_group_arn(&own)
        .build();
    elb.modify_listener().listener_arn(&seeded.prod_listener).default_actions(forward).send().await?;
    Ok(own)
}

#[tokio::test]
async fn a_listener_that_somebody_changed_between_setup_and_swap_is_not_touched() -> anyhow::Result<()> {
    let world = world().await?;
    deploy_well(&world, "1").await?;
    let hold = "        - wait: 1h\n          name: Hold\n        - swapTargetGroups:\n";
    change_workflow(&world, |text| text.replace("        - swapTargetGroups:\n", hold)).await?;
    let id = tests::deployments::start(&world, "2").await?;
    until(&world, &id, Duration::from_secs(120), |view| {
        view["steps"].as_array().into_iter().flatten().any(|step| step["name"] == "Hold" && step["state"] == "running")
    })
    .await?;
    let own = point_production_elsewhere(&world).await?;
    let before = standing(&world).await?;
    segue(&world, &["deployment", "succeed", &id]).await?;
    let ended = segue(&world, &["deployment", "watch", &id]).await?;
    assert_eq!(ended.code, 10, "{}", ended.all());
    for expected in [own.as_str(), "when the setup ran and forwards to", "Another tool or person changed it"] {
        assert!(ended.all().contains(expected), "expected {expected:?} in\n{}", ended.all());
    }
    let after = standing(&world).await?;
    assert_eq!((&after.forwards, &after.services[0]), (&before.forwards, &before.services[0]), "what the person set stands");
    world.stop().await
}

#[tokio::test]
async fn a_listener_that_somebody_else_changed_is_left_alone_and_told() -> anyhow::Result<()> {
    let world = world().await?;
    deploy_well(&world, "1").await?;
    append_step(&world, "        - wait: 1h\n          name: Hold\n").await?;
    let accepted = tests::deployments::start(&world, "2").await?;
    until(&world, &accepted, Duration::from_secs(120), |view| {
        view["steps"].as_array().into_iter().flatten().any(|step| step["name"] == "Hold" && step["state"] == "running")
    })
    .await?;

    let own = point_production_elsewhere(&world).await?;
    let said = segue(&world, &["deployment", "rollback", &accepted]).await?;
    assert_eq!(said.code, 0, "{}", said.all());
    let ended = segue(&world, &["deployment", "watch", &accepted]).await?;
    assert_eq!(ended.code, 11, "{}", ended.all());
    for expected in [own.as_str(), "which this deployment did not set", "left as it is"] {
        assert!(ended.all().contains(expected), "expected {expected:?} in\n{}", ended.all());
    }
    assert_eq!(standing(&world).await?.forwards[0], own, "what the person set stands");
    assert_eq!(outcome(&newest(&world).await?).as_deref(), Some("needsOperator"));
    world.stop().await
}
