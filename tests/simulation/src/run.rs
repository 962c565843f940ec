//! One run: a world, what happens to it, and what must hold in the end.

use std::{sync::Arc, time::Duration};

use domain::{outcome::Outcome, signal::Signal};
use tokio::time::Instant;

use crate::{
    aws::{ended_well, revisions},
    detail::tell_all,
    people::Deployment,
    planted::Planted,
    scenario::Scenario,
    trace::Trace,
    world::{World, lock},
};

/// How long after the last trouble every deployment has to have ended.
const CALM: Duration = Duration::from_secs(5_400);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_secs(10);
/// How long the last log lines may take.
const LAST_LINES: Duration = Duration::from_secs(90);
/// How often what needs an operator is taken up again.
const TAKEN_UP: u32 = 5;

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// Its story.
    pub story: String,
    /// What must not have been.
    pub violations: Vec<String>,
    /// How long it took in the simulated world.
    pub simulated: Duration,
    /// How often AWS was written to.
    pub writes: u64,
}

/// Runs the scenario of a seed.
pub fn run(seed: u64, planted: Planted) -> Run {
    run_scenario(seed, &Scenario::of(seed), planted)
}

/// The same, with everything in its story that the programs say themselves.
pub fn run_in_full(seed: u64, planted: Planted) -> Run {
    run_with(seed, &Scenario::of(seed), planted, true)
}

/// Runs a scenario; what is not in it is drawn from the seed.
pub fn run_scenario(seed: u64, scenario: &Scenario, planted: Planted) -> Run {
    run_with(seed, scenario, planted, false)
}

fn run_with(seed: u64, scenario: &Scenario, planted: Planted, in_full: bool) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without IO takes nothing from the machine");
    runtime.block_on(async {
        let trace = Arc::new(Trace::new());
        let _told = in_full.then(|| tell_all(&trace));
        let began = Instant::now();
        let world = live(World::new(seed, scenario, planted, trace.clone()), scenario).await;
        let (story, violations) = trace.told();
        Run { seed, story, violations, simulated: began.elapsed(), writes: world.cloud.writes() }
    })
}

async fn live(mut world: World, scenario: &Scenario) -> World {
    let began = Instant::now();
    world.start_all().await;
    for (at, event) in &scenario.events {
        tokio::time::sleep_until(began + *at).await;
        world.happen(event.clone()).await;
        if world.trace.is_violated() {
            return world;
        }
    }
    tokio::time::sleep_until(began + scenario.calm_after).await;
    world.calm().await;
    let mut taken_up = 0;
    let by = Instant::now() + CALM;
    loop {
        tokio::time::sleep(LOOK).await;
        if world.trace.is_violated() {
            return world;
        }
        let open: Vec<Deployment> = world.people.deployments().into_iter().filter(|one| !has_ended(one)).collect();
        if open.is_empty() {
            break;
        }
        for deployment in &open {
            if taken_up < TAKEN_UP * 3 && matches!(*lock(&deployment.seen), Some(Outcome::NeedsOperator(_))) {
                taken_up += 1;
                world.people.say(deployment.wanted.number, Signal::Retry);
            }
        }
        if Instant::now() > by {
            for deployment in open {
                world.trace.violated(format!("{} has not ended: {:?}", deployment.wanted.id(), lock(&deployment.seen)));
            }
            return world;
        }
    }
    tokio::time::sleep(LAST_LINES).await;
    judge(&world, scenario).await;
    world
}

/// Ended for good: what needs an operator is not.
fn has_ended(deployment: &Deployment) -> bool {
    matches!(&*lock(&deployment.seen), Some(outcome) if !matches!(outcome, Outcome::NeedsOperator(_)))
}

async fn judge(world: &World, scenario: &Scenario) {
    for Deployment { wanted, seen } in world.people.deployments() {
        let (id, outcome) = (wanted.id(), lock(&seen).clone());
        let succeeded = match outcome {
            Some(Outcome::Succeeded) => Some(true),
            Some(Outcome::RolledBack) => Some(false),
            _ => None,
        };
        if let Some(succeeded) = succeeded
            && let Err(wrong) = ended_well(&world.cloud, id, &wanted.line_name(), &wanted.image(), succeeded)
        {
            world.trace.violated(format!("{id} is said to be {}: {wrong}", if succeeded { "succeeded" } else { "rolled back" }));
        }
        if succeeded != Some(true) && scenario.has_to_succeed(&wanted) {
            world.trace.violated(format!("{id} has no reason not to succeed: {outcome:?}"));
        }
        let made = revisions(&world.cloud, id);
        if made > 1 {
            world.trace.violated(format!("{id} registered {made} revisions"));
        }
        if succeeded == Some(true) && wanted.tag.starts_with("crash") {
            world.trace.violated(format!("{id} succeeded with a version that can't run"));
        }
        if let Err(wrong) = world.said.compare(&world.logs, id).await {
            world.trace.violated(wrong);
        }
    }
}
