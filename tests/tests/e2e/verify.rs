//! The steps that look before a deployment goes on: people's approval, and what is asked of other systems.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use sandbox::world::{World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{log, outcome, segue, show, until},
    programs::programs,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
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

/// A server that answers each request with the next body, the last one for ever; gives where it is and what it was asked.
async fn peer(bodies: Vec<String>) -> anyhow::Result<(String, Arc<Mutex<Vec<String>>>, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (asked, mut server) = (Arc::new(Mutex::new(Vec::new())), JoinSet::new());
    let kept = asked.clone();
    server.spawn(async move {
        for number in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let mut request = vec![0; 16 * 1024];
            let mut length = 0;
            // The head and the body may come apart.
            while let Ok(read @ 1..) = stream.read(&mut request[length..]).await {
                length += read;
                let text = String::from_utf8_lossy(&request[..length]);
                if text.starts_with("GET") || text.ends_with('}') {
                    break;
                }
            }
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8_lossy(&request[..length]).into_owned());
            let body = &bodies[number.min(bodies.len() - 1)];
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            // Whoever asked may have gone away.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Ok((url, asked, server))
}

fn sample(value: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},"value":[1,"{value}"]}}]}}}}"#)
}

#[tokio::test]
async fn a_query_of_prometheus_lets_a_deployment_go_on_or_ends_it() -> anyhow::Result<()> {
    let world = world().await?;
    let (url, asked, _server) = peer(vec![sample("0.9"), sample("0.1")]).await?;
    let check = |bound: &str| {
        format!("- prometheusCheck: {{url: \"{url}\", query: \"errors / 2\", {bound}, for: 500ms, interval: 100ms, within: 5s}}")
    };
    let id = start(&world, &check("below: 0.5")).await?;
    let (how, view) = ended(&world, &id).await?;
    assert_eq!(how, "succeeded", "{view:#}");
    let lines: Vec<String> = log(&world, &id).await?.into_iter().map(|line| line.text).collect();
    for expected in ["Not good: 0.9 is not below 0.5", "Good: 0.1 is below 0.5"] {
        assert!(lines.iter().any(|line| line.contains(expected)), "expected {expected:?} in {lines:#?}");
    }
    let first = asked.lock().unwrap_or_else(PoisonError::into_inner)[0].clone();
    assert!(first.starts_with("GET /api/v1/query?query=errors+%2F+2 "), "{first}");

    let id = start(&world, &check("above: 0.5")).await?;
    let (how, view) = ended(&world, &id).await?;
    assert_eq!((how.as_str(), view["steps"][0]["failure"]["kind"].as_str()), ("rolledBack", Some("verification")), "{view:#}");
    world.stop().await
}

#[tokio::test]
async fn a_script_runs_only_where_it_is_allowed() -> anyhow::Result<()> {
    let steps = "- shellScript:\n    script: |\n      echo \"${TAG} to $SEGUE_CLUSTER\"\n    env: {TAG: \"${artifact.tag}\"}";
    let world = world().await?;
    let id = start(&world, steps).await?;
    let (how, view) = ended(&world, &id).await?;
    assert_eq!((how.as_str(), view["steps"][0]["failure"]["kind"].as_str()), ("rolledBack", Some("policy")), "{view:#}");
    say(&world, &["show", &id], 0, "--allow-shell-scripts").await?;
    world.stop().await?;

    let delegate_arguments = vec!["--allow-shell-scripts".to_owned()];
    let world = World::start(programs(), WorldSettings { delegates: 1, delegate_arguments, ..WorldSettings::default() }).await?;
    let id = start(&world, steps).await?;
    let (how, view) = ended(&world, &id).await?;
    assert_eq!(how, "succeeded", "{view:#}");
    let expected = format!("1 to {}", world.seed.cluster);
    assert!(log(&world, &id).await?.iter().any(|line| line.text == expected), "{expected}");
    world.stop().await
}

#[tokio::test]
async fn a_script_whose_delegate_is_killed_is_not_run_again() -> anyhow::Result<()> {
    let delegate_arguments = vec!["--allow-shell-scripts".to_owned()];
    let settings = WorldSettings { delegates: 1, delegate_arguments, ..WorldSettings::default() };
    let mut world = World::start(programs(), settings).await?;
    let witness = world.dir.join("witness");
    let steps = format!("- shellScript: {{script: \"echo ran >> {}; sleep 20\", timeout: 50s}}", witness.display());
    let id = start(&world, &steps).await?;
    while !witness.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.delegates[0].process.kill().await?;
    world.restart_delegate(0)?;
    let (how, view) = ended(&world, &id).await?;
    let failure = &view["steps"][0]["failure"];
    assert_eq!((how.as_str(), failure["kind"].as_str()), ("rolledBack", Some("application")), "{view:#}");
    assert!(failure["message"].as_str().is_some_and(|message| message.contains("cut off")), "{failure:#}");
    assert_eq!(std::fs::read_to_string(&witness)?, "ran\n");
    world.stop().await
}

#[tokio::test]
async fn a_webhook_is_told_and_one_that_is_away_stops_nothing() -> anyhow::Result<()> {
    let world = world().await?;
    let (url, asked, _server) = peer(vec![String::new()]).await?;
    let nobody = "- notify: {webhook: \"http://127.0.0.1:9/\", message: lost}";
    let id =
        start(&world, &format!("{nobody}\n- notify: {{webhook: \"{url}/hook\", message: \"${{artifact.tag}} is up\"}}")).await?;
    let (how, view) = ended(&world, &id).await?;
    assert_eq!(how, "succeeded", "{view:#}");
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let body: Value = serde_json::from_str(asked[0].split("\r\n\r\n").nth(1).context("a body")?)?;
    assert_eq!((body["deployment"].as_str(), body["message"].as_str()), (Some(id.as_str()), Some("1 is up")));
    world.stop().await
}
