//! Desired counts: looking at services, resizing them, and waiting until their tasks run or are gone.

use std::time::Duration;

use domain::failure::{Failure, FailureKind};

use super::events::Events;
use crate::{
    aws::{budget::Operation, model::Service},
    executor::{Outcome, Repeat, StepContext},
};

/// How long AWS may take to show a desired count that it took.
const REFLECTED_WITHIN: Duration = Duration::from_secs(60);
/// How long AWS may take to show a service that it has created.
const SHOWN_WITHIN: Duration = Duration::from_secs(15);
/// For how long a reader may be shown what was before a change, even after another one was shown the change.
const SHOWN_AS_IT_WAS: Duration = Duration::from_secs(30);
/// A line about the running count is said again after this long, so that a person sees that something still waits.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// Looks at these services of the cluster; those that don't exist are left out.
pub(super) async fn look(context: &StepContext, cluster: &str, names: &[&str]) -> Outcome<Vec<Service>> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    context.read(context.aws()?.ecs.services(cluster, &names)).await
}

/// Looks at one service.
///
/// # Errors
/// When it does not exist, or is being deleted: not at the first look, since a service that was created a moment ago may not be
/// shown by every reader yet.
pub(super) async fn look_at(context: &StepContext, cluster: &str, name: &str) -> Outcome<Service> {
    let mut waiting = context.waiting("service shown", context.polling().aws_time(SHOWN_WITHIN));
    loop {
        if let Some(found) = look(context, cluster, &[name]).await?.into_iter().find(Service::is_active) {
            return Ok(found);
        }
        if !waiting.again(false).await? {
            return Err(gone(name, cluster).into());
        }
    }
}

/// Looks for a service that this deployment is known to have created: a reader may be shown for a while what was before it. None:
/// it is gone.
pub(super) async fn look_for(context: &StepContext, cluster: &str, name: &str) -> Outcome<Option<Service>> {
    let mut waiting = context.waiting("service shown again", context.polling().aws_time(SHOWN_AS_IT_WAS));
    loop {
        let found = look(context, cluster, &[name]).await?.into_iter().find(Service::is_active);
        if found.is_some() || !waiting.again(false).await? {
            return Ok(found);
        }
    }
}

/// A failure for a service that should be there.
pub(super) fn gone(name: &str, cluster: &str) -> Failure {
    Failure::refused(FailureKind::Application, format!("The ECS service {name} in cluster {cluster} does not exist any more."))
        .hint("Somebody deleted it. Deploy again.")
}

/// Sets the desired count and waits until AWS shows it, in the words of the reference. Changes nothing if it is so already.
pub(super) async fn set_desired(context: &StepContext, cluster: &str, name: &str, count: u32) -> Outcome<Service> {
    let service = look_at(context, cluster, name).await?;
    match service.desired == count {
        true => reflected(context, cluster, service, count).await,
        false => put_desired(context, cluster, name, count).await,
    }
}

/// The same, written whatever is shown now: a reader may be shown a count that was before, and to undo a resize that is not shown
/// yet must not be left out because of it.
pub(super) async fn put_desired(context: &StepContext, cluster: &str, name: &str, count: u32) -> Outcome<Service> {
    let ecs = &context.aws()?.ecs;
    let write = || ecs.set_desired_count(cluster, name, count);
    let service = context.write(Operation::ChangeService, Repeat::Harmless, write).await?;
    reflected(context, cluster, service, count).await
}

/// Waits until AWS shows this count, as it should.
async fn reflected(context: &StepContext, cluster: &str, mut service: Service, count: u32) -> Outcome<Service> {
    let console = context.console();
    let name = service.name.clone();
    console.info(format!("Waiting for service: {name} to reflect updated desired count: {count}"));
    let mut waiting = context.waiting("desired count reflected", REFLECTED_WITHIN);
    loop {
        // A read, even if the write's own answer shows it: what others read is what counts.
        service = look(context, cluster, &[&name]).await?.into_iter().next().unwrap_or(service);
        if service.desired == count {
            break;
        }
        if !waiting.again(false).await? {
            let message = format!(
                "The desired count of service {name} was set to {count}, and AWS shows {} after {} s.",
                service.desired,
                REFLECTED_WITHIN.as_secs()
            );
            let hint = "Something else changes the count, an auto scaling policy or another tool; stop it and run again.";
            return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
        }
    }
    console.info(format!("Current service desired count return from aws for Service: {name} is: {count}"));
    Ok(service)
}

/// Waits until the service, whose desired count is 0, has no tasks left.
pub(super) async fn tasks_gone(context: &StepContext, cluster: &str, name: &str, mut service: Service) -> Outcome<()> {
    let console = context.console();
    let mut events = Events::after(&service);
    let mut progress = Progress::default();
    let mut waiting = context.waiting(wait_kind("tasks gone", cluster, name), context.remaining());
    let mut again_since = None;
    loop {
        let changed = events.tell(console, &service);
        let since = if service.desired > 0 { again_since.or(Some(waiting.elapsed())) } else { None };
        again_since = since;
        if since.is_some_and(|since| waiting.elapsed().saturating_sub(since) >= context.polling().aws_time(SHOWN_AS_IT_WAS)) {
            let message = format!("The desired count of service {name} was set to 0 and is {} again.", service.desired);
            let hint = "A scaling policy or another tool scaled it up. Remove its scalable target (Application Auto Scaling), then run again.";
            return Err(Failure::uncertain(FailureKind::Application, message).hint(hint).into());
        }
        if since.is_none() && service.running == 0 && service.pending == 0 {
            waiting.ended();
            return Ok(());
        }
        let moved = progress.say(waiting.elapsed(), service.running, || {
            console.info(format!("Waiting for the tasks of service {name} to stop. {} still running ...", service.running));
        });
        if !waiting.again(changed || moved).await? {
            let message =
                format!("Service {name} still has {} running tasks at the end of this attempt's time.", service.running);
            let hint = "Draining takes as long as the target group's deregistration delay plus the containers' stop time-out; \
                        raise the step's time limit or lower those.";
            return Err(Failure::uncertain(FailureKind::Timeout, message).hint(hint).into());
        }
        service = look(context, cluster, &[name]).await?.into_iter().next().unwrap_or(service);
    }
}

/// Waits until a service that was running before has this many tasks running again (used when things are put back).
pub(super) async fn tasks_running(context: &StepContext, cluster: &str, name: &str, count: u32, limit: Duration) -> Outcome<()> {
    let console = context.console();
    let mut service = look_at(context, cluster, name).await?;
    let mut events = Events::after(&service);
    let mut progress = Progress::default();
    let mut waiting = context.waiting(wait_kind("tasks running", cluster, name), limit);
    loop {
        let changed = events.tell(console, &service);
        let moved = progress.say(waiting.elapsed(), service.running, || pending_line(context, service.running, count));
        if service.running >= count {
            waiting.ended();
            return Ok(());
        }
        if !waiting.again(changed || moved).await? {
            let message = format!("Service {name} has {} of {count} tasks running after {} s.", service.running, limit.as_secs());
            return Err(Failure::uncertain(FailureKind::Timeout, message).into());
        }
        service = look(context, cluster, &[name]).await?.into_iter().next().unwrap_or(service);
    }
}

/// What a wait is remembered under: the same for every version of the line.
pub(super) fn wait_kind(what: &str, cluster: &str, service: &str) -> String {
    let line = service.rsplit_once("__").map_or(service, |(family, _)| family);
    format!("{what} {cluster}/{line}")
}

/// The reference's line.
pub(super) fn pending_line(context: &StepContext, running: u32, wanted: u32) {
    context.console().info(format!("Waiting for pending tasks to finish. {running}/{wanted} running ..."));
}

/// Says a number when it changes, and again after a while.
#[derive(Debug, Default)]
pub(super) struct Progress {
    last: Option<(u32, Duration)>,
}

impl Progress {
    /// Calls `line` if `number` is new, or was said long ago; whether it is new.
    pub(super) fn say(&mut self, elapsed: Duration, number: u32, line: impl FnOnce()) -> bool {
        let changed = self.last.is_none_or(|(last, _)| last != number);
        let stale = self.last.is_some_and(|(_, at)| elapsed.saturating_sub(at) >= SAY_AGAIN);
        if changed || stale {
            self.last = Some((number, elapsed));
            line();
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_said_when_it_changes_and_again_after_ten_seconds() {
        let mut progress = Progress::default();
        let mut said = 0;
        let mut at = |seconds, number| {
            let mut line = false;
            let changed = progress.say(Duration::from_secs(seconds), number, || line = true);
            said += u32::from(line);
            (changed, line)
        };
        assert_eq!(at(0, 0), (true, true));
        assert_eq!(at(5, 0), (false, false));
        assert_eq!(at(10, 0), (false, true));
        assert_eq!(at(11, 1), (true, true));
        assert_eq!(said, 3);
    }
}
