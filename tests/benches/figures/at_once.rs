//! P9: a hundred deployments at once in one cluster, against the limits that AWS publishes (the simulated AWS enforces them): calls a
//! deployment, what was throttled, what failed. Then the same with a delegate that knows no budget and shares no call.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use aws_credential_types::Credentials;
use delegate::{
    agent::Work,
    aws::{
        budget::Budgets,
        sdk::{CallLimits, SdkAccess},
    },
    executor::{SecretsDirectory, Services, WaitMemory},
    program,
    settings::Settings,
};
use runtime::clock::{Clock, SystemClock};
use sandbox::world::{World, WorldSettings};
use tests::{
    at_once::{AtOnce, deploy, lines},
    programs::programs,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::table::Row;

const DEPLOYMENTS: usize = 100;
/// The simulated AWS is so many times faster than AWS.
const FACTOR: u32 = 10;
const LIMIT: Duration = Duration::from_secs(900);

/// Measures it.
pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let settings = WorldSettings { delegates: 0, clock_factor: f64::from(FACTOR), ..WorldSettings::default() };
    let mut rows = Vec::new();
    for (name, budgets) in [("", Budgets::published(f64::from(FACTOR))), (", naive poller", Budgets::unlimited())] {
        let world = World::start(programs(), settings.clone()).await?;
        let delegate = HereDelegate::start(&world, budgets).await?;
        lines(&world, DEPLOYMENTS).await?;
        deploy(&world, 1, "0", LIMIT).await?;
        let one = deploy(&world, 1, "1", LIMIT).await?;
        tell(&format!("one{name}"), &one);
        tell(&format!("first versions{name}"), &deploy(&world, DEPLOYMENTS, "2", LIMIT).await?);
        let all = deploy(&world, DEPLOYMENTS, "3", LIMIT).await?;
        tell(&format!("{DEPLOYMENTS} at once{name}"), &all);
        rows.extend(figures(name, &one, &all));
        delegate.stop().await?;
        world.stop().await?;
    }
    Ok(rows)
}

fn figures(name: &str, one: &AtOnce, all: &AtOnce) -> Vec<Row> {
    let at_most = |what: &str, figure: f64, bound: f64, unit| Row::at_most("P9", format!("{what}{name}"), figure, bound, unit);
    #[expect(clippy::cast_precision_loss, reason = "calls")]
    let each = |calls: u64, of: &AtOnce| calls as f64 / of.deployments as f64;
    #[expect(clippy::cast_precision_loss, reason = "a hundred")]
    let failed = all.failed.len() as f64;
    vec![
        at_most("one alone: calls that poll", each(one.calls.polls(), one), 60.0, ""),
        at_most("one alone: other calls", each(one.calls.all() - one.calls.polls(), one), 12.0, ""),
        at_most("one alone: of them ELBv2", each(one.calls.load_balancing(), one), 10.0, ""),
        at_most("100 at once: calls that poll, each", each(all.calls.polls(), all), 12.0, ""),
        at_most("100 at once: other calls, each", each(all.calls.all() - all.calls.polls(), all), 12.0, ""),
        at_most("100 at once: ELBv2, each", each(all.calls.load_balancing(), all), 10.0, ""),
        at_most("100 at once: throttled answers", each(all.calls.throttled, one), 0.0, ""),
        at_most("100 at once: failed", failed, 0.0, ""),
        at_most(
            "100 at once: AWS's time beyond one alone",
            all.took.saturating_sub(one.took).as_secs_f64() * f64::from(FACTOR),
            85.0,
            "s",
        ),
    ]
}

fn tell(what: &str, ended: &AtOnce) {
    println!(
        "{what}: {:.1} s ({:.0} s of AWS's time), {} calls, {} throttled, {} failed {:?}; {:?}",
        ended.took.as_secs_f64(),
        ended.took.as_secs_f64() * f64::from(FACTOR),
        ended.calls.all(),
        ended.calls.throttled,
        ended.failed.len(),
        ended.failed.first(),
        ended.calls.by_operation,
    );
}

/// A delegate in this process: all of it but its budget is what is shipped.
struct HereDelegate {
    stop: CancellationToken,
    running: JoinSet<Result<(), program::ProgramError>>,
}

impl HereDelegate {
    async fn start(world: &World, budgets: Budgets) -> anyhow::Result<Self> {
        let created: serde_json::Value =
            serde_json::from_str(&world.segue(&["delegate", "token", "create", "-o", "json"]).await?)?;
        let folder = world.dir.join("here");
        std::fs::create_dir_all(&folder)?;
        let authorities = folder.join("authorities.pem");
        std::fs::write(&authorities, created["authorities"].as_str().context("no authorities were printed")?)?;
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let poll = format!("{}..{}", 1_000 / FACTOR, 5_000 / FACTOR);
        let arguments = [
            ("--control-plane", world.gateway_url()),
            ("--authorities", text(&authorities)),
            ("--state-dir", text(&folder)),
            ("--name", "here".to_owned()),
            ("--poll-interval-ms", poll),
        ];
        let arguments = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        let settings = Settings::of_arguments(std::iter::once("segue-delegate".to_owned()).chain(arguments).map(Into::into))?;
        let token = created["token"].as_str().context("no join token was printed")?;
        let settings = Settings { join_token: Some(token.to_owned().into()), ..settings };

        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let limits = CallLimits::default();
        let keys = Credentials::new(&world.seed.access_key, &world.seed.secret_key, None, None, "figures");
        let services = Services {
            aws: Arc::new(SdkAccess::fixed("here", limits, budgets, &world.seed.endpoint, keys)),
            secrets: SecretsDirectory::default(),
            polling: settings.poll_interval_ms.into(),
            memory: Arc::new(WaitMemory::default()),
            write_budget: limits.write,
            shell_scripts: false,
            chance: runtime::chance::Chance::from_machine(),
            clock: clock.clone(),
        };
        let stop = CancellationToken::new();
        let run = program::run_with(settings, move |_| -> Arc<dyn Work> { Arc::new(services) }, clock, stop.clone());
        let mut running = JoinSet::new();
        running.spawn(run);
        let here = Self { stop, running };
        for _ in 0..600 {
            let listed: serde_json::Value = serde_json::from_str(&world.segue(&["delegate", "list", "-o", "json"]).await?)?;
            if listed.as_array().into_iter().flatten().any(|delegate| delegate["connected"] == true) {
                return Ok(here);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the delegate did not connect")
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended?.context("the delegate did not leave in order")?;
        }
        Ok(())
    }
}
