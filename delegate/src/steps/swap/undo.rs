//! Rollback Swap Target Groups: the old version is brought back and healthy first; only then production goes back to it, by the
//! actions that were recorded before they were changed.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::{OldService, RoutePair, SetupOutput},
};
use futures::future::try_join_all;

use super::{
    super::{
        counts,
        markers::{self, GREEN},
        routes::{self, Leads, PairNow},
        scaling,
        targets::{self, Standing},
    },
    bake,
    proof::whole_for_an_interval,
};
use crate::{
    aws::actions::forwarding,
    executor::{Halt, Outcome, StepContext},
};

pub(super) async fn undo(context: &StepContext) -> Outcome<()> {
    let console = context.console();
    let (Some(setup), Some(before)) = (context.assignment().setup(), routes::recorded(context.checkpoints())) else {
        console.info("The swap was not begun: nothing to undo");
        return Ok(());
    };
    let pairs = setup.traffic.pairs();
    let mut now = routes::look(context, pairs).await?;
    if let Some(old) = &setup.old {
        for (now, pair) in now.iter_mut().zip(pairs) {
            if now.prod.leads(pair) == Leads::New && now.stage.leads(pair) == Leads::New {
                lead_stage_to_old(context, now, pair).await?;
            }
        }
        let limit = Duration::from_secs(u64::from(setup.steady_state_timeout_minutes) * 60);
        bring_back(context, setup, old, &now, limit).await?;
    }
    // Production of every pair first. One that can't be put back does not keep the others from it.
    let mut failed = None;
    for production in [true, false] {
        for ((now, pair), before) in now.iter().zip(pairs).zip(before) {
            let (route, before) = if production { (&now.prod, &before.prod) } else { (&now.stage, &before.stage) };
            if let Err(halt) = routes::put_back(context, route, before, pair).await {
                match halt {
                    Halt::Failed(failure) => failed = failed.or(Some(failure)),
                    other => return Err(other),
                }
            }
        }
    }
    if let Some(failure) = failed {
        return Err(failure.into());
    }

    if let Some(old) = &setup.old {
        match &old.bg_version {
            Some(colour) => markers::paint_back(context, &old.name, &old.arn, colour).await?,
            None => markers::unpaint(context, &old.name, &old.arn).await?,
        }
    }
    markers::paint_back(context, &setup.service, &setup.service_arn, GREEN).await?;

    for (now, pair) in routes::look(context, pairs).await?.iter().zip(pairs) {
        if (now.prod.leads(pair), now.stage.leads(pair)) != (Leads::Old, Leads::New) {
            let message = format!(
                "The {} should forward to {} and the {} to {}; they forward elsewhere.",
                now.prod.called(),
                pair.old_target_group,
                now.stage.called(),
                pair.new_target_group
            );
            return Err(Failure::uncertain(FailureKind::Application, message).into());
        }
    }
    console.info("Prod and Stage Listeners are as they were before the swap");
    if let Some(old) = &setup.old {
        // The new version's tasks are taken away next.
        let groups = setup.traffic.old_target_groups();
        try_join_all(groups.iter().map(|group| whole_for_an_interval(context, group, old.desired_count))).await?;
    }
    bake::wait_promise_out(context).await
}

/// A swap that stopped between its two halves: no route leads to the old group, so nobody checks its targets, and production
/// would go back to ones that are not known to answer. Stage, which has no customers, goes there first.
async fn lead_stage_to_old(context: &StepContext, now: &mut PairNow, pair: &RoutePair) -> Outcome<()> {
    context.console().info(format!(
        "The swap stopped half way. Updating ELB Stage Listener first, so that the old version's health is checked, TargetGroup: {}",
        pair.old_target_group
    ));
    let wanted = forwarding(&now.stage.actions, &[(&pair.old_target_group, 1)])
        .map_err(|error| Failure::refused(FailureKind::Application, format!("The {} {error}.", now.stage.called())))?;
    routes::set(context, &now.stage, &wanted).await?;
    now.stage.actions = wanted;
    Ok(())
}

/// The old service at its recorded count, and its targets healthy.
pub(in super::super) async fn bring_back(
    context: &StepContext,
    setup: &SetupOutput,
    old: &OldService,
    routes: &[PairNow],
    limit: Duration,
) -> Outcome<()> {
    let now = counts::look_at(context, &setup.cluster, &old.name).await?;
    if now.desired < old.desired_count {
        context.console().info(format!(
            "Resize service [{}] from {} to {} instances, as before the swap",
            old.name, now.desired, old.desired_count
        ));
        counts::set_desired(context, &setup.cluster, &old.name, old.desired_count).await?;
    }
    counts::tasks_running(context, &setup.cluster, &old.name, old.desired_count, limit).await?;
    scaling::restore(context, setup, old).await?;
    for group in setup.traffic.old_target_groups() {
        // Health checks reach a group only while a route leads to it.
        let checked = routes.iter().any(|pair| [&pair.prod, &pair.stage].iter().any(|route| route.leads_to(group)));
        if checked {
            targets::healthy(context, group, old.desired_count, limit).await?;
            continue;
        }
        let targets = targets::look(context, group).await?;
        let there = targets.iter().filter(|target| target.is_healthy() || target.state == "unused").count();
        if u32::try_from(there).unwrap_or(u32::MAX) < old.desired_count {
            let standing = Standing::of(&targets);
            return Err(targets::not_healthy(group, standing, old.desired_count, &targets, limit).into());
        }
    }
    Ok(())
}
