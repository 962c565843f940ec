//! Recognising a start that will not succeed, long before its time is up: ECS itself would go on trying for ever.

use std::collections::BTreeMap;

use crate::aws::model::{Service, Task};

/// So many tasks that stop for the same reason are not an accident.
const SAME_REASON: usize = 3;

/// Whether this look at the service is a reason to look at its stopped tasks: ECS counts failures, or gave up.
pub(super) fn suspicious(service: &Service) -> bool {
    service.primary().is_some_and(|primary| primary.failed_tasks > 0) || gave_up(service).is_some()
}

/// Why ECS gave up, if it did: the circuit breaker, or an alarm.
pub(super) fn gave_up(service: &Service) -> Option<String> {
    let primary = service.primary()?;
    (primary.rollout_state.as_deref() == Some("FAILED"))
        .then(|| primary.rollout_reason.clone().unwrap_or_else(|| "ECS gave no reason".into()))
}

/// What makes a start hopeless, as a failure's message; none while there is hope. `stopped` are the service's stopped tasks since
/// the resize.
pub(super) fn verdict(service: &Service, stopped: &[Task]) -> Option<String> {
    let failed: Vec<&Task> = stopped.iter().filter(|task| !ended_on_purpose(task)).collect();
    let mut reasons: BTreeMap<String, Vec<&Task>> = BTreeMap::new();
    for task in failed {
        reasons.entry(reason(task)).or_default().push(task);
    }
    let most = reasons.iter().max_by_key(|(_, tasks)| tasks.len());
    let why = most.map(|(reason, tasks)| {
        let plural = if tasks.len() == 1 { "task" } else { "tasks" };
        let last = tasks.iter().max_by_key(|task| task.created_at_ms).map_or("", |task| task.id());
        format!("{} {plural} stopped with: {reason} (for example task {last})", tasks.len())
    });
    if let Some(gave_up) = gave_up(service) {
        let why = why.map(|why| format!(" {why}.")).unwrap_or_default();
        return Some(format!("ECS gave up starting service {}: {}{why}", service.name, full_stop(&gave_up)));
    }
    match most {
        Some((_, tasks)) if tasks.len() >= SAME_REASON => {
            Some(format!("The tasks of service {} do not stay up: {}.", service.name, why.unwrap_or_default()))
        }
        _ => None,
    }
}

/// Stopped because somebody wanted fewer tasks.
fn ended_on_purpose(task: &Task) -> bool {
    let scaled = task.stopped_reason.as_deref().is_some_and(|reason| reason.starts_with("Scaling activity initiated by"));
    scaled || task.stop_code.as_deref() == Some("UserInitiated")
}

/// Why a task stopped, the same for tasks that stopped for the same reason.
fn reason(task: &Task) -> String {
    let mut parts =
        vec![task.stopped_reason.clone().or_else(|| task.stop_code.clone()).unwrap_or_else(|| "no reason given".into())];
    for container in &task.containers {
        match (container.exit_code, &container.reason) {
            (Some(0) | None, None) => {}
            (Some(code), None) => parts.push(format!("container {} exited with code {code}", container.name)),
            (Some(code), Some(reason)) => parts.push(format!("container {} exited with code {code}: {reason}", container.name)),
            (None, Some(reason)) => parts.push(format!("container {}: {reason}", container.name)),
        }
    }
    parts.join("; ")
}

fn full_stop(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::model::{ServiceDeployment, TaskContainer};

    fn service(rollout: &str, failed_tasks: u32) -> Service {
        let primary = ServiceDeployment {
            status: "PRIMARY".into(),
            failed_tasks,
            rollout_state: Some(rollout.into()),
            rollout_reason: Some("ECS deployment circuit breaker: tasks failed to start.".into()),
            ..ServiceDeployment::default()
        };
        Service { name: "todo__3".into(), deployments: vec![primary], ..Service::default() }
    }

    fn crashed(id: u32) -> Task {
        Task {
            arn: format!("arn:aws:ecs:r:a:task/c/{id}"),
            stopped_reason: Some("Essential container in task exited".into()),
            created_at_ms: Some(i64::from(id)),
            containers: vec![TaskContainer { name: "app".into(), exit_code: Some(1), reason: None }],
            ..Task::default()
        }
    }

    #[test]
    fn three_of_a_kind_are_a_verdict_and_two_are_not() {
        let running = service("IN_PROGRESS", 3);
        assert!(suspicious(&running));
        assert_eq!(verdict(&running, &[crashed(1), crashed(2)]), None);
        assert_eq!(
            verdict(&running, &[crashed(1), crashed(3), crashed(2)]).as_deref(),
            Some(
                "The tasks of service todo__3 do not stay up: 3 tasks stopped with: Essential container in task exited; \
                 container app exited with code 1 (for example task 3)."
            )
        );
    }

    #[test]
    fn the_circuit_breaker_is_a_verdict_at_once_with_what_is_known() {
        let failed = service("FAILED", 3);
        assert_eq!(
            verdict(&failed, &[]).as_deref(),
            Some("ECS gave up starting service todo__3: ECS deployment circuit breaker: tasks failed to start.")
        );
        assert!(verdict(&failed, &[crashed(1)]).expect("given up").ends_with("(for example task 1)."));
    }

    #[test]
    fn tasks_that_were_scaled_away_say_nothing() {
        let scaled =
            Task { stopped_reason: Some("Scaling activity initiated by (deployment ecs-svc/1)".into()), ..Task::default() };
        assert_eq!(verdict(&service("IN_PROGRESS", 0), &[scaled.clone(), scaled.clone(), scaled]), None);
        assert!(!suspicious(&service("COMPLETED", 0)));
    }
}
