//! What a person says to a deployment that runs, and what a workflow says about failures, through the CLI.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use sandbox::world::{World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{WORKFLOW, outcome, segue, show, until},
    programs::programs,
};

const LIMIT: Duration = Duration::from_secs(60);

/// A workflow that touches nothing: it waits, checks what is not there, and says so.
const CHECKLIST: &str = "kind: Workflow
name: checklist
application: shop
spec:
  type: blueGreen
  switch: loadBalancer
  service: todolist
  environment: prod
  infrastructure: prod-ecs
  phases:
    - name: Look
      failureStrategies:
        - on: [verification, timeout, connectivity]
          action: retry
          retry: {count: 1, intervals: [100ms]}
          then: {action: manualIntervention, timeout: 1h, then: abort}
      steps:
        - wait: 1h
          name: Hold
        - httpCheck: {url: \"http://127.0.0.1:9/\", within: 1s, interval: 200ms}
          name: Check
        - note: went on
          name: Go on
";

async fn checklist(world: &World) -> anyhow::Result<String> {
    let accepted = segue(world, &["deploy", "checklist", "--artifact-tag", "1", "--detach", "-o", "json"]).await?;
    let accepted: Value = serde_json::from_str(&accepted.stdout).with_context(|| accepted.all())?;
    Ok(accepted["id"].as_str().context("an id")?.to_owned())
}

async fn say(world: &World, words: &[&str], code: i32, expected: &str) -> anyhow::Result<()> {
    let ended = segue(world, &[&["deployment"], words].concat()).await?;
    assert_eq!(ended.code, code, "{words:?}: {}", ended.all());
    assert!(ended.all().contains(expected), "{words:?}: expected {expected:?} in\n{}", ended.all());
    Ok(())
}

fn step<'a>(view: &'a Value, name: &str) -> &'a Value {
    view["steps"].as_array().into_iter().flatten().find(|step| step["name"] == name).unwrap_or(&Value::Null)
}

async fn apply_checklist(world: &World) -> anyhow::Result<()> {
    let file: PathBuf = world.dir.join("checklist.yaml");
    std::fs::write(&file, CHECKLIST)?;
    world.segue(&["apply", "-f", &file.to_string_lossy()]).await?;
    Ok(())
}

#[tokio::test]
async fn a_person_pauses_answers_and_lets_it_go_on() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    apply_checklist(&world).await?;
    let id = checklist(&world).await?;
    until(&world, &id, LIMIT, |view| step(view, "Hold")["state"] == "running").await?;

    say(&world, &["pause", &id], 0, "paused").await?;
    say(&world, &["retry", &id], 3, "nothing to retry").await?;
    say(&world, &["succeed", &id, "--step", "Check"], 3, "turn of step").await?;
    say(&world, &["succeed", &id, "--step", "Chek"], 3, "Hold, Check, Go on").await?;
    say(&world, &["succeed", &id, "--step", "Hold"], 0, "paused").await?;
    let paused = show(&world, &id).await?;
    assert_eq!(
        (step(&paused, "Hold")["state"].as_str(), step(&paused, "Check")["state"].as_str()),
        (Some("succeeded"), Some("pending"))
    );

    say(&world, &["resume", &id], 0, "running").await?;
    let asked = until(&world, &id, LIMIT, |view| view["status"].get("waitingForPerson").is_some()).await?;
    assert_eq!(asked["status"]["waitingForPerson"]["otherwise"], "abort");
    assert_eq!(step(&asked, "Check")["attempts"].as_array().map(Vec::len), Some(2), "one retry first");
    say(&world, &["show", &id], 0, "segue deployment retry|ignore|succeed|rollback|abort").await?;
    say(&world, &["retry", &id, "--step", "Check"], 0, "running").await?;
    until(&world, &id, LIMIT, |view| step(view, "Check")["attempts"].as_array().map(Vec::len) == Some(4)).await?;
    until(&world, &id, LIMIT, |view| view["status"].get("waitingForPerson").is_some()).await?;
    say(&world, &["ignore", &id, "--step", "Check"], 0, &id).await?;

    let ended = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&ended).as_deref(), Some("succeeded"));
    assert_eq!(step(&ended, "Check")["state"], "ignored");
    let said: Vec<(&str, &str)> = ended["signals"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|taken| (taken["who"].as_str().unwrap_or(""), taken["signal"].as_str().unwrap_or("")))
        .collect();
    let who = ended["triggeredBy"].as_str().context("who started it")?;
    assert_eq!(said, ["pause", "succeed", "resume", "retry", "ignore"].map(|word| (who, word)), "each with who");
    say(&world, &["pause", &id], 3, "is over").await?;
    world.stop().await
}

#[tokio::test]
async fn an_answer_survives_a_kill_of_the_control_plane_and_a_queue_says_behind_whom() -> anyhow::Result<()> {
    let mut world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    apply_checklist(&world).await?;
    let first = checklist(&world).await?;
    let second = checklist(&world).await?;
    let queued = show(&world, &second).await?;
    assert_eq!(queued["status"]["queued"]["behind"], Value::String(first.clone()), "{queued:#}");
    say(&world, &["show", &second], 0, &format!("goes first ({first})")).await?;

    say(&world, &["pause", &first], 0, "paused").await?;
    world.kill_server().await?;
    world.restart_server().await?;
    let view = until(&world, &first, LIMIT, |view| !view["status"].is_null()).await?;
    assert!(view["status"].get("paused").is_some(), "{view:#}");
    say(&world, &["abort", &first], 0, "aborted").await?;
    until(&world, &second, LIMIT, |view| step(view, "Hold")["state"] == "running").await?;
    say(&world, &["rollback", &second], 0, &second).await?;
    let ended = segue(&world, &["deployment", "watch", &second]).await?;
    assert_eq!(ended.code, 10, "{}", ended.all());
    world.stop().await
}

#[tokio::test]
async fn a_pipeline_waits_for_the_traffic_alone() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    tests::deployments::deploy_well(&world, "1").await?;
    let ended = segue(&world, &["deploy", WORKFLOW, "--artifact-tag", "2", "--wait-for", "traffic-shifted"]).await?;
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.all().contains("The deployment goes on"), "{}", ended.all());
    let view = tests::deployments::newest(&world).await?;
    assert!(view["shifted"]["atMs"].is_i64() && outcome(&view).is_none(), "{view:#}");
    let id = view["id"].as_str().context("an id")?.to_owned();
    let wrong = segue(&world, &["deployment", "watch", &id, "--wait-for", "Swop"]).await?;
    assert_eq!(wrong.code, 3, "{}", wrong.all());
    assert!(wrong.all().contains("Swap Target Groups"), "{}", wrong.all());
    let watched = segue(&world, &["deployment", "watch", &id]).await?;
    assert_eq!(watched.code, 0, "{}", watched.all());
    world.stop().await
}
