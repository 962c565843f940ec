//! One case: a scenario, a fault at one of its calls, and everything that has to be true afterwards.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use sandbox::{demo::Traffic, world::World, world::aws_config};
use tests::{
    deployments::{holes, log, outcome, show, until},
    standing::{Standing, standing},
};

use super::{call::Call, fault::Fault, scenario::Scenario};

/// Requests a second while a case runs.
const RATE: u32 = 100;
/// How long a case may take: a lost delegate's lease, a bake's promise, and the deployment itself.
const LIMIT: Duration = Duration::from_secs(150);

/// Runs a scenario without a fault: the reference.
pub(super) async fn reference(world: &World, scenario: Scenario) -> anyhow::Result<String> {
    scenario.before(world).await?;
    world.aws.forget_calls().await?;
    let id = scenario.begin(world).await?;
    let view = until(world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    ensure!(outcome(&view).as_deref() == Some(scenario.outcome()), "without a fault: {view:#}");
    Ok(id)
}

/// Runs a case; gives how long it took.
pub(super) async fn run(world: &mut World, call: &Call, fault: Fault) -> anyhow::Result<Duration> {
    let scenario = call.scenario;
    scenario.before(world).await?;
    let before = (standing(world).await?, revisions(world).await?);
    let rule = serde_json::json!({"operation": call.operation, "fault": fault.rule(), "after": call.after, "times": 1});
    world.aws.add_fault(&rule).await?;
    let load = world.load(RATE)?;
    let begun = Instant::now();
    let ended = strike(world, scenario, fault).await;
    let traffic = load.stop().await;
    let fired = world.aws.fired().await?;
    world.aws.clear_faults().await?;
    let id = ended?;
    ensure!(fired == [1], "the call was not made: the fault befell {fired:?} calls");
    check(world, scenario, &id, before, &traffic).await?;
    Ok(begun.elapsed())
}

/// Begins the scenario, kills whom the fault kills when the call is held, and waits for the end.
async fn strike(world: &mut World, scenario: Scenario, fault: Fault) -> anyhow::Result<String> {
    let id = scenario.begin(world).await?;
    if let Some(victim) = fault.victim() {
        let deadline = Instant::now() + LIMIT;
        while world.aws.fired().await? != [1] {
            ensure!(Instant::now() < deadline, "the call to be killed at was not made: {:#}", show(world, &id).await?);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        victim.kill(world).await?;
    }
    until(world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    Ok(id)
}

/// The invariants, asked of AWS, of the control plane, and of the customers.
async fn check(
    world: &World,
    scenario: Scenario,
    id: &str,
    (before, revisions_before): (Standing, usize),
    traffic: &Traffic,
) -> anyhow::Result<()> {
    let view = show(world, id).await?;
    ensure!(outcome(&view).as_deref() == Some(scenario.outcome()), "it ended otherwise: {view:#}");

    let after = standing(world).await?;
    let told = format!("before: {before:#?}\nafter: {after:#?}");
    let (live_before, live) = (live(&before)?, live(&after).with_context(|| told.clone())?);
    ensure!((live.0 != live_before.0) == scenario.changes_production(), "another version serves than should. {told}");
    ensure!(
        (after.forwards != before.forwards) == scenario.changes_production(),
        "the listeners or records are not as they should be. {told}"
    );
    ensure!(live.1 == live_before.1, "the live version's count changed. {told}");
    ensure!(after.services.len() == 2, "an orphan, or the version before is gone. {told}");
    let registered = revisions(world).await? - revisions_before;
    ensure!(registered == scenario.revisions(), "{registered} revisions were registered");

    let lines = log(world, id).await?;
    let holes = holes(&lines);
    ensure!(!lines.is_empty() && holes.is_empty(), "the log: {holes:?}");

    let own = |reason: &String| scenario.answers_badly() && reason.contains("500");
    let lost: Vec<_> = traffic.failures.iter().filter(|(reason, _)| !own(reason)).collect();
    ensure!(lost.is_empty(), "customers' requests failed: {lost:?}");
    ensure!(traffic.requests > 0, "no request was made");
    Ok(())
}

/// The one service that is blue, its name and count; every other one is green and at 0.
fn live(standing: &Standing) -> anyhow::Result<(String, i32)> {
    let mut live = None;
    for service in &standing.services {
        match (service.colour.as_str(), service.desired) {
            ("BLUE", 1..) if live.is_none() => live = Some((service.name.clone(), service.desired)),
            ("GREEN", 0) => {}
            _ => bail!("{} is {} at {}", service.name, service.colour, service.desired),
        }
    }
    live.context("no service is live")
}

/// How many revisions of task definitions are registered.
async fn revisions(world: &World) -> anyhow::Result<usize> {
    let ecs = aws_sdk_ecs::Client::new(&aws_config(&world.seed));
    let (mut count, mut token) = (0, None);
    loop {
        let page = ecs.list_task_definitions().set_next_token(token).send().await?;
        count += page.task_definition_arns().len();
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(count);
        }
    }
}
