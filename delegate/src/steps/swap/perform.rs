//! The order of the swap.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    failure::{Effect, Failure, FailureKind},
    step::{Checkpoint, RoutePair, SetupOutput, StepOutput, SwapOutput, SwapTargetGroups},
};
use tokio::time::Instant;

use super::{
    super::{
        Step, counts,
        markers::{self, BLUE, GREEN},
        routes::{self, Leads, PairNow, RouteNow},
        step::pairs_of,
        targets::{self, Standing},
    },
    alarms, bake, downsize,
    drained::drained,
    proof::prove,
    undo,
};
use crate::{
    aws::actions::{forward_targets, forwarding},
    executor::{Halt, Outcome, StepContext},
};

/// How long the new targets may take to be whole again right before the swap; they were at the end of the upgrade.
const HEALTHY_WITHIN: Duration = Duration::from_secs(60);

/// *Swap Target Groups*.
pub(in super::super) struct Swap<'a> {
    pub(in super::super) input: &'a SwapTargetGroups,
}

#[async_trait]
impl Step for Swap<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let console = context.console();
        let (setup, pairs) = pairs_of(context)?;
        let now = routes::look(context, pairs).await?;
        refuse_strangers(pairs, &now)?;
        bake::refuse_if_put_back(context, pairs, &now)?;
        // Once production has been switched there is nothing left to be kept from it; the downsizing has its own proof.
        if now.iter().zip(pairs).any(|(now, pair)| now.prod.leads(pair) != Leads::New) {
            new_is_healthy(context, setup).await?;
            alarms::quiet_before(context, self.input.bake.as_ref()).await?;
        }
        let (switched_at_ms, switch_ms) = switch(context, pairs, &now).await?;

        markers::paint(context, &setup.service, &setup.service_arn, BLUE).await?;
        if let Some(old) = &setup.old {
            markers::paint(context, &old.name, &old.arn, GREEN).await?;
        }
        if let Some(wanted) = &self.input.bake {
            bake::bake(context, setup, wanted).await?;
        }
        self.delay(context, switched_at_ms).await?;
        let probe = self.input.probe_path.as_deref();
        match &setup.old {
            Some(old) if self.input.downsize_old => {
                if let Some(limit) = self.input.drain_ms {
                    drained(context, pairs, old, switched_at_ms, Duration::from_millis(limit)).await?;
                }
                downsize::downsize(context, setup, old, probe).await?;
            }
            Some(old) => {
                prove(context, setup, probe).await?;
                console.info(format!("Service {} is not downsized, as the step says", old.name));
            }
            None => {
                prove(context, setup, probe).await?;
                console.info("There is no older service to downsize");
            }
        }

        // What is handed on is read back, not assumed.
        let now = routes::look(context, pairs).await?;
        still_ours(pairs, &now)?;
        let group_of =
            |route: &RouteNow| forward_targets(&route.actions).into_iter().next().map(|(arn, _)| arn).unwrap_or_default();
        Ok(StepOutput::Swap(Box::new(SwapOutput {
            live_service: setup.service.clone(),
            previous_service: setup.old.as_ref().map(|old| old.name.clone()),
            prod_target_group: now.first().map(|now| group_of(&now.prod)).unwrap_or_default(),
            stage_target_group: now.first().map(|now| group_of(&now.stage)).unwrap_or_default(),
            switch_ms,
        })))
    }

    async fn undo(&self, context: &StepContext) -> Outcome<()> {
        undo::undo(context).await
    }
}

impl Swap<'_> {
    /// Leaves the old version running for connections that are not idle. Counts from the switch, so that a resumed step waits only
    /// the rest.
    async fn delay(&self, context: &StepContext, switched_at_ms: i64) -> Outcome<()> {
        let passed = u64::try_from(context.now_ms().saturating_sub(switched_at_ms)).unwrap_or(0);
        let rest = Duration::from_secs(self.input.delay_seconds).saturating_sub(Duration::from_millis(passed));
        if !rest.is_zero() {
            context
                .console()
                .info(format!("Waiting: [{}] seconds before the older service is touched", rest.as_secs_f64().ceil()));
            context.pause(rest).await?;
        }
        Ok(())
    }
}

/// Production never leads to a group whose targets are not healthy because of us.
pub(in super::super) async fn new_is_healthy(context: &StepContext, setup: &SetupOutput) -> Outcome<()> {
    let service = counts::look_at(context, &setup.cluster, &setup.service).await?;
    let wanted = service.desired.max(1);
    for group in setup.traffic.new_target_groups() {
        let standing = Standing::of(&targets::look(context, group).await?);
        if standing.is_whole(wanted) {
            continue;
        }
        let limit = context.polling().aws_time(HEALTHY_WITHIN);
        targets::healthy(context, group, wanted, limit).await.map_err(|halt| match halt {
            Halt::Failed(failure) => Halt::Failed(Failure {
                effect: Effect::DidNotHappen,
                message: format!("The new version is not fit for production; nothing was switched. {}", failure.message),
                ..failure
            }),
            other => other,
        })?;
    }
    Ok(())
}

/// Production of every pair to new, then stage to old; each read back. Gives when all had been switched (delegate's clock) and how
/// long it took.
async fn switch(context: &StepContext, pairs: &[RoutePair], now: &[PairNow]) -> Outcome<(i64, u64)> {
    let console = context.console();
    if routes::recorded(context.checkpoints()).is_none() {
        context.checkpoint(Checkpoint::RoutesRecorded { pairs: routes::snapshot(now) }).await?;
    }
    let wanted = |route: &RouteNow, group: &str| {
        forwarding(&route.actions, &[(group, 1)])
            .map_err(|error| Failure::refused(FailureKind::Application, format!("The {} {error}.", route.called())))
    };
    let started = Instant::now();
    let line = |listener: &str, group: &str| {
        console.info(format!(
            "Updating ELB {listener} Listener to Forward requests to Target group associated with new Service, TargetGroup: {group}"
        ));
    };
    for (now, pair) in now.iter().zip(pairs) {
        line("Prod", &pair.new_target_group);
        routes::set(context, &now.prod, &wanted(&now.prod, &pair.new_target_group)?).await?;
    }
    for (now, pair) in now.iter().zip(pairs) {
        line("Stage", &pair.old_target_group);
        routes::set(context, &now.stage, &wanted(&now.stage, &pair.old_target_group)?).await?;
    }
    console.info("Successfully update Prod and Stage Listeners");

    let before = context.checkpoints().iter().find_map(|checkpoint| match checkpoint {
        Checkpoint::TrafficSwitched { at_ms, switch_ms } => Some((*at_ms, *switch_ms)),
        _ => None,
    });
    if let Some(before) = before {
        return Ok(before);
    }
    let switched = (context.now_ms(), u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    context.checkpoint(Checkpoint::TrafficSwitched { at_ms: switched.0, switch_ms: switched.1 }).await?;
    Ok(switched)
}

/// Each route leads to the two groups of its pair, or somebody else moved it.
pub(in super::super) fn refuse_strangers(pairs: &[RoutePair], now: &[PairNow]) -> Result<(), Failure> {
    let mut strangers = Vec::new();
    for (now, pair) in now.iter().zip(pairs) {
        for (route, was) in [(&now.prod, &pair.old_target_group), (&now.stage, &pair.new_target_group)] {
            if let Leads::Elsewhere(what) = route.leads(pair) {
                strangers.push(format!("The {} forwarded to {was} when the setup ran and {what} now.", route.called()));
            }
        }
    }
    if strangers.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(FailureKind::Application, strangers.join("\n"))
        .hint("Another tool or person changed it. Nothing was switched; put it back or deploy again."))
}

/// Every production route leads to the new group still.
///
/// # Errors
/// When somebody moved one while the step was at work.
pub(super) fn still_ours(pairs: &[RoutePair], now: &[PairNow]) -> Result<(), Failure> {
    for (now, pair) in now.iter().zip(pairs) {
        let what = match now.prod.leads(pair) {
            Leads::New => continue,
            Leads::Old => format!("forwards to {}", pair.old_target_group),
            Leads::Shared { .. } => "shares its requests between both versions".to_owned(),
            Leads::Elsewhere(what) => what,
        };
        let message = format!("The {} was switched to {} and now {what}.", now.prod.called(), pair.new_target_group);
        return Err(Failure::uncertain(FailureKind::Application, message)
            .hint("Another tool or person changed it after the swap. The old service was left running."));
    }
    Ok(())
}
