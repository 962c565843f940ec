//! Recognising a start that will not succeed, long before its time is up: ECS itself would go on trying for ever.
//!
//! Evidence in, verdict out. One hiccup is no verdict; what surely can't heal is one at once; everything else has to come twice.

use std::collections::BTreeMap;

use super::{
    reasons::{Meaning, certain_event, meaning, sort, told},
    sick::Sick,
};
use crate::aws::model::{Service, ServiceEvent, Task};

/// So many tasks that stop for the same reason are not an accident; of large services a tenth.
const SAME_REASON: usize = 2;
/// ECS's own circuit breaker gives up after half the desired count, within these.
const BREAKER: (u32, u32) = (3, 200);
const OWN_HINT: &str = "Look at the container's last lines and at what changed in the task definition, both in `segue deployment show`. \
                        Nothing of production was changed.";

/// What is known of a start.
pub(super) struct Evidence<'a> {
    /// The service as it is now.
    pub(super) service: &'a Service,
    /// How many tasks are wanted.
    pub(super) wanted: u32,
    /// When the resize was asked for, by AWS's clock: older events and tasks are old news.
    pub(super) since_ms: i64,
    /// The service's stopped tasks since then.
    pub(super) stopped: &'a [Task],
    /// What became of its targets so far.
    pub(super) sick: &'a Sick,
    /// Nothing has moved for longer than a passing shortage lasts.
    pub(super) stalled: bool,
}

/// Why there is no hope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) hint: &'static str,
}

/// Whether this look at the service is a reason to look at its stopped tasks: ECS counts failures, gave up, complains, or starts
/// tasks again.
pub(super) fn suspicious(service: &Service, since_ms: i64) -> bool {
    let events = || service.events.iter().filter(|event| event.at_ms >= since_ms);
    let complains = |event: &ServiceEvent| {
        let message = &event.message;
        ["unable to", "unhealthy", "has stopped", "failed"].iter().any(|words| message.contains(words))
    };
    service.primary().is_some_and(|primary| primary.failed_tasks > 0)
        || gave_up(service).is_some()
        || events().any(complains)
        || events().filter(|event| event.message.contains(" has started ")).count() > 1
}

/// Why ECS gave up, if it did: the circuit breaker, or an alarm.
fn gave_up(service: &Service) -> Option<String> {
    let primary = service.primary()?;
    (primary.rollout_state.as_deref() == Some("FAILED"))
        .then(|| primary.rollout_reason.clone().unwrap_or_else(|| "ECS gave no reason".into()))
}

/// What makes a start hopeless; none while there is hope.
pub(super) fn verdict(evidence: &Evidence<'_>) -> Option<Verdict> {
    let service = evidence.service;
    let failed: Vec<(&Task, Meaning)> =
        evidence.stopped.iter().map(|task| (task, meaning(task))).filter(|(_, meaning)| *meaning != Meaning::OnPurpose).collect();
    if let Some((task, advice)) = failed.iter().find_map(|(task, meaning)| match meaning {
        Meaning::Certain(advice) => Some((task, advice)),
        _ => None,
    }) {
        let message = format!("Service {} can't start: {} (task {}).", service.name, told(task), task.id());
        return Some(Verdict { message, hint: advice });
    }
    let most = most_common(&failed);
    let why = most.as_ref().map(|tasks| {
        let plural = if tasks.len() == 1 { "task" } else { "tasks" };
        let last = tasks.iter().max_by_key(|(task, _)| task.created_at_ms);
        let (reason, id) = last.map(|(task, _)| (told(task), task.id())).unwrap_or_default();
        format!("{} {plural} stopped with: {reason} (for example task {id})", tasks.len())
    });
    let own = |message| Some(Verdict { message, hint: OWN_HINT });
    if let Some(gave_up) = gave_up(service) {
        let why = why.map(|why| format!(" {why}.")).unwrap_or_default();
        return own(format!("ECS gave up starting service {}: {}{why}", service.name, full_stop(&gave_up)));
    }
    let many = SAME_REASON.max(usize::try_from(evidence.wanted.div_ceil(10)).unwrap_or(usize::MAX));
    if most.is_some_and(|tasks| tasks.len() >= many && (tasks[0].1 == Meaning::Own || again(&tasks))) {
        return own(format!("The tasks of service {} do not stay up: {}.", service.name, why.unwrap_or_default()));
    }
    let counted = service.primary().map_or(0, |primary| primary.failed_tasks);
    if counted >= evidence.wanted.div_ceil(2).clamp(BREAKER.0, BREAKER.1) {
        let why = why.map(|why| format!("; {why}")).unwrap_or_default();
        return own(format!("ECS counts {counted} tasks of service {} that failed to start{why}.", service.name));
    }
    if let Some(complaint) = evidence.sick.verdict() {
        let message = format!("The targets of service {} fail the load balancer's health check: {complaint}.", service.name);
        let hint = "Check the target group's health check (path, port, matcher), the security groups between load balancer and tasks, \
                    and the health check grace period of a version that starts slowly.";
        return Some(Verdict { message, hint });
    }
    from_events(evidence)
}

/// What ECS's events say that no stopped task tells: no role, no room.
fn from_events(evidence: &Evidence<'_>) -> Option<Verdict> {
    let service = evidence.service;
    let recent = || service.events.iter().filter(|event| event.at_ms >= evidence.since_ms);
    if let Some((event, hint)) = recent().find_map(|event| Some((event, certain_event(&event.message)?))) {
        return Some(Verdict { message: format!("ECS can't start service {}: {}", service.name, event.message), hint });
    }
    // A task that was started since then shows that there was room again.
    let without_room = recent()
        .take_while(|event| !event.message.contains(" has started ") && !event.message.contains("reached a steady state"))
        .filter(|event| event.message.contains("unable to place a task"));
    let events: Vec<_> = without_room.collect();
    let newest = events.first()?;
    if events.len() < SAME_REASON && !evidence.stalled || service.running >= evidence.wanted {
        return None;
    }
    let message = format!(
        "There is no capacity for service {}: {} of {} tasks are running. ECS says: {}",
        service.name, service.running, evidence.wanted, newest.message
    );
    let hint = "Add capacity to the cluster or its capacity providers, ask for fewer or smaller tasks, or use other subnets; then \
                deploy again. Nothing of production was changed.";
    Some(Verdict { message, hint })
}

/// The failed tasks that stopped for the most common reason.
fn most_common<'t>(failed: &[(&'t Task, Meaning)]) -> Option<Vec<(&'t Task, Meaning)>> {
    let mut reasons: BTreeMap<String, Vec<(&Task, Meaning)>> = BTreeMap::new();
    for (task, meaning) in failed {
        reasons.entry(sort(&told(task))).or_default().push((task, *meaning));
    }
    reasons.into_values().max_by_key(Vec::len)
}

/// Whether one of them was started after another had stopped: a second try went as the first.
fn again(tasks: &[(&Task, Meaning)]) -> bool {
    let first_end = tasks.iter().filter_map(|(task, _)| task.stopped_at_ms).min();
    let last_start = tasks.iter().filter_map(|(task, _)| task.created_at_ms).max();
    first_end.zip(last_start).is_some_and(|(end, start)| start >= end)
}

fn full_stop(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
#[path = "failing_tests.rs"]
mod tests;
