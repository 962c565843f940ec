//! Target health: how a target group stands, and waiting until it is as healthy as it must be.

use std::time::Duration;

use domain::failure::{Failure, FailureKind};

use super::counts::Progress;
use crate::{
    aws::model::Target,
    executor::{Halt, Outcome, StepContext},
};

/// How the targets of a group stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Standing {
    /// Get requests.
    pub(super) healthy: u32,
    /// Are there and get none: `initial`, `unhealthy`, `unused`, `unavailable`.
    pub(super) waiting: u32,
}

impl Standing {
    /// Counts; targets that are leaving don't count.
    pub(super) fn of(targets: &[Target]) -> Self {
        targets.iter().filter(|target| !target.is_leaving()).fold(Self::default(), |mut standing, target| {
            if target.is_healthy() {
                standing.healthy += 1;
            } else {
                standing.waiting += 1;
            }
            standing
        })
    }

    /// Whether at least `wanted` are healthy and none is on its way or failing.
    pub(super) fn is_whole(self, wanted: u32) -> bool {
        self.healthy >= wanted && self.waiting == 0
    }
}

/// What stands in the way, a target each: `10.0.0.7:8080 is unhealthy (Target.FailedHealthChecks: ...)`.
pub(super) fn complaints(targets: &[Target]) -> String {
    let said: Vec<_> = targets
        .iter()
        .filter(|target| !target.is_healthy() && !target.is_leaving())
        .map(|target| {
            let port = target.port.map(|port| format!(":{port}")).unwrap_or_default();
            let why: Vec<_> = [&target.reason, &target.description].into_iter().flatten().map(String::as_str).collect();
            let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(": ")) };
            format!("{}{port} is {}{why}", target.id, target.state)
        })
        .collect();
    if said.is_empty() { "no other target is registered".into() } else { said.join("; ") }
}

/// Looks at a target group's targets.
pub(super) async fn look(context: &StepContext, target_group: &str) -> Outcome<Vec<Target>> {
    context.read(context.aws()?.load_balancing.target_health(target_group)).await
}

/// Looks at all of these target groups, and gives the one that is furthest from being whole: a version is as healthy as that.
/// None: there are no groups.
pub(super) async fn worst(context: &StepContext, groups: &[&str]) -> Outcome<Option<(String, Vec<Target>)>> {
    let looks = groups.iter().map(|group| async { Ok::<_, Halt>(((*group).to_owned(), look(context, group).await?)) });
    let seen = futures::future::try_join_all(looks).await?;
    Ok(seen.into_iter().min_by_key(|(_, targets)| {
        let standing = Standing::of(targets);
        (standing.healthy, std::cmp::Reverse(standing.waiting))
    }))
}

/// The reference has no words for this wait; these are ours.
pub(super) fn say(context: &StepContext, healthy: u32, wanted: u32) {
    context.console().info(format!("Waiting for targets to be healthy. {healthy}/{wanted} healthy ..."));
}

/// Waits until at least `wanted` targets of the group are healthy and none is failing.
pub(super) async fn healthy(context: &StepContext, target_group: &str, wanted: u32, limit: Duration) -> Outcome<()> {
    let mut progress = Progress::default();
    let mut waiting = context.waiting("targets healthy", limit);
    loop {
        let targets = look(context, target_group).await?;
        let standing = Standing::of(&targets);
        let moved = progress.say(waiting.elapsed(), standing.healthy, || say(context, standing.healthy, wanted));
        if standing.is_whole(wanted) {
            waiting.ended();
            return Ok(());
        }
        if !waiting.again(moved).await? {
            return Err(not_healthy(target_group, standing, wanted, &targets, limit).into());
        }
    }
}

/// A failure for a group that did not become healthy.
pub(super) fn not_healthy(target_group: &str, standing: Standing, wanted: u32, targets: &[Target], limit: Duration) -> Failure {
    let message = format!(
        "{} of {wanted} targets are healthy in target group {target_group} after {} s: {}.",
        standing.healthy,
        limit.as_secs(),
        complaints(targets)
    );
    Failure::uncertain(FailureKind::Application, message)
        .hint("Check the target group's health check (path, port, matcher), the security groups between load balancer and tasks, and the application's log.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(id: &str, state: &str, reason: Option<&str>) -> Target {
        Target { id: id.into(), port: Some(80), state: state.into(), reason: reason.map(Into::into), description: None }
    }

    #[test]
    fn what_leaves_does_not_count_and_what_fails_stands_in_the_way() {
        let mut targets =
            vec![target("a", "healthy", None), target("b", "draining", None), target("c", "unhealthy.draining", None)];
        assert!(Standing::of(&targets).is_whole(1));
        assert!(!Standing::of(&targets).is_whole(2));
        targets.push(target("d", "unhealthy", Some("Target.Timeout")));
        assert!(!Standing::of(&targets).is_whole(1));
        assert_eq!(complaints(&targets), "d:80 is unhealthy (Target.Timeout)");
    }
}
