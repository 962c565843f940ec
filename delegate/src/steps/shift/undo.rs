//! Rollback Shift Traffic: the old version never left, so it gets everything back at once.

use std::time::Duration;

use domain::step::{OldService, RoutePair, SetupOutput, ShiftTraffic, Traffic};

use super::super::{
    dns,
    routes::{self, PairNow},
    swap::bring_back,
    targets::{self, Standing},
};
use crate::executor::{Halt, Outcome, StepContext};

pub(super) async fn undo(context: &StepContext, input: &ShiftTraffic) -> Outcome<()> {
    let console = context.console();
    let Some(setup) = context.assignment().setup() else {
        console.info("No setup has succeeded: no traffic was shifted, nothing to undo");
        return Ok(());
    };
    match (&setup.traffic, &setup.old) {
        (Traffic::LoadBalancer(pairs), Some(old)) => all_back(context, setup, old, pairs).await,
        (Traffic::Dns(records), Some(_)) => dns::unshare(context, setup, records, input).await,
        (_, None) => {
            console.info("There was no older version to share traffic with: nothing to undo");
            Ok(())
        }
    }
}

async fn all_back(context: &StepContext, setup: &SetupOutput, old: &OldService, pairs: &[RoutePair]) -> Outcome<()> {
    let console = context.console();
    let Some(before) = routes::recorded(context.checkpoints()) else {
        console.info("The shift was not begun: nothing to undo");
        return Ok(());
    };
    let now = routes::look(context, pairs).await?;
    if !fit(context, setup).await? {
        restore(context, setup, old, &now).await?;
    }
    let mut failed = None;
    for ((now, pair), before) in now.iter().zip(pairs).zip(before) {
        match routes::put_back(context, &now.prod, &before.prod, pair).await {
            Ok(()) => {}
            Err(Halt::Failed(failure)) => failed = failed.or(Some(failure)),
            Err(halt) => return Err(halt),
        }
    }
    if let Some(failure) = failed {
        return Err(failure.into());
    }
    console.info("The old version gets all of production's traffic");
    Ok(())
}

/// Whether the old version can serve as it is.
async fn fit(context: &StepContext, setup: &SetupOutput) -> Outcome<bool> {
    let worst = targets::worst(context, &setup.traffic.old_target_groups()).await?;
    Ok(worst.is_some_and(|(_, targets)| Standing::of(&targets).healthy > 0))
}

async fn restore(context: &StepContext, setup: &SetupOutput, old: &OldService, now: &[PairNow]) -> Outcome<()> {
    let limit = Duration::from_secs(u64::from(setup.steady_state_timeout_minutes) * 60);
    bring_back(context, setup, old, now, limit).await
}
