//! The order of the shift.

use async_trait::async_trait;
use domain::{
    failure::{Failure, FailureKind},
    step::{Checkpoint, RoutePair, SetupOutput, ShiftOutput, ShiftTraffic, StepOutput, Traffic},
};

use super::{
    super::{
        Step, dns,
        routes::{self, Leads},
        step::setup_of,
        swap::{new_is_healthy, refuse_strangers},
    },
    undo,
};
use crate::{
    aws::actions::forwarding,
    executor::{Outcome, StepContext},
};

/// *Shift Traffic*.
pub(in super::super) struct Shift<'a> {
    pub(in super::super) input: &'a ShiftTraffic,
}

#[async_trait]
impl Step for Shift<'_> {
    async fn perform(&self, context: &StepContext) -> Outcome<StepOutput> {
        let setup = setup_of(context)?;
        let weight = self.input.weight;
        if setup.old.is_none() {
            context.console().info("There is no older version to share traffic with: all of it comes with the switch");
            return Ok(StepOutput::Shift(ShiftOutput { weight: 0 }));
        }
        match &setup.traffic {
            Traffic::LoadBalancer(pairs) => share(context, setup, pairs, weight).await?,
            Traffic::Dns(records) => dns::share(context, setup, records, self.input).await?,
        }
        context.console().info(format!("The new version gets {weight} % of production's traffic"));
        Ok(StepOutput::Shift(ShiftOutput { weight }))
    }

    async fn undo(&self, context: &StepContext) -> Outcome<()> {
        undo::undo(context, self.input).await
    }
}

/// Every production route forwards to both groups, with these shares.
async fn share(context: &StepContext, setup: &SetupOutput, pairs: &[RoutePair], weight: u8) -> Outcome<()> {
    let now = routes::look(context, pairs).await?;
    refuse_strangers(pairs, &now)?;
    new_is_healthy(context, setup).await?;
    if routes::recorded(context.checkpoints()).is_none() {
        context.checkpoint(Checkpoint::RoutesRecorded { pairs: routes::snapshot(&now) }).await?;
    }
    for (now, pair) in now.iter().zip(pairs) {
        let (new, old) = (u32::from(weight), u32::from(100 - weight));
        let shares = [(pair.new_target_group.as_str(), new), (pair.old_target_group.as_str(), old)];
        let wanted = forwarding(&now.prod.actions, &shares)
            .map_err(|error| Failure::refused(FailureKind::Application, format!("The {} {error}.", now.prod.called())))?;
        context.console().info(format!(
            "Updating ELB Prod Listener to Forward {new} % of requests to the new Service and {old} % to the old one, TargetGroups: {}, {}",
            pair.new_target_group, pair.old_target_group
        ));
        routes::set(context, &now.prod, &wanted).await?;
    }
    for (now, pair) in routes::look(context, pairs).await?.iter().zip(pairs) {
        if !matches!(now.prod.leads(pair), Leads::Shared { .. }) {
            let message = format!("The {} was to share its requests between both versions and does not now.", now.prod.called());
            let hint = "Another tool or person changes it at the same time.";
            return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
        }
    }
    Ok(())
}
