//! Delegates that stop in the middle of everything for longer than their lease (SIGSTOP, as of a machine that is suspended or starved) and
//! go on later as if nothing had been: what they held was handed over, and they must not change anything for it any more.
//!
//! Many deployments run at once, so that one pause catches many steps, each at another instruction. AWS's journal is the witness.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Context;
use cli::client::Client;
use rustix::process::Signal;
use sandbox::world::{DelegateOptions, World, WorldSettings};
use serde_json::Value;
use tests::{
    at_once,
    deployments::{outcome, show, until},
    own_keys::{add_with_own_keys, is_write},
    programs::programs,
};

const LINES: usize = 20;
const LIMIT: Duration = Duration::from_secs(180);
/// Pauses begin within this time after the first start: so long most deployments take when nothing befalls them.
const SPREAD: Duration = Duration::from_secs(8);

/// Two delegates and a line for each deployment.
struct Paused {
    world: World,
    client: Client,
    /// The delegates' access keys.
    keys: Vec<String>,
    /// Their ids.
    ids: Vec<String>,
}

impl Paused {
    async fn start() -> anyhow::Result<Self> {
        let settings = WorldSettings { delegates: 0, clock_factor: 20.0, ..WorldSettings::default() };
        let mut world = World::start(programs(), settings).await?;
        at_once::lines(&world, LINES).await?;
        let client = Client::new(&cli::context::Context::read(&world.context_file())?)?;
        let (mut keys, mut ids) = (Vec::new(), Vec::new());
        for number in 1..=2 {
            keys.push(add_with_own_keys(&mut world, number, DelegateOptions::default()).await?);
            let name = format!("delegate-{number}");
            let shown: Value = serde_json::from_str(&world.segue(&["delegate", "show", &name, "-o", "json"]).await?)?;
            ids.push(shown["id"].as_str().context("an id")?.to_owned());
        }
        Ok(Self { world, client, keys, ids })
    }

    /// A round: all lines are deployed to, and one delegate is paused in between. Gives how many steps were handed over.
    async fn round(&mut self, number: usize) -> anyhow::Result<usize> {
        self.world.aws.forget_calls().await?;
        let mut running = Vec::new();
        for line in 0..LINES {
            running.push(at_once::start(&self.client, &format!("line-{line}"), &(number + 1).to_string()).await?);
        }
        // The golden ratio spreads the rounds' moments evenly.
        let share = (number as f64 * 0.618_034).fract();
        tokio::time::sleep(SPREAD.mul_f64(share)).await;
        let victim = number % 2;
        self.world.delegates[victim].process.signal(Signal::STOP)?;
        for id in &running {
            until(&self.world, id, LIMIT, |view| !holds(view, &self.ids[victim])).await.context("handed over")?;
        }
        self.world.delegates[victim].process.signal(Signal::CONT)?;
        let mut handed_over = 0;
        for id in &running {
            let ended = until(&self.world, id, LIMIT, |view| outcome(view).is_some()).await?;
            assert_eq!(outcome(&ended).as_deref(), Some("succeeded"), "round {number}: {ended:#}");
            let view = show(&self.world, id).await?;
            handed_over += steps(&view).filter(|step| attempts(step).len() > 1).count();
        }
        self.check(number).await?;
        let name = self.world.delegates[victim].name.clone();
        self.world.connected(&name).await?;
        Ok(handed_over)
    }

    /// No line was changed by a delegate after another had begun to change it, and nothing was changed twice.
    async fn check(&self, round: usize) -> anyhow::Result<()> {
        let calls = self.world.aws.calls().await?;
        let log = calls["log"].as_array().context("a journal")?;
        let took_effect = |call: &&Value| is_write(call) && call["status"] == 200;
        let mut writers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut once = BTreeSet::new();
        for call in log.iter().filter(took_effect) {
            let key = call["access_key"].as_str().unwrap_or_default();
            anyhow::ensure!(self.keys.iter().any(|own| own == key), "round {round}: written by a stranger: {call:#}");
            let what = format!("{} {}", call["operation"], call["request"]);
            // Only that something is put where it has to be may be said again, never that something is made.
            if ["CreateService", "RegisterTaskDefinition", "DeleteService"]
                .contains(&call["operation"].as_str().unwrap_or_default())
            {
                anyhow::ensure!(once.insert(what.clone()), "round {round}: twice: {what}");
            }
            if let Some(line) = line(&what) {
                let writers = writers.entry(line).or_default();
                if writers.last() != Some(&key) {
                    writers.push(key);
                }
            }
        }
        for (line, writers) in &writers {
            assert!(writers.len() <= 2, "round {round}, {line}: delegates took turns in changing it: {writers:?}");
        }
        assert_eq!(writers.len(), LINES, "every line was changed");
        Ok(())
    }
}

fn steps(view: &Value) -> impl Iterator<Item = &Value> {
    view["steps"].as_array().into_iter().flatten()
}

fn attempts(step: &Value) -> &[Value] {
    step["attempts"].as_array().map_or(&[], Vec::as_slice)
}

/// Whether the delegate holds a step of the deployment.
fn holds(view: &Value, delegate: &str) -> bool {
    steps(view)
        .any(|step| step["state"] == "running" && attempts(step).last().is_some_and(|attempt| attempt["delegate"] == delegate))
}

/// The line that a call is about: its services are called `line7`, its target groups `line-7`.
fn line(what: &str) -> Option<String> {
    what.match_indices("line").find_map(|(at, _)| {
        let rest = &what[at + "line".len()..];
        let digits: String = rest.strip_prefix('-').unwrap_or(rest).chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then(|| format!("line {digits}"))
    })
}

async fn pauses(wanted: usize) -> anyhow::Result<()> {
    let mut paused = Paused::start().await?;
    let (mut handed_over, mut rounds) = (0, 0);
    while handed_over < wanted {
        handed_over += paused.round(rounds).await?;
        rounds += 1;
        anyhow::ensure!(rounds < wanted, "{rounds} rounds, and only {handed_over} steps were handed over");
    }
    println!("{handed_over} steps were handed over in {rounds} pauses of a delegate, and nothing was changed by two");
    paused.world.stop().await
}

#[tokio::test]
async fn a_delegate_that_was_paused_changes_nothing_that_was_handed_over() -> anyhow::Result<()> {
    pauses(20).await
}

#[tokio::test]
#[ignore = "takes half an hour: ./tests/run --full"]
async fn a_thousand_steps_are_handed_over_by_pauses_and_nothing_is_changed_twice() -> anyhow::Result<()> {
    pauses(1_000).await
}
