//! The bake: production is watched after the swap, while the old version still runs, and put back at the first breach. By the
//! delegate itself: neither the control plane nor its leases are asked, only what was promised when the watch began.
//!
//! ```text
//! promise recorded --- probe, probe, probe ... + target health, listener --- window over: promise given back, lease again
//!                                   | breach
//!                                   '--> listener read once more --> ONE write: production to old --> read back --> the step fails
//! ```

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::{Bake, Checkpoint, RoutePair, SetupOutput},
};
use futures::future::try_join_all;
use tokio::time::Instant;

use super::{
    super::{
        counts,
        routes::{self, Leads, PairNow},
        targets::{self, Standing},
    },
    alarms::gone_off,
    perform::still_ours,
    proof::production_answers,
};
use crate::{
    aws::{
        actions::forwarding,
        budget::{Lane, lane},
        model::Target,
    },
    executor::{Halt, Outcome, StepContext},
    lease::SAFETY,
};

/// The longest that one answer to the probe may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How often target health and the listener are looked at, in AWS's time: an account's ELB calls are limited.
const LOOK: Duration = Duration::from_secs(5);
/// How long the listener may take to be read between the breach and the write; it was read moments ago, too.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// Beyond the window: the last answer, the last look, the write and its retries.
const PROMISE_BEYOND: Duration = Duration::from_secs(30);

/// A step that takes up where a bake was interrupted does not give production to a version that was put back meanwhile.
pub(super) fn refuse_if_put_back(context: &StepContext, pairs: &[RoutePair], now: &[PairNow]) -> Result<(), Failure> {
    let bake = |checkpoint: &&Checkpoint| matches!(checkpoint, Checkpoint::BakeStarted { .. } | Checkpoint::BakeEnded);
    let open = context.checkpoints().iter().rev().find(bake).is_some_and(|last| matches!(last, Checkpoint::BakeStarted { .. }));
    if !open || now.iter().zip(pairs).all(|(now, pair)| now.prod.leads(pair) != Leads::Old) {
        return Ok(());
    }
    Err(Failure::uncertain(
        FailureKind::Verification,
        "Production was put back to the previous version while it was watched after the swap, and is not given to the new one again.",
    )
    .hint("The log of the attempt before says why, if it could still be sent. Deploy again once the reason is mended."))
}

/// Watches until the window is over.
pub(super) async fn bake(context: &StepContext, setup: &SetupOutput, wanted: &Bake) -> Outcome<()> {
    // Whoever had the step before may put production back a little longer: it is watched at least until then.
    let window = Duration::from_millis(wanted.window_ms).max(context.others_promise());
    let length = window + PROMISE_BEYOND + context.write_budget() + SAFETY;
    let promise_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    context.promise(length, Checkpoint::BakeStarted { promise_ms }).await?;
    let mut watch = Watch::begin(context, setup, wanted).await?;
    if let (Some(url), None) = (&watch.url, &setup.old) {
        // Nothing served before: until the change has reached the load balancer's nodes, they answer that there is nothing.
        production_answers(context, url).await?;
    }
    let what = watch.url.as_ref().map_or_else(String::new, |url| format!("{url} and "));
    let alarms = if wanted.alarms.is_empty() { String::new() } else { format!(" and the alarms {}", wanted.alarms.join(", ")) };
    context.console().info(format!(
        "Baking for {} s: watching {what}the health of {} targets{alarms}; the first breach puts production back",
        window.as_secs_f64(),
        watch.wanted_healthy
    ));
    let ends = Instant::now() + window;
    while Instant::now() < ends {
        if let Some(breach) = watch.look(context, setup, wanted).await? {
            return Err(lane::within(Lane::Back, watch.put_back(context, setup, breach)).await);
        }
        let rest = ends.saturating_duration_since(Instant::now());
        context.pause(Duration::from_millis(wanted.interval_ms).min(rest)).await?;
    }
    context.promise_ended();
    context.checkpoint(Checkpoint::BakeEnded).await?;
    context.console().info(format!("Baked: {} probes, none of them a breach", watch.probes));
    Ok(())
}

/// Until then a delegate that was lost may put production back: the deployment does not end before.
pub(super) async fn wait_promise_out(context: &StepContext) -> Outcome<()> {
    let rest = context.others_promise();
    if !rest.is_zero() {
        context.console().info(format!(
            "Waiting {} s: until then the delegate that was lost may still put production back by itself",
            rest.as_secs_f64().ceil()
        ));
        context.pause(rest).await?;
    }
    Ok(())
}

/// What was seen, and when: the time to the write counts from here.
struct Breach {
    what: String,
    seen: Instant,
}

struct Watch {
    url: Option<String>,
    wanted_healthy: u32,
    /// The routes as they were seen last.
    now: Vec<PairNow>,
    /// Whether the old version was fit to serve at the last look.
    old_is_fit: bool,
    looked: Option<Instant>,
    failed: u32,
    probes: u64,
}

impl Watch {
    async fn begin(context: &StepContext, setup: &SetupOutput, wanted: &Bake) -> Outcome<Self> {
        let now = routes::look(context, setup.traffic.pairs()).await?;
        let base = setup.traffic.prod_url();
        let url = wanted.probe_path.as_ref().map(|path| format!("{base}/{}", path.trim_start_matches('/')));
        let wanted_healthy = counts::look_at(context, &setup.cluster, &setup.service).await?.desired.max(1);
        Ok(Self { url, wanted_healthy, now, old_is_fit: false, looked: None, failed: 0, probes: 0 })
    }

    /// One round: the probe each time, AWS when it is due again.
    async fn look(&mut self, context: &StepContext, setup: &SetupOutput, wanted: &Bake) -> Outcome<Option<Breach>> {
        context.go_on()?;
        if let Some(breach) = self.probe(context, wanted).await {
            return Ok(Some(breach));
        }
        let due = self.looked.is_none_or(|looked| looked.elapsed() >= context.polling().aws_time(LOOK));
        if !due {
            return Ok(None);
        }
        self.looked = Some(Instant::now());
        let pairs = setup.traffic.pairs();
        let health = |groups: Vec<&str>| {
            let groups: Vec<String> = groups.into_iter().map(str::to_owned).collect();
            async move { try_join_all(groups.iter().map(|group| targets::look(context, group))).await }
        };
        let seen = tokio::time::timeout(ANSWER, async {
            let (new, old) = (setup.traffic.new_target_groups(), setup.traffic.old_target_groups());
            let alarms = gone_off(context, &wanted.alarms);
            futures::try_join!(health(new), health(old), routes::look(context, pairs), alarms)
        });
        // AWS not answering is no breach: what serves does not change by that.
        let (new, old, now, gone_off) = match seen.await {
            Ok(Ok(seen)) => seen,
            Ok(Err(Halt::Failed(failure))) => return Ok(self.unseen(context, &failure.message)),
            Ok(Err(halt)) => return Err(halt),
            Err(_) => return Ok(self.unseen(context, "AWS did not answer in time.")),
        };
        self.old_is_fit = old.iter().all(|targets| Standing::of(targets).healthy > 0);
        still_ours(pairs, &now)?;
        self.now = now;
        let ill = |targets: &&Vec<Target>| Standing::of(targets).healthy < self.wanted_healthy;
        if let Some(targets) = new.iter().find(ill) {
            let healthy = Standing::of(targets).healthy;
            let what = format!("{healthy} of {} targets are healthy: {}", self.wanted_healthy, targets::complaints(targets));
            return Ok(Some(Breach { what, seen: Instant::now() }));
        }
        Ok(gone_off.map(|what| Breach { what, seen: Instant::now() }))
    }

    fn unseen(&self, context: &StepContext, why: &str) -> Option<Breach> {
        context.console().warn(format!("The targets' health could not be read; the probe goes on. {why}"));
        None
    }

    async fn probe(&mut self, context: &StepContext, wanted: &Bake) -> Option<Breach> {
        let url = self.url.as_ref()?;
        self.probes += 1;
        let what = match context.http().get(url, ANSWER).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                self.failed = 0;
                return None;
            }
            Ok(answer) => format!("{url} answered with status {}", answer.status),
            Err(error) => format!("{url}: {error}"),
        };
        let seen = Instant::now();
        self.failed += 1;
        if self.failed >= wanted.failures.max(1) {
            return Some(Breach { what, seen });
        }
        context.console().warn(format!("{what} ({} of {} in a row)", self.failed, wanted.failures));
        None
    }

    /// Production to the old version, and the failure that says so. One write for each production route, at the same time.
    async fn put_back(&self, context: &StepContext, setup: &SetupOutput, breach: Breach) -> Halt {
        let console = context.console();
        console.error(format!("Breach: {}", breach.what));
        let Some(old) = &setup.old else {
            let message = format!("After the swap: {}. There is no older version to put production back to.", breach.what);
            return Failure::uncertain(FailureKind::Verification, message).into();
        };
        if !self.old_is_fit {
            let message = format!(
                "After the swap: {}. Production was not put back at once, because no target of {} is healthy either; the rollback \
                 brings it back first.",
                breach.what, old.name
            );
            return Failure::uncertain(FailureKind::Verification, message).into();
        }
        let pairs = setup.traffic.pairs();
        let put_back = match self.last_look(context, pairs).await {
            Ok(now) => {
                let after_ms = breach.seen.elapsed().as_millis();
                let routes = now.iter().zip(pairs).map(|(now, pair)| async move {
                    let wanted = forwarding(&now.prod.actions, &[(&pair.old_target_group, 1)]).map_err(|error| {
                        Failure::refused(FailureKind::Application, format!("The {} {error}.", now.prod.called()))
                    })?;
                    routes::set(context, &now.prod, &wanted).await
                });
                try_join_all(routes).await.map(|_| after_ms)
            }
            Err(halt) => Err(halt),
        };
        match put_back {
            Ok(after_ms) => {
                let message = format!(
                    "After the swap: {}. Production was put back to {}: the change was begun {after_ms} ms after that was seen, and \
                     read back after {} ms.",
                    breach.what,
                    old.name,
                    breach.seen.elapsed().as_millis()
                );
                console.warn(message.clone());
                Failure::uncertain(FailureKind::Verification, message).into()
            }
            Err(Halt::Failed(failure)) => {
                let message =
                    format!("After the swap: {}. Production could not be put back at once: {}", breach.what, failure.message);
                Halt::Failed(Failure { kind: FailureKind::Verification, transient: false, message, ..failure })
            }
            Err(halt) => halt,
        }
    }

    /// The routes as they are now, so that nothing that a person wrote a moment ago is overwritten; as they were seen last, if AWS
    /// does not answer at once.
    async fn last_look(&self, context: &StepContext, pairs: &[RoutePair]) -> Outcome<Vec<PairNow>> {
        let read = tokio::time::timeout(LAST_LOOK, routes::look(context, pairs)).await;
        let now = match read {
            Ok(Ok(now)) => now,
            Ok(Err(Halt::Failed(_))) | Err(_) => return Ok(self.now.clone()),
            Ok(Err(halt)) => return Err(halt),
        };
        still_ours(pairs, &now)?;
        Ok(now)
    }
}
