//! The crash matrix: at every call to AWS that a deployment, its undo, a bake's breach, a shift or a rollback makes, by load
//! balancer and by DNS, each process is killed
//! just before and just after, and AWS fails in every way it can. Afterwards everything is as it should be, and no customer noticed.
//!
//! Which calls there are is taken from a run without faults, never from a list. A sample runs each time: every fault at one call,
//! chosen by a seed that is printed (`SEGUE_MATRIX_SEED`), or as many cases as `SEGUE_MATRIX_CASES` says. All of it:
//! `./tests/run --full`.

mod call;
mod case;
mod fault;
mod scenario;
mod table;

use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use sandbox::world::{Switch, World, WorldSettings};
use tests::programs::programs;

use self::{call::Call, fault::Fault, scenario::Scenario, table::Table};

/// One world for each switch.
struct Worlds {
    balanced: World,
    by_dns: World,
}

impl Worlds {
    async fn start() -> anyhow::Result<Self> {
        let (balanced, by_dns) = tokio::try_join!(world(Switch::LoadBalancer), world(Switch::Dns))?;
        Ok(Self { balanced, by_dns })
    }

    fn of(&mut self, switch: Switch) -> &mut World {
        match switch {
            Switch::LoadBalancer => &mut self.balanced,
            Switch::Dns => &mut self.by_dns,
        }
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.balanced.stop().await?;
        self.by_dns.stop().await
    }
}

async fn world(switch: Switch) -> anyhow::Result<World> {
    let world = World::start(programs(), WorldSettings { delegates: 1, switch, ..WorldSettings::default() }).await?;
    Scenario::prepare(&world).await?;
    Ok(world)
}

/// Every call of every scenario.
async fn rows(worlds: &mut Worlds) -> anyhow::Result<Vec<Call>> {
    let mut calls = Vec::new();
    for scenario in Scenario::ALL {
        let world = &*worlds.of(scenario.switch());
        let id = case::reference(world, scenario).await?;
        calls.extend(call::calls(world, scenario, &id).await?);
    }
    Ok(calls)
}

/// Every case: a row and a column.
fn cases(calls: &[Call]) -> Vec<(usize, usize)> {
    let columns = |row: usize| {
        let befalls = move |(column, fault): (usize, &Fault)| fault.befalls(calls[row].is_write).then_some((row, column));
        Fault::ALL.iter().enumerate().filter_map(befalls)
    };
    (0..calls.len()).flat_map(columns).collect()
}

/// So many cases, by chance. None: for each fault one call; the scenarios take turns.
fn sample(calls: &[Call], seed: u64, count: Option<u64>) -> Vec<(usize, usize)> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut all = cases(calls);
    all.shuffle(&mut random);
    if let Some(count) = count {
        all.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        return all;
    }
    let turns = (0..Fault::ALL.len()).zip(Scenario::ALL.iter().cycle());
    let chosen = turns.filter_map(|(column, scenario)| {
        all.iter().find(|(row, at)| *at == column && calls[*row].scenario == *scenario).copied()
    });
    chosen.collect()
}

/// Runs the cases, prints the table, and fails if any case did.
async fn run(worlds: &mut Worlds, calls: &[Call], cases: &[(usize, usize)]) -> anyhow::Result<()> {
    let mut table = Table::default();
    for (number, (row, column)) in cases.iter().enumerate() {
        let (call, fault) = (&calls[*row], Fault::ALL[*column]);
        let switch = call.scenario.switch();
        let world = worlds.of(switch);
        let result = case::run(world, call, fault).await;
        let said = result.as_ref().map_or_else(|error| format!("{error:#}"), |took| format!("{:.1} s", took.as_secs_f64()));
        println!("{}/{} {} at {}: {said}", number + 1, cases.len(), fault.title(), call.title());
        let broken = result.is_err();
        table.put(*row, *column, result.map_err(|error| format!("{error:#}")));
        if broken {
            // What it left behind must not be held against the next.
            world.aws.clear_faults().await?;
            *world = self::world(switch).await?;
        }
    }
    println!("{}", table.text(calls));
    let wrong = table.wrong(calls);
    anyhow::ensure!(wrong.is_empty(), "{} of {} cases failed:\n{}", wrong.len(), table.len(), wrong.join("\n"));
    println!("{} cases over {} calls, all held", table.len(), calls.len());
    Ok(())
}

#[tokio::test]
async fn whatever_fails_at_a_call_the_deployment_ends_as_it_should() -> anyhow::Result<()> {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let seed = number("SEGUE_MATRIX_SEED").unwrap_or(1);
    let mut worlds = Worlds::start().await?;
    let calls = rows(&mut worlds).await?;
    let cases = sample(&calls, seed, number("SEGUE_MATRIX_CASES"));
    println!("a sample of {} of {} cases, SEGUE_MATRIX_SEED={seed}", cases.len(), self::cases(&calls).len());
    run(&mut worlds, &calls, &cases).await?;
    worlds.stop().await
}

#[tokio::test]
#[ignore = "more than an hour: ./tests/run --full"]
async fn whatever_fails_at_any_call_the_deployment_ends_as_it_should() -> anyhow::Result<()> {
    let mut worlds = Worlds::start().await?;
    let calls = rows(&mut worlds).await?;
    let cases = cases(&calls);
    run(&mut worlds, &calls, &cases).await?;
    worlds.stop().await
}
