//! Proof that production is served by the group it was switched to. A changed listener reaches the load balancer's nodes a little
//! later than AWS's answer says; until it has, the other group's tasks are still needed.

use std::time::Duration;

use domain::{
    failure::{Failure, FailureKind},
    step::SetupOutput,
};
use futures::future::try_join_all;

use super::super::{
    counts,
    targets::{self, Standing},
};
use crate::{
    aws::model::TargetGroup,
    executor::{Outcome, StepContext},
};

/// How long production may take to answer the probe with 2xx.
const PROBE_WITHIN: Duration = Duration::from_secs(60);
/// The longest that one answer to the probe may take.
const PROBE_ANSWER: Duration = Duration::from_secs(10);

/// The new group's targets stay healthy through a whole health-check interval, and production answers the probe.
pub(super) async fn prove(context: &StepContext, setup: &SetupOutput, probe: Option<&str>) -> Outcome<()> {
    let wanted = counts::look_at(context, &setup.cluster, &setup.service).await?.desired.max(1);
    let groups = setup.traffic.new_target_groups();
    let groups = try_join_all(groups.iter().map(|group| whole_for_an_interval(context, group, wanted))).await?;
    if let Some(path) = probe {
        let url = format!("{}/{}", setup.traffic.prod_url(), path.trim_start_matches('/'));
        production_answers(context, &url).await?;
    }
    for group in groups {
        context.console().info(format!("Production is served by {wanted} healthy targets of {}", group.name));
    }
    Ok(())
}

/// Looks at the beginning and at the end of the interval; in between every target was checked once.
pub(super) async fn whole_for_an_interval(context: &StepContext, target_group: &str, wanted: u32) -> Outcome<TargetGroup> {
    let elb = &context.aws()?.load_balancing;
    let arns = [target_group.to_owned()];
    let group = context.read(elb.target_groups(&arns)).await?.into_iter().next().ok_or_else(|| {
        Failure::refused(FailureKind::Application, format!("The target group {target_group} does not exist any more."))
    })?;
    let interval = context.polling().aws_time(Duration::from_secs(u64::from(group.health_check_interval_seconds)));
    for pause in [Some(interval), None] {
        let targets = targets::look(context, &group.arn).await?;
        let standing = Standing::of(&targets);
        if !standing.is_whole(wanted) {
            let message = format!(
                "{} of {wanted} targets of the target group {}, which production forwards to now, are healthy: {}. No other service was \
                 touched.",
                standing.healthy,
                group.name,
                targets::complaints(&targets)
            );
            let hint = "Roll back, or find out why the version fails under production's requests.";
            return Err(Failure::uncertain(FailureKind::Verification, message).hint(hint).into());
        }
        if let Some(pause) = pause {
            context.pause(pause).await?;
        }
    }
    Ok(group)
}

pub(super) async fn production_answers(context: &StepContext, url: &str) -> Outcome<()> {
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
