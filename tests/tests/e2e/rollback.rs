//! `segue rollback`: production back to the version before, after a deployment had succeeded, and every reason to refuse it.

use std::time::Duration;

use anyhow::Context;
use sandbox::{
    demo::Load,
    world::{World, WorldSettings, aws_config},
};
use serde_json::Value;
use tests::{
    deployments::{WORKFLOW, deploy_well, newest, outcome, segue, show, until},
    documents::append_step,
    programs::programs,
    standing::standing,
};

async fn world(settings: WorldSettings) -> anyhow::Result<World> {
    World::start(programs(), WorldSettings { delegates: 1, ..settings }).await
}

fn id(view: &Value) -> anyhow::Result<String> {
    Ok(view["id"].as_str().context("an id")?.to_owned())
}

#[tokio::test]
async fn production_goes_back_in_one_switch_without_a_failed_request() -> anyhow::Result<()> {
    let world = world(WorldSettings::default()).await?;
    deploy_well(&world, "1").await?;
    let first = standing(&world).await?;
    let second = id(&deploy_well(&world, "2").await?)?;

    // Without a terminal nobody can be asked; looking is allowed.
    let unasked = segue(&world, &["rollback"]).await?;
    assert_eq!(unasked.code, 3, "{}", unasked.all());
    assert!(unasked.all().contains("--yes"), "{}", unasked.all());
    let seen = segue(&world, &["rollback", "--preview"]).await?;
    assert_eq!(seen.code, 0, "{}", seen.all());
    for expected in [&second, "harness/todolist-sample:2", "harness/todolist-sample:1", "2 instances"] {
        assert!(seen.all().contains(expected), "expected {expected:?} in\n{}", seen.all());
    }

    world.aws.forget_calls().await?;
    let load = Load::start(world.prod_url()?, 200);
    let ended = segue(&world, &["rollback", "--yes"]).await?;
    let traffic = load.stop().await;
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert_eq!(traffic.failed, 0, "{traffic:?}");
    for expected in ["harness/todolist-sample:1 serves production again", &second, "The switch of traffic took"] {
        assert!(ended.all().contains(expected), "expected {expected:?} in\n{}", ended.all());
    }
    assert_eq!(world.aws.counts().await?.get("elasticloadbalancing:ModifyListener"), Some(&2), "one switch of the two listeners");

    // Version 1 serves again; version 2's service is kept at 0, as every previous version is.
    let after = standing(&world).await?;
    assert_eq!(after.forwards, first.forwards);
    assert_eq!(after.services[0], first.services[0]);
    assert_eq!((after.services[1].desired, after.services[1].colour.as_str()), (0, "GREEN"));
    let rollback = newest(&world).await?;
    assert_eq!(rollback["rollsBack"], second.as_str(), "{rollback:#}");
    assert_eq!(show(&world, &second).await?["rolledBackBy"], rollback["id"], "the success says that it was taken back");

    // Not twice, and not by another name.
    for arguments in [vec!["rollback", "--yes"], vec!["rollback", &second, "--yes"]] {
        let again = segue(&world, &arguments).await?;
        assert_eq!(again.code, 3, "{}", again.all());
        assert!(again.all().contains("was rolled back already"), "{}", again.all());
    }
    // The line goes on as ever.
    deploy_well(&world, "3").await?;
    world.stop().await
}

#[tokio::test]
async fn it_is_refused_with_the_reason_before_anything_is_changed() -> anyhow::Result<()> {
    let world = world(WorldSettings::default()).await?;
    let refused = async |arguments: &[&str], code: i32, expected: &[&str]| -> anyhow::Result<()> {
        let before = standing(&world).await?;
        let ended = segue(&world, arguments).await?;
        assert_eq!(ended.code, code, "{}", ended.all());
        for expected in expected {
            assert!(ended.all().contains(expected), "expected {expected:?} in\n{}", ended.all());
        }
        assert_eq!(standing(&world).await?, before, "nothing was changed");
        Ok(())
    };
    refused(&["rollback", "--yes"], 3, &["no deployment has succeeded there"]).await?;
    let first = id(&deploy_well(&world, "1").await?)?;
    refused(&["rollback", "--yes"], 3, &[&first, "was the first of its line"]).await?;
    let second = id(&deploy_well(&world, "2").await?)?;
    refused(&["rollback", &first, "--yes"], 3, &[&format!("{second} succeeded after {first}")]).await?;
    refused(&["rollback", "--service", "nobody", "--yes"], 3, &["no deployment has succeeded there"]).await?;
    refused(&["rollback", "dep_x", "--yes"], 3, &["deployment_id"]).await?;

    // While another one is at work on the line.
    append_step(&world, "        - wait: 1h\n          name: Hold\n").await?;
    let third = tests::deployments::start(&world, "3").await?;
    until(&world, &third, Duration::from_secs(120), |view| {
        view["steps"].as_array().into_iter().flatten().any(|step| step["name"] == "Hold" && step["state"] == "running")
    })
    .await?;
    refused(&["rollback", "--yes"], 3, &[&format!("{third} runs on this service")]).await?;
    segue(&world, &["deployment", "succeed", &third]).await?;
    until(&world, &third, Duration::from_secs(60), |view| outcome(view).as_deref() == Some("succeeded")).await?;

    // The version before is gone: somebody deleted its service.
    let ecs = aws_sdk_ecs::Client::new(&aws_config(&world.seed));
    let before = standing(&world).await?;
    let kept = before.services.iter().find(|service| service.desired == 0).context("the version before is kept")?;
    ecs.delete_service().cluster(&world.seed.cluster).service(&kept.name).force(true).send().await?;
    let gone = format!("The previous version is gone: the ECS service {}", kept.name);
    refused(&["rollback", "--yes"], 3, &[&gone, &format!("segue deploy {WORKFLOW} --artifact-tag 2")]).await?;
    world.stop().await
}

#[tokio::test]
async fn killed_in_the_middle_it_still_goes_back() -> anyhow::Result<()> {
    let latency = vec!["--latency-ms".to_owned(), "40".to_owned()];
    let mut world = world(WorldSettings { aws_arguments: latency, ..WorldSettings::default() }).await?;
    deploy_well(&world, "1").await?;
    let first = standing(&world).await?;
    for (step, kill_delegate) in [(1, true), (2, true), (2, false)] {
        deploy_well(&world, "2").await?;
        let accepted = segue(&world, &["rollback", "--yes", "--detach", "-o", "json"]).await?;
        let accepted: Value = serde_json::from_str(&accepted.stdout).with_context(|| accepted.all())?;
        let rollback = id(&accepted)?;
        let limit = Duration::from_secs(90);
        until(&world, &rollback, limit, |view| view["steps"][step]["state"] == "running" || outcome(view).is_some()).await?;
        if kill_delegate {
            world.delegates[0].process.kill().await?;
            world.restart_delegate(0)?;
        } else {
            world.kill_server().await?;
            world.restart_server().await?;
        }
        let view = until(&world, &rollback, limit, |view| outcome(view).is_some()).await?;
        assert_eq!(outcome(&view).as_deref(), Some("succeeded"), "killed in step {step}: {view:#}");
        let after = standing(&world).await?;
        let serving = after.services.iter().filter(|service| service.desired > 0).collect::<Vec<_>>();
        assert_eq!((after.forwards, serving), (first.forwards.clone(), vec![&first.services[0]]), "killed in step {step}");
    }
    world.stop().await
}
