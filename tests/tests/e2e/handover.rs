//! A delegate that is cut off, falls silent, hears nothing, is not heard, or is stopped and comes back, in the middle of a step: another
//! goes on, and never do two of them change anything for one step. Each delegate has AWS keys of its own, so that AWS's journal says
//! who did what.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use rustix::process::Signal;
use sandbox::world::{DelegateOptions, World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{holes, log, outcome, start, until},
    network::{Link, Weather},
    own_keys::{add_with_own_keys, is_write},
    programs::programs,
};

const STEPS: [&str; 3] = ["ECS Blue Green Load Balancer Setup", "Upgrade Containers", "Swap Target Groups"];
const LIMIT: Duration = Duration::from_secs(120);
/// What else may come between the end of a lease and the successor's first call: a busy machine.
const SLACK: f64 = 4.0;

/// What befalls the delegate that is at work.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Network(Weather),
    /// SIGSTOP, and SIGCONT when its successor is at work.
    Stopped,
    /// SIGKILL.
    Killed,
}

const TROUBLES: [Trouble; 6] = [
    Trouble::Network(Weather::SILENT),
    Trouble::Network(Weather::DEAF),
    Trouble::Network(Weather::MUTE),
    Trouble::Network(Weather::CUT),
    Trouble::Stopped,
    Trouble::Killed,
];

/// A world with two delegates, each behind a link of its own and with keys of its own.
struct Pair {
    world: World,
    links: Vec<Link>,
    keys: Vec<String>,
    tag: u32,
}

impl Pair {
    async fn start() -> anyhow::Result<Self> {
        let aws_arguments = vec!["--latency-ms".to_owned(), "40".to_owned()];
        let mut world =
            World::start(programs(), WorldSettings { delegates: 0, aws_arguments, ..WorldSettings::default() }).await?;
        let port = world.gateway_url().rsplit(':').next().context("a port")?.parse()?;
        let (mut links, mut keys) = (Vec::new(), Vec::new());
        for number in 1..=2 {
            let link = Link::to(port).await?;
            let options = DelegateOptions { gateway: Some(link.url()), ..DelegateOptions::default() };
            keys.push(add_with_own_keys(&mut world, number, options).await?);
            links.push(link);
        }
        Ok(Self { world, links, keys, tag: 0 })
    }

    /// A deployment whose delegate gets into trouble in this step. Gives the seconds from the trouble to the successor's first call.
    async fn befall(&mut self, step: usize, trouble: Trouble) -> anyhow::Result<f64> {
        self.tag += 1;
        let what = format!("{trouble:?} in {}", STEPS[step]);
        self.world.aws.forget_calls().await?;
        let id = start(&self.world, &self.tag.to_string()).await?;
        let view = until(&self.world, &id, LIMIT, |view| holder(view, step).is_some() || outcome(view).is_some()).await?;
        let victim = self.index(&holder(&view, step).with_context(|| format!("{what}: the step was over"))?).await?;
        let process = &mut self.world.delegates[victim].process;
        match trouble {
            Trouble::Network(weather) => self.links[victim].set(weather),
            Trouble::Stopped => process.signal(Signal::STOP)?,
            Trouble::Killed => process.kill().await?,
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();

        // The successor is at work: now the other one comes back, and must find that nothing is its own any more.
        let other = 1 - victim;
        let name = self.world.delegates[other].name.clone();
        let id_of_other = self.id(&name).await?;
        let taken = |view: &Value| holder(view, step) == Some(id_of_other.clone()) || outcome(view).is_some();
        until(&self.world, &id, LIMIT, taken).await.with_context(|| what.clone())?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        match trouble {
            Trouble::Network(_) => self.links[victim].set(Weather::FINE),
            Trouble::Stopped => self.world.delegates[victim].process.signal(Signal::CONT)?,
            Trouble::Killed => self.world.restart_delegate(victim)?,
        }
        let ended = until(&self.world, &id, LIMIT, |view| outcome(view).is_some()).await.with_context(|| what.clone())?;
        assert_eq!(outcome(&ended).as_deref(), Some("succeeded"), "{what}: {ended:#}");

        let calls = self.world.aws.calls().await?;
        let calls = calls["log"].as_array().context("a journal")?;
        let by = |call: &Value, index: usize| call["access_key"] == self.keys[index].as_str();
        let at = |call: &Value| call["at"].as_f64().unwrap_or_default();
        let first = calls.iter().find(|call| by(call, other) && at(call) >= since).map(at);
        let first = first.with_context(|| format!("{what}: the successor called nobody"))?;
        let late: Vec<_> = calls.iter().filter(|call| by(call, victim) && at(call) > first && is_write(call)).collect();
        assert!(late.is_empty(), "{what}: changed after its successor had begun: {late:#?}");
        let holes = holes(&log(&self.world, &id).await?);
        assert!(holes.is_empty(), "{what}: {holes:?}");
        let name = self.world.delegates[victim].name.clone();
        self.world.connected(&name).await.with_context(|| what.clone())?;
        Ok(first - since)
    }

    async fn id(&self, name: &str) -> anyhow::Result<String> {
        let shown: Value = serde_json::from_str(&self.world.segue(&["delegate", "show", name, "-o", "json"]).await?)?;
        Ok(shown["id"].as_str().context("an id")?.to_owned())
    }

    /// Which of the two has this id.
    async fn index(&self, id: &str) -> anyhow::Result<usize> {
        Ok(usize::from(self.id(&self.world.delegates[0].name).await? != id))
    }

    /// The longest that a hand-over may take: the lease that the victim may have renewed a moment ago, the margin, and some slack. Who
    /// hears nothing goes on saying that it lives until a lease has passed without an answer, and is believed.
    fn bound(&self, trouble: Trouble) -> f64 {
        let leases = if matches!(trouble, Trouble::Network(Weather::MUTE)) { 2.0 } else { 1.0 };
        self.world.settings.lease.as_secs_f64() * leases + 1.0 + SLACK
    }
}

/// The delegate that holds the step now, if one does.
fn holder(view: &Value, step: usize) -> Option<String> {
    let step = view["steps"].as_array()?.iter().find(|one| one["name"] == STEPS[step])?;
    if step["state"] != "running" {
        return None;
    }
    step["attempts"].as_array()?.last()?["delegate"].as_str().map(str::to_owned)
}

async fn befall_all(cases: impl IntoIterator<Item = (usize, Trouble)>) -> anyhow::Result<()> {
    let mut pair = Pair::start().await?;
    for (step, trouble) in cases {
        let seconds = pair.befall(step, trouble).await?;
        println!(
            "{trouble:?} in {}: {seconds:.2} s to the successor's first call (bound {:.0} s)",
            STEPS[step],
            pair.bound(trouble)
        );
        assert!(seconds <= pair.bound(trouble), "{trouble:?} in {}: {seconds} s", STEPS[step]);
    }
    pair.world.stop().await
}

#[tokio::test]
async fn whatever_befalls_a_delegate_another_goes_on_and_nobody_changes_anything_twice() -> anyhow::Result<()> {
    befall_all(TROUBLES.into_iter().enumerate().map(|(number, trouble)| (number % STEPS.len(), trouble))).await
}

#[tokio::test]
#[ignore = "takes ten minutes: ./tests/run --full"]
async fn every_trouble_in_every_step() -> anyhow::Result<()> {
    befall_all(TROUBLES.into_iter().flat_map(|trouble| (0..STEPS.len()).map(move |step| (step, trouble)))).await
}

/// A slow network is no trouble at all.
#[tokio::test]
async fn a_network_that_takes_its_time_loses_nothing() -> anyhow::Result<()> {
    let mut pair = Pair::start().await?;
    for link in &pair.links {
        link.set(Weather { delay: Duration::from_millis(150), ..Weather::FINE });
    }
    let view = tests::deployments::deploy_well(&pair.world, "1").await?;
    let attempts: usize =
        view["steps"].as_array().into_iter().flatten().filter_map(|step| step["attempts"].as_array()).map(Vec::len).sum();
    assert_eq!(attempts, 4, "nothing was handed over: {view:#}");
    for link in &pair.links {
        link.set(Weather::FINE);
    }
    pair.tag = 1;
    pair.world.stop().await
}
