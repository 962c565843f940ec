//! kill -9 of the delegate in each step, and of the control plane in each step: the deployment still succeeds, with nothing done
//! twice, nothing left behind, and every log line that was acknowledged there once.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context;
use sandbox::world::{World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{holes, log, outcome, show, start, until},
    programs::programs,
};

const STEPS: [&str; 4] = ["ECS Blue Green Load Balancer Setup", "Upgrade Containers", "HTTP Check", "Swap Target Groups"];
const LIMIT: Duration = Duration::from_secs(90);

/// Each AWS call takes as long as it does over a network, so that there is a middle of a step to be killed in.
fn settings() -> WorldSettings {
    WorldSettings { aws_arguments: vec!["--latency-ms".to_owned(), "40".to_owned()], ..WorldSettings::default() }
}

/// The delegate that holds the step now, if one does.
fn holder(view: &Value, step: usize) -> Option<String> {
    let step = &view["steps"][step];
    if step["state"] != "running" {
        return None;
    }
    step["attempts"].as_array()?.last()?["delegate"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_delegate_killed_in_any_step_is_succeeded_by_another() -> anyhow::Result<()> {
    let mut world = World::start(programs(), settings()).await?;
    for (step, name) in STEPS.into_iter().enumerate() {
        let tag = (step + 1).to_string();
        let id = start(&world, &tag).await?;
        let view = until(&world, &id, LIMIT, |view| holder(view, step).is_some() || outcome(view).is_some()).await?;
        let victim = holder(&view, step).with_context(|| format!("{name} was over before it was seen running"))?;
        let index = delegate_index(&world, &victim).await?;
        world.delegates[index].process.kill().await?;

        let view = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
        assert_eq!(outcome(&view).as_deref(), Some("succeeded"), "killed in {name}: {view:#}");
        let holders: BTreeSet<_> = view["steps"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|step| step["attempts"].as_array().into_iter().flatten())
            .filter_map(|attempt| attempt["delegate"].as_str())
            .collect();
        assert_eq!(holders.len(), 2, "killed in {name}: another delegate took over: {view:#}");
        check(&world, &id, step + 1, name).await?;

        world.restart_delegate(index)?;
        let restarted = world.delegates[index].name.clone();
        world.connected(&restarted).await?;
    }
    world.stop().await
}

#[tokio::test]
async fn a_control_plane_killed_in_any_step_goes_on_where_it_was() -> anyhow::Result<()> {
    let mut world = World::start(programs(), settings()).await?;
    for (step, name) in STEPS.into_iter().enumerate() {
        let tag = (step + 1).to_string();
        let id = start(&world, &tag).await?;
        let view = until(&world, &id, LIMIT, |view| holder(view, step).is_some() || outcome(view).is_some()).await?;
        assert!(outcome(&view).is_none(), "{name} was over before it was seen running");
        world.kill_server().await?;
        world.restart_server().await?;

        let view = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
        assert_eq!(outcome(&view).as_deref(), Some("succeeded"), "killed in {name}: {view:#}");
        check(&world, &id, step + 1, name).await?;
    }
    world.stop().await
}

#[tokio::test]
async fn both_killed_at_once_and_started_again_go_on() -> anyhow::Result<()> {
    let mut world = World::start(programs(), WorldSettings { delegates: 1, ..settings() }).await?;
    let id = start(&world, "1").await?;
    until(&world, &id, LIMIT, |view| holder(view, 1).is_some()).await?;
    world.delegates[0].process.kill().await?;
    world.kill_server().await?;
    world.restart_server().await?;
    world.restart_delegate(0)?;
    let view = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&view).as_deref(), Some("succeeded"), "{view:#}");
    check(&world, &id, 1, "both killed").await?;
    world.stop().await
}

#[tokio::test]
async fn a_delegate_told_to_stop_hands_over_and_says_goodbye() -> anyhow::Result<()> {
    let mut world = World::start(programs(), settings()).await?;
    let id = start(&world, "1").await?;
    let view = until(&world, &id, LIMIT, |view| holder(view, 1).is_some()).await?;
    let index = delegate_index(&world, &holder(&view, 1).context("held")?).await?;
    let status = world.delegates[index].process.stop(Duration::from_secs(20)).await?;
    assert!(status.success(), "a drained delegate ends with 0, not {status}");
    let view = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&view).as_deref(), Some("succeeded"), "{view:#}");
    check(&world, &id, 1, "drained").await?;
    world.stop().await
}

async fn delegate_index(world: &World, id: &str) -> anyhow::Result<usize> {
    let listed: Value = serde_json::from_str(&world.segue(&["delegate", "list", "-o", "json"]).await?)?;
    let name = listed
        .as_array()
        .into_iter()
        .flatten()
        .find(|delegate| delegate["id"] == id)
        .and_then(|delegate| delegate["name"].as_str())
        .with_context(|| format!("no delegate {id} in {listed}"))?;
    world.delegates.iter().position(|delegate| delegate.name == name).with_context(|| format!("no process {name}"))
}

/// What must be true after any of it: nothing created twice, no orphan, no hole and no doubled line in the log.
async fn check(world: &World, id: &str, deployments: usize, what: &str) -> anyhow::Result<()> {
    let counts = succeeded_calls(world).await?;
    let deployments = u64::try_from(deployments)?;
    assert_eq!(counts("ecs:CreateService"), deployments, "{what}: a second CreateService took effect");
    assert_eq!(counts("ecs:RegisterTaskDefinition"), deployments, "{what}: a second revision was registered");

    // No orphan: every service that stands is the live one or its predecessor.
    let ecs = aws_sdk_ecs::Client::new(&sandbox::world::aws_config(&world.seed));
    let listed = ecs.list_services().cluster(&world.seed.cluster).max_results(100).send().await?;
    assert!(listed.service_arns().len() <= 2, "{what}: {:?}", listed.service_arns());

    let lines = log(world, id).await?;
    assert!(!lines.is_empty(), "{what}: no log");
    assert_eq!(holes(&lines), Vec::<String>::new(), "{what}");
    let view = show(world, id).await?;
    for step in view["steps"].as_array().into_iter().flatten() {
        assert_eq!(step["state"], "succeeded", "{what}: {step:#}");
    }
    Ok(())
}

/// Successful calls of an operation, from the simulator's journal; the same client token again is the same call.
async fn succeeded_calls(world: &World) -> anyhow::Result<impl Fn(&str) -> u64> {
    let calls = world.aws.calls().await?;
    let log = calls["log"].as_array().cloned().unwrap_or_default();
    Ok(move |operation: &str| {
        let (service, name) = operation.split_once(':').unwrap_or(("", operation));
        let mut tokens = BTreeSet::new();
        let mut without_token = 0;
        for call in &log {
            if call["service"] == service && call["operation"] == name && call["status"] == 200 {
                match call["request"]["clientToken"].as_str() {
                    Some(token) => drop(tokens.insert(token.to_owned())),
                    None => without_token += 1,
                }
            }
        }
        without_token + tokens.len() as u64
    })
}
