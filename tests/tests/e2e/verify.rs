//! The steps that look before a deployment goes on: people's approval, and what is asked of other systems.

use std::time::Duration;

use anyhow::Context;
use sandbox::world::{World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{log, outcome, segue, show, until},
    programs::programs,
};

const LIMIT: Duration = Duration::from_secs(60);

/// A workflow of these steps, which touches nothing in AWS; each line is indented by eight.
fn workflow(steps: &str) -> String {
    let steps: String = steps.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "kind: Workflow\nname: looks\napplication: shop\nspec:\n  type: blueGreen\n  switch: loadBalancer\n  service: todolist\n  \
         environment: prod\n  infrastructure: prod-ecs\n  phases:\n    - name: Look\n      steps:\n{steps}"
    )
}

async fn world() -> anyhow::Result<World> {
    World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await
}

/// Applies a workflow of these steps and starts it; gives the deployment's id.
async fn start(world: &World, steps: &str) -> anyhow::Result<String> {
    let file = world.dir.join("looks.yaml");
    std::fs::write(&file, workflow(steps))?;
    world.segue(&["apply", "-f", &file.to_string_lossy()]).await?;
    let accepted = segue(world, &["deploy", "looks", "--artifact-tag", "1", "--detach", "-o", "json"]).await?;
    let id: Value = serde_json::from_str(&accepted.stdout).with_context(|| accepted.all())?;
    Ok(id["id"].as_str().with_context(|| accepted.all())?.to_owned())
}

/// The deployment once it has ended, with its outcome.
async fn ended(world: &World, id: &str) -> anyhow::Result<(String, Value)> {
    let view = until(world, id, LIMIT, |view| outcome(view).is_some()).await?;
    Ok((outcome(&view).unwrap_or_default(), view))
}

async fn say(world: &World, words: &[&str], code: i32, expected: &str) -> anyhow::Result<()> {
    let said = segue(world, &[&["deployment"], words].concat()).await?;
    assert_eq!(said.code, code, "{words:?}: {}", said.all());
    assert!(said.all().contains(expected), "{words:?}: expected {expected:?} in\n{}", said.all());
    Ok(())
}

/// Whether an approval waits.
fn waits(view: &Value) -> bool {
    view["status"].get("waitingForApproval").is_some()
}

#[tokio::test]
async fn an_approval_waits_for_a_person_and_survives_a_kill_of_the_control_plane() -> anyhow::Result<()> {
    let mut world = world().await?;
    let id = start(&world, "- approval: {message: \"Is ${artifact.tag} good?\"}\n- note: went on").await?;
    let waiting = until(&world, &id, LIMIT, waits).await?;
    assert_eq!(waiting["status"]["waitingForApproval"]["message"], "Is 1 good?");
    say(&world, &["show", &id], 0, "segue deployment approve|reject").await?;
    say(&world, &["succeed", &id], 3, "nothing to succeed").await?;
    say(&world, &["approve", &id, "--step", "Note"], 3, "turn of step").await?;

    world.kill_server().await?;
    world.restart_server().await?;
    assert!(waits(&until(&world, &id, LIMIT, |view| !view["status"].is_null()).await?), "it still waits");
    say(&world, &["approve", &id, "--step", "Approval", "--comment", "looked at the stage"], 0, "approval is recorded").await?;
    let (how, view) = ended(&world, &id).await?;
    assert_eq!(how, "succeeded", "{view:#}");
    let said = &view["signals"][0];
    assert_eq!((said["signal"].as_str(), said["comment"].as_str()), (Some("approve"), Some("looked at the stage")));
    assert_eq!((&said["who"], &said["step"]), (&view["triggeredBy"], &Value::from(0)));
    say(&world, &["show", &id], 0, "looked at the stage").await?;
    say(&world, &["approve", &id], 3, "is over").await?;
    world.stop().await
}

#[tokio::test]
async fn a_rejection_and_an_approval_that_nobody_gives_end_a_deployment() -> anyhow::Result<()> {
    let world = world().await?;
    let id = start(&world, "- approval: {message: Go?, timeout: 1h}").await?;
    until(&world, &id, LIMIT, waits).await?;
    say(&world, &["reject", &id, "--comment", "the numbers are off"], 0, "rejection is recorded").await?;
    let (how, view) = ended(&world, &id).await?;
    assert_eq!((how.as_str(), view["steps"][0]["failure"]["kind"].as_str()), ("rolledBack", Some("approvalRejected")));
    say(&world, &["show", &id], 0, "the numbers are off").await?;

    let id = start(&world, "- approval: {message: Go?, approvers: [somebody-else], timeout: 4s}").await?;
    until(&world, &id, LIMIT, waits).await?;
    say(&world, &["approve", &id], 3, "somebody-else").await?;
    assert!(waits(&show(&world, &id).await?), "who was not asked changes nothing");
    let (how, view) = ended(&world, &id).await?;
    assert_eq!(how, "rolledBack");
    let message = view["steps"][0]["failure"]["message"].as_str().unwrap_or_default();
    assert_eq!(message, "not approved within 4 s: 0 of 1 approvals came");
    assert!(log(&world, &id).await?.is_empty(), "no delegate had it");
    world.stop().await
}
