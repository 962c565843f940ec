//! Taking the old version's tasks away: only after it is proved that production does without them.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::{Checkpoint, OldService, SetupOutput},
};

use super::{
    super::{
        counts, production,
        targets::{self, Standing},
    },
    perform::moved_away,
};
use crate::{
    aws::model::{Service, TargetGroup},
    executor::{Outcome, StepContext},
};

/// How long production may take to answer the probe with 2xx.
const PROBE_WITHIN: Duration = Duration::from_secs(60);
/// The longest that one answer to the probe may take.
const PROBE_ANSWER: Duration = Duration::from_secs(10);

pub(super) async fn downsize(context: &StepContext, setup: &SetupOutput, old: &OldService, probe: Option<&str>) -> Outcome<()> {
    let console = context.console();
    let now = counts::look(context, &setup.cluster, &[&old.name]).await?.into_iter().find(Service::is_active);
    let Some(now) = now else {
        console.warn(format!("The older service {} does not exist any more: nothing to downsize", old.name));
        return Ok(());
    };
    if now.desired > 0 {
        prove(context, setup, probe).await?;
        let started = context.checkpoints().iter().any(|checkpoint| matches!(checkpoint, Checkpoint::DownsizeStarted { .. }));
        if !started {
            context.checkpoint(Checkpoint::DownsizeStarted { service: old.name.clone(), from: now.desired }).await?;
        }
    }
    // Read last, right before the old tasks go: whoever moved production back meanwhile needs them.
    let (prod, _) = production::listeners(context, setup).await?;
    let target = production::target(&prod, "production")?;
    if target != setup.new_target_group {
        return Err(moved_away(setup, &target).into());
    }
    console.info(format!("Downsizing Green Service: {}", old.name));
    let service = counts::set_desired(context, &setup.cluster, &old.name, 0).await?;
    console.info("Waiting: [30] seconds for the downsize to complete ECS services to synchronize");
    counts::tasks_gone(context, &setup.cluster, &old.name, service).await?;
    console.info(format!("Service {} is at 0 instances", old.name));
    Ok(())
}

/// The new group's targets stay healthy through a whole health-check interval, and production answers the probe.
async fn prove(context: &StepContext, setup: &SetupOutput, probe: Option<&str>) -> Outcome<()> {
    let console = context.console();
    let elb = &context.aws()?.load_balancing;
    let arns = [setup.new_target_group.clone()];
    let group = context.read(elb.target_groups(&arns)).await?.into_iter().next().ok_or_else(|| {
        Failure::refused(
            FailureKind::Application,
            format!("The target group {} does not exist any more.", setup.new_target_group),
        )
    })?;
    let wanted = counts::look_at(context, &setup.cluster, &setup.service).await?.desired.max(1);
    whole_for_an_interval(context, &group, wanted).await?;
    if let Some(path) = probe {
        let url = format!("{}/{}", setup.prod_url(), path.trim_start_matches('/'));
        production_answers(context, &url).await?;
    }
    console.info(format!("Production does without the older service: {wanted} targets of {} are healthy", group.name));
    Ok(())
}

/// Looks at the beginning and at the end of the interval; in between every target was checked once.
async fn whole_for_an_interval(context: &StepContext, group: &TargetGroup, wanted: u32) -> Outcome<()> {
    let interval = context.polling().aws_time(Duration::from_secs(u64::from(group.health_check_interval_seconds)));
    for pause in [Some(interval), None] {
        let targets = targets::look(context, &group.arn).await?;
        let standing = Standing::of(&targets);
        if !standing.is_whole(wanted) {
            let message = format!(
                "After the swap {} of {wanted} targets of production's target group {} are healthy: {}. The old service was left running.",
                standing.healthy,
                group.name,
                targets::complaints(&targets)
            );
            let hint = "Roll back, or find out why the new version fails under production's requests.";
            return Err(Failure::uncertain(FailureKind::Verification, message).hint(hint).into());
        }
        if let Some(pause) = pause {
            context.pause(pause).await?;
        }
    }
    Ok(())
}

async fn production_answers(context: &StepContext, url: &str) -> Outcome<()> {
    let mut waiting = context.waiting("production probe", PROBE_WITHIN);
    loop {
        context.go_on()?;
        let last = match context.http().get(url, PROBE_ANSWER).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                context.console().info(format!("{url} answers with status {}", answer.status));
                return Ok(());
            }
            Ok(answer) => format!("status {}", answer.status),
            Err(error) => error.to_string(),
        };
        if !waiting.again(false).await? {
            let message = format!(
                "After the swap production does not answer {url} with 2xx within {} s: {last}. The old service was left running.",
                PROBE_WITHIN.as_secs()
            );
            return Err(Failure::uncertain(FailureKind::Verification, message).into());
        }
    }
}
