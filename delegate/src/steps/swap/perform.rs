//! The order of the swap.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    failure::{Effect, Failure, FailureKind},
    step::{Checkpoint, SetupOutput, StepOutput, SwapOutput, SwapTargetGroups},
};
use tokio::time::Instant;

use super::{
    super::{
        Step, counts,
        markers::{self, BLUE, GREEN},
        production,
        step::setup_of,
        targets::{self, Standing},
    },
    bake, downsize,
    listeners::{recorded, set, snapshot},
    proof::prove,
    undo,
};
use crate::{
    aws::{actions::with_target, model::Listener},
    executor::{Outcome, StepContext},
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
        let setup = setup_of(context)?;
        let (prod, stage) = production::listeners(context, setup).await?;
        refuse_strangers(setup, &prod, &stage)?;
        bake::refuse_if_put_back(context, setup, &prod)?;
        // Once production has been switched there is nothing left to be kept from it; the downsizing has its own proof.
        if production::target(&prod, "production")? != setup.new_target_group {
            self.new_is_healthy(context, setup).await?;
        }
        let (switched_at_ms, switch_ms) = self.switch(context, setup, &prod, &stage).await?;

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
            Some(old) if self.input.downsize_old => downsize::downsize(context, setup, old, probe).await?,
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
        let (prod, stage) = production::listeners(context, setup).await?;
        let output = SwapOutput {
            live_service: setup.service.clone(),
            previous_service: setup.old.as_ref().map(|old| old.name.clone()),
            prod_target_group: production::target(&prod, "production")?,
            stage_target_group: production::target(&stage, "stage")?,
            switch_ms,
        };
        if output.prod_target_group != setup.new_target_group {
            return Err(moved_away(setup, &output.prod_target_group).into());
        }
        Ok(StepOutput::Swap(Box::new(output)))
    }

    async fn undo(&self, context: &StepContext) -> Outcome<()> {
        undo::undo(context).await
    }
}

impl Swap<'_> {
    /// Production never forwards to a group whose targets are not healthy because of us.
    async fn new_is_healthy(&self, context: &StepContext, setup: &SetupOutput) -> Outcome<()> {
        let service = counts::look_at(context, &setup.cluster, &setup.service).await?;
        let wanted = service.desired.max(1);
        let standing = Standing::of(&targets::look(context, &setup.new_target_group).await?);
        if standing.is_whole(wanted) {
            return Ok(());
        }
        let limit = context.polling().aws_time(HEALTHY_WITHIN);
        targets::healthy(context, &setup.new_target_group, wanted, limit).await.map_err(|halt| match halt {
            crate::executor::Halt::Failed(failure) => crate::executor::Halt::Failed(Failure {
                effect: Effect::DidNotHappen,
                message: format!("The new version is not fit for production; the swap was not begun. {}", failure.message),
                ..failure
            }),
            other => other,
        })
    }

    /// Production to new, then stage to old; each read back. Gives when both had been switched (delegate's clock) and how long it
    /// took.
    async fn switch(&self, context: &StepContext, setup: &SetupOutput, prod: &Listener, stage: &Listener) -> Outcome<(i64, u64)> {
        let console = context.console();
        if recorded(context.checkpoints()).is_none() {
            let checkpoint = Checkpoint::ListenersRecorded {
                prod: snapshot(prod, production::target(prod, "production")?),
                stage: snapshot(stage, production::target(stage, "stage")?),
            };
            context.checkpoint(checkpoint).await?;
        }
        let malformed = |error| Failure::refused(FailureKind::Application, format!("A listener {error}."));
        let prod_wanted = with_target(&prod.actions, &setup.new_target_group).map_err(malformed)?;
        let stage_wanted = with_target(&stage.actions, &setup.old_target_group).map_err(malformed)?;

        let started = Instant::now();
        let line = |listener: &str, group: &str| {
            console.info(format!(
                "Updating ELB {listener} Listener to Forward requests to Target group associated with new Service, TargetGroup: {group}"
            ));
        };
        line("Prod", &setup.new_target_group);
        set(context, prod, &prod_wanted).await?;
        line("Stage", &setup.old_target_group);
        set(context, stage, &stage_wanted).await?;
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

/// Each listener forwards to one of the two groups, or somebody else moved it.
fn refuse_strangers(setup: &SetupOutput, prod: &Listener, stage: &Listener) -> Result<(), Failure> {
    let ours = [&setup.old_target_group, &setup.new_target_group];
    let mut strangers = Vec::new();
    for (role, listener, was) in [("production", prod, &setup.old_target_group), ("stage", stage, &setup.new_target_group)] {
        let target = production::target(listener, role)?;
        if !ours.contains(&&target) {
            strangers.push(format!(
                "The {role} listener (port {}) forwarded to {was} when the setup ran and forwards to {target} now.",
                listener.port
            ));
        }
    }
    if strangers.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(FailureKind::Application, strangers.join("\n"))
        .hint("Another tool or person changed it. Nothing was switched; put it back or deploy again."))
}

/// A failure for a production listener that somebody moved while the step was at work.
pub(super) fn moved_away(setup: &SetupOutput, target: &str) -> Failure {
    let message = format!("The production listener was switched to {} and forwards to {target} now.", setup.new_target_group);
    Failure::uncertain(FailureKind::Application, message)
        .hint("Another tool or person changed it after the swap. The old service was left running.")
}
