//! Rollback Swap Target Groups: the old version is brought back and healthy first; only then production goes back to it, by the
//! actions that were recorded before they were changed.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::{ListenerSnapshot, OldService, SetupOutput},
};

use super::{
    super::{
        counts,
        markers::{self, GREEN},
        production,
        targets::{self, Standing},
    },
    bake,
    listeners::{recorded, set},
    proof::whole_for_an_interval,
};
use crate::{
    aws::{
        actions::{normalised, with_target, writable},
        model::Listener,
    },
    executor::{Outcome, StepContext},
};

pub(super) async fn undo(context: &StepContext) -> Outcome<()> {
    let console = context.console();
    let (Some(setup), Some((prod_before, stage_before))) = (context.assignment().setup(), recorded(context.checkpoints())) else {
        console.info("The swap was not begun: nothing to undo");
        return Ok(());
    };
    let (prod, mut stage) = production::listeners(context, setup).await?;
    let prod_target = production::target(&prod, "production")?;
    let mut stage_target = production::target(&stage, "stage")?;
    let cut_in_half = [&prod_target, &stage_target].iter().all(|target| **target == setup.new_target_group);
    if setup.old.is_some() && cut_in_half {
        stage = lead_stage_to_old(context, setup, &stage).await?;
        stage_target.clone_from(&setup.old_target_group);
    }
    if let Some(old) = &setup.old {
        let limit = Duration::from_secs(u64::from(setup.steady_state_timeout_minutes) * 60);
        // Health checks reach the old group only while a listener forwards to it.
        let checked = [&prod_target, &stage_target].contains(&&setup.old_target_group);
        bring_back(context, setup, old, checked, limit).await?;
    }
    put_back(context, "Prod", &prod, &prod_target, prod_before, setup).await?;
    put_back(context, "Stage", &stage, &stage_target, stage_before, setup).await?;

    if let Some(old) = &setup.old {
        match &old.bg_version {
            Some(colour) => markers::paint(context, &old.name, &old.arn, colour).await?,
            None => markers::unpaint(context, &old.name, &old.arn).await?,
        }
    }
    markers::paint(context, &setup.service, &setup.service_arn, GREEN).await?;

    let (prod, stage) = production::listeners(context, setup).await?;
    let (prod, stage) = (production::target(&prod, "production")?, production::target(&stage, "stage")?);
    if (&prod, &stage) != (&prod_before.target_group, &stage_before.target_group) {
        let message = format!(
            "Production should forward to {} and stage to {}; they forward to {prod} and {stage}.",
            prod_before.target_group, stage_before.target_group
        );
        return Err(Failure::uncertain(FailureKind::Application, message).into());
    }
    console.info("Prod and Stage Listeners are as they were before the swap");
    if let Some(old) = &setup.old {
        // The new version's tasks are taken away next.
        whole_for_an_interval(context, &setup.old_target_group, old.desired_count).await?;
    }
    bake::wait_promise_out(context).await
}

/// A swap that stopped between its two halves: no listener leads to the old group, so nobody checks its targets, and production
/// would go back to ones that are not known to answer. Stage, which has no customers, goes there first.
async fn lead_stage_to_old(context: &StepContext, setup: &SetupOutput, stage: &Listener) -> Outcome<Listener> {
    context.console().info(format!(
        "The swap stopped half way. Updating ELB Stage Listener first, so that the old version's health is checked, TargetGroup: {}",
        setup.old_target_group
    ));
    let malformed = |error| Failure::refused(FailureKind::Application, format!("A listener {error}."));
    let wanted = with_target(&stage.actions, &setup.old_target_group).map_err(malformed)?;
    set(context, stage, &wanted).await?;
    Ok(Listener { actions: wanted, ..stage.clone() })
}

/// The old service at its recorded count, and its targets healthy.
async fn bring_back(context: &StepContext, setup: &SetupOutput, old: &OldService, checked: bool, limit: Duration) -> Outcome<()> {
    let now = counts::look_at(context, &setup.cluster, &old.name).await?;
    if now.desired < old.desired_count {
        context.console().info(format!(
            "Resize service [{}] from {} to {} instances, as before the swap",
            old.name, now.desired, old.desired_count
        ));
        counts::set_desired(context, &setup.cluster, &old.name, old.desired_count).await?;
    }
    counts::tasks_running(context, &setup.cluster, &old.name, old.desired_count, limit).await?;
    if checked {
        return targets::healthy(context, &setup.old_target_group, old.desired_count, limit).await;
    }
    // Between the two halves of a swap no listener forwards to the old group: its targets are unused, not unhealthy.
    let targets = targets::look(context, &setup.old_target_group).await?;
    let there = targets.iter().filter(|target| target.is_healthy() || target.state == "unused").count();
    if u32::try_from(there).unwrap_or(u32::MAX) < old.desired_count {
        let standing = Standing::of(&targets);
        return Err(targets::not_healthy(&setup.old_target_group, standing, old.desired_count, &targets, limit).into());
    }
    Ok(())
}

/// The listener's recorded actions, unless it has them.
async fn put_back(
    context: &StepContext,
    name: &str,
    now: &Listener,
    target: &str,
    before: &ListenerSnapshot,
    setup: &SetupOutput,
) -> Outcome<()> {
    if ![&setup.new_target_group, &setup.old_target_group].contains(&&target.to_owned()) {
        let message = format!(
            "The {name} Listener (port {}) forwards to {target}, which this deployment did not set; it is left as it is.",
            now.port
        );
        let hint = format!(
            "Before the deployment it forwarded to {}. Put it back by hand if that is still wanted.",
            before.target_group
        );
        return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
    }
    if target != before.target_group {
        context
            .console()
            .info(format!("Updating ELB {name} Listener to Forward requests as before, TargetGroup: {}", before.target_group));
    }
    let malformed = |error| Failure::refused(FailureKind::Application, format!("The {name} Listener {error}."));
    // A recorded list may go back only over one that this deployment left there; what a person wrote since stays, but for the group.
    let left = with_target(&before.actions, target).map_err(malformed)?;
    if normalised(&now.actions) == normalised(&left) {
        return set(context, now, &writable(&before.actions)).await;
    }
    context.console().warn(format!(
        "Somebody changed the {name} Listener (port {}) since the swap: only its target group is put back, the rest stays as it is now.",
        now.port
    ));
    let wanted = with_target(&now.actions, &before.target_group).map_err(malformed)?;
    set(context, now, &wanted).await
}
