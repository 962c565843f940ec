//! Deployments as a person drives them: with the CLI, over the wire, against a world of real processes.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use anyhow::{Context, bail};
use sandbox::world::World;
use serde_json::Value;
use tokio::process::Child;

/// The workflow that every world has.
pub const WORKFLOW: &str = "todolist-blue-green";

/// How a `segue` command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// Both outputs, for messages.
    pub fn all(&self) -> String {
        format!("exit status {}\n{}{}", self.code, self.stdout, self.stderr)
    }
}

/// Runs `segue` with the world's context to its end, whatever that is.
///
/// # Errors
/// When it can't be started or runs longer than five minutes.
pub async fn segue(world: &World, arguments: &[&str]) -> anyhow::Result<Ended> {
    ended(world.segue_command().args(arguments)).await
}

/// Runs a command to its end.
///
/// # Errors
/// When it can't be started or runs longer than five minutes.
pub async fn ended(command: &mut tokio::process::Command) -> anyhow::Result<Ended> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(300), output).await.context("segue did not end in five minutes")??;
    Ok(Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Deploys a tag and waits for the end; gives the deployment as `segue deployment show -o json` prints it.
///
/// # Errors
/// When it was not accepted.
pub async fn deploy(world: &World, tag: &str) -> anyhow::Result<Value> {
    let ended = segue(world, &["deploy", WORKFLOW, "--artifact-tag", tag]).await?;
    let newest = newest(world).await?;
    if newest["tag"] != tag {
        bail!("deployment of {tag} was not accepted: {}", ended.all());
    }
    Ok(newest)
}

/// Deploys a tag, and fails with everything that was said unless it succeeded.
///
/// # Errors
/// When it did not succeed.
pub async fn deploy_well(world: &World, tag: &str) -> anyhow::Result<Value> {
    let ended = segue(world, &["deploy", WORKFLOW, "--artifact-tag", tag]).await?;
    if ended.code != 0 {
        bail!("version {tag} was not deployed: {}", ended.all());
    }
    newest(world).await
}

/// Accepts a deployment and does not wait; gives its id.
///
/// # Errors
/// When it was not accepted.
pub async fn start(world: &World, tag: &str) -> anyhow::Result<String> {
    let ended = segue(world, &["deploy", WORKFLOW, "--artifact-tag", tag, "--detach", "-o", "json"]).await?;
    let accepted: Value = serde_json::from_str(&ended.stdout).with_context(|| ended.all())?;
    Ok(accepted["id"].as_str().with_context(|| ended.all())?.to_owned())
}

/// Waits in the background until a deployment ends.
///
/// # Errors
/// When `segue` can't be started.
pub fn watch(world: &World, id: &str) -> anyhow::Result<Child> {
    Ok(world
        .segue_command()
        .args(["deployment", "watch", id])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?)
}

/// The newest deployment.
///
/// # Errors
/// When there is none.
pub async fn newest(world: &World) -> anyhow::Result<Value> {
    let listed = world.segue(&["deployment", "list", "-o", "json"]).await?;
    let listed: Value = serde_json::from_str(&listed)?;
    listed.get(0).cloned().context("no deployment")
}

/// A deployment by its id.
///
/// # Errors
/// When it can't be read.
pub async fn show(world: &World, id: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&world.segue(&["deployment", "show", id, "-o", "json"]).await?)?)
}

/// Waits until a deployment satisfies a condition; a control plane that is down meanwhile is asked again.
///
/// # Errors
/// When it does not within `limit`.
pub async fn until(world: &World, id: &str, limit: Duration, mut met: impl FnMut(&Value) -> bool) -> anyhow::Result<Value> {
    let deadline = tokio::time::Instant::now() + limit;
    let mut last = Value::Null;
    while tokio::time::Instant::now() < deadline {
        if let Ok(view) = show(world, id).await {
            if met(&view) {
                return Ok(view);
            }
            last = view;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    bail!("not within {limit:?}; the deployment stands at {last:#}")
}

/// The outcome's name, once it has ended.
pub fn outcome(view: &Value) -> Option<String> {
    let outcome = view["status"].get("finished")?.get("outcome")?;
    match outcome {
        Value::String(name) => Some(name.clone()),
        Value::Object(with_data) => with_data.keys().next().cloned(),
        _ => None,
    }
}

/// One log entry as `segue deployment logs -o json` prints it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Name of the step.
    pub step: String,
    /// `perform` or `undo`.
    pub direction: String,
    /// Attempt of the step.
    pub attempt: u64,
    /// Position in the attempt's log.
    pub number: u64,
    /// When it was said, in seconds since 1970-01-01 UTC, by the delegate's clock.
    pub at: f64,
    /// The text.
    pub text: String,
}

/// The whole log of a deployment.
///
/// # Errors
/// When it can't be read.
pub async fn log(world: &World, id: &str) -> anyhow::Result<Vec<Line>> {
    let printed = world.segue(&["deployment", "logs", id, "-o", "json"]).await?;
    let mut lines = Vec::new();
    for text in printed.lines().filter(|line| !line.trim().is_empty()) {
        let entry: Value = serde_json::from_str(text).with_context(|| text.to_owned())?;
        let field = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        lines.push(Line {
            step: field("stepName"),
            direction: field("direction"),
            attempt: entry["attempt"].as_u64().with_context(|| text.to_owned())?,
            number: entry["number"].as_u64().with_context(|| text.to_owned())?,
            at: entry["atMs"].as_f64().with_context(|| text.to_owned())? / 1_000.0,
            text: field("text"),
        });
    }
    Ok(lines)
}

/// Says which attempt's log has a hole or a doubled line, if any has.
pub fn holes(lines: &[Line]) -> Vec<String> {
    let mut expected: BTreeMap<(&str, &str, u64), u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in lines {
        let next = expected.entry((&line.step, &line.direction, line.attempt)).or_default();
        if line.number != *next {
            wrong.push(format!("{} attempt {}: line {} came where {next} was due", line.step, line.attempt, line.number));
        }
        *next = line.number + 1;
    }
    wrong
}
