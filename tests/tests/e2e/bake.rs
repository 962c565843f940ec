//! Production is watched after the swap and put back at the first breach, by the delegate itself: also while the control plane is
//! down.

use std::time::{Duration, Instant};

use anyhow::Context;
use sandbox::{
    demo::Load,
    world::{World, WorldSettings, aws_config},
};
use serde_json::Value;
use tests::{
    deployments::{WORKFLOW, deploy_well, log, newest, outcome, segue, start, until},
    documents::change_workflow,
    programs::programs,
    standing::standing,
};

/// A world whose version 1 serves, and whose next version is watched.
async fn world(bake: &str) -> anyhow::Result<World> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    deploy_well(&world, "1").await?;
    let bake = format!("            bake: {bake}\n");
    change_workflow(&world, |text| {
        text.replace("            probe: /healthz\n", &format!("            probe: /healthz\n{bake}"))
    })
    .await?;
    Ok(world)
}

/// Waits until the new version is watched in production.
async fn baking(world: &World, id: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !log(world, id).await?.iter().any(|line| line.text.starts_with("Baking for")) {
        anyhow::ensure!(Instant::now() < deadline, "the bake did not begin");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// What the listeners forward to, as often as it changes, until told to stop.
async fn production(world: &World) -> anyhow::Result<String> {
    Ok(standing(world).await?.forwards[0].clone())
}

#[tokio::test]
async fn a_version_that_answers_badly_in_production_is_out_of_it_by_one_change() -> anyhow::Result<()> {
    let world = world("{window: 1h, interval: 100ms, probe: /}").await?;
    let before = standing(&world).await?;
    world.aws.forget_calls().await?;
    let load = Load::start(world.prod_url()?, 200);
    let ended = segue(&world, &["deploy", WORKFLOW, "--artifact-tag", "2-500"]).await?;
    let traffic = load.stop().await;

    assert_eq!(ended.code, 10, "{}", ended.all());
    for expected in ["Breach: ", "answered with status 500", "Production was put back to", "the change was begun"] {
        assert!(ended.all().contains(expected), "expected {expected:?} in\n{}", ended.all());
    }
    // The bad version's own answers, and no other request, failed: the stage check asks for what it answers well.
    let own = traffic.failures.iter().filter(|(reason, _)| reason.contains("500")).map(|(_, count)| count).sum::<u64>();
    assert_eq!(traffic.failed, own, "{traffic:?}");
    assert!(traffic.by_version.contains_key("1"), "{traffic:?}");
    // Two changes of the swap, one back, and stage's by the undo.
    assert_eq!(world.aws.counts().await?.get("elasticloadbalancing:ModifyListener"), Some(&4));
    let after = standing(&world).await?;
    assert_eq!((after.forwards, &after.services[0]), (before.forwards, &before.services[0]));
    world.stop().await
}

#[tokio::test]
async fn production_is_put_back_while_the_control_plane_is_down() -> anyhow::Result<()> {
    let mut world = world("{window: 1h, interval: 100ms}").await?;
    let before = standing(&world).await?;
    let id = start(&world, "2").await?;
    baking(&world, &id).await?;
    assert_ne!(production(&world).await?, before.forwards[0], "the new version serves");
    world.kill_server().await?;
    // Longer than any lease.
    tokio::time::sleep(world.settings.lease + Duration::from_secs(1)).await;

    // The new version's tasks die.
    let ecs = aws_sdk_ecs::Client::new(&aws_config(&world.seed));
    let service = standing(&world).await?.services.pop().context("the new service")?.name;
    let tasks = ecs.list_tasks().cluster(&world.seed.cluster).service_name(&service).send().await?;
    let broken = Instant::now();
    for task in tasks.task_arns() {
        ecs.stop_task().cluster(&world.seed.cluster).task(task).send().await?;
    }
    while production(&world).await? != before.forwards[0] {
        anyhow::ensure!(broken.elapsed() < Duration::from_secs(30), "production was not put back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // It learns of it when it is back, and the deployment ends as what it is.
    world.restart_server().await?;
    let view = until(&world, &id, Duration::from_secs(90), |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&view).as_deref(), Some("rolledBack"), "{view:#}");
    let failure = view["steps"].as_array().into_iter().flatten().find_map(|step| step["failure"]["message"].as_str());
    assert!(failure.is_some_and(|message| message.contains("Production was put back to")), "{view:#}");
    let after = standing(&world).await?;
    assert_eq!((after.forwards, &after.services[0]), (before.forwards, &before.services[0]));
    world.stop().await
}

#[tokio::test]
async fn a_successor_watches_on_and_nothing_old_is_taken_away_before_the_promise_is_over() -> anyhow::Result<()> {
    let mut world = world("{window: 3s, interval: 100ms}").await?;
    let id = start(&world, "2").await?;
    baking(&world, &id).await?;
    world.delegates[0].process.kill().await?;
    world.restart_delegate(0)?;
    let view = until(&world, &id, Duration::from_secs(120), |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&view).as_deref(), Some("succeeded"), "{view:#}");
    let attempts = |view: &Value| {
        view["steps"].as_array().map(|steps| steps.iter().map(|step| step["attempts"].as_array().map_or(0, Vec::len)).max())
    };
    assert_eq!(attempts(&newest(&world).await?), Some(Some(2)), "another process took the watch over");
    let baked: Vec<_> = log(&world, &id).await?.into_iter().filter(|line| line.text.starts_with("Baking for")).collect();
    assert_eq!(baked.len(), 2, "{baked:?}");
    let seconds =
        baked[1].text.strip_prefix("Baking for ").and_then(|rest| rest.split(' ').next()).and_then(|s| s.parse::<f64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 20.0), "as long as the promise of the one that was lost runs: {baked:?}");
    world.stop().await
}
