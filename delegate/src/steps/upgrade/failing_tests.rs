//! Evidence and the verdict it deserves.

use std::time::Duration;

use super::*;
use crate::aws::model::{ServiceDeployment, Target, TaskContainer};

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

/// Runs from `id` to `id + 5`.
fn stopped(id: u32, reason: &str, exit_code: Option<i32>) -> Task {
    Task {
        arn: format!("arn:aws:ecs:r:a:task/c/{id}"),
        stopped_reason: Some(reason.into()),
        created_at_ms: Some(i64::from(id)),
        stopped_at_ms: Some(i64::from(id) + 5),
        containers: vec![TaskContainer { name: "app".into(), exit_code, reason: None }],
        ..Task::default()
    }
}

fn crashed(id: u32) -> Task {
    stopped(id, "Essential container in task exited", Some(1))
}

fn judge(service: &Service, wanted: u32, stopped: &[Task]) -> Option<String> {
    let sick = Sick::default();
    verdict(&Evidence { service, wanted, since_ms: 100, stopped, sick: &sick, stalled: false }).map(|verdict| verdict.message)
}

#[test]
fn two_of_a_kind_are_a_verdict_and_one_is_not() {
    let running = service("IN_PROGRESS", 2);
    assert!(suspicious(&running, 0));
    assert_eq!(judge(&running, 2, &[crashed(1)]), None);
    assert_eq!(
        judge(&running, 2, &[crashed(3), crashed(2)]).as_deref(),
        Some(
            "The tasks of service todo__3 do not stay up: 2 tasks stopped with: Essential container in task exited; \
             container app exited with code 1 (for example task 3)."
        )
    );
    assert_eq!(
        judge(&running, 2, &[crashed(1), stopped(2, "OutOfMemoryError: killed", Some(137))]),
        None,
        "two different accidents"
    );
    assert_eq!(judge(&running, 40, &[crashed(3), crashed(2)]), None, "two of forty may be an accident");
}

#[test]
fn what_can_not_heal_is_a_verdict_with_the_first_task() {
    let said = judge(&service("IN_PROGRESS", 1), 2, &[stopped(7, "CannotPullContainerError: x/y:9: not found", None)]);
    assert_eq!(said.as_deref(), Some("Service todo__3 can't start: CannotPullContainerError: x/y:9: not found (task 7)."));
}

#[test]
fn a_passing_trouble_has_to_come_back_in_a_second_try() {
    let slow = |id| stopped(id, "CannotPullContainerError: i/o timeout", None);
    assert_eq!(judge(&service("IN_PROGRESS", 2), 2, &[slow(1), slow(2)]), None, "two tasks of the same moment");
    assert!(judge(&service("IN_PROGRESS", 2), 2, &[slow(1), slow(20)]).is_some());
}

#[test]
fn the_circuit_breaker_is_a_verdict_at_once_with_what_is_known() {
    let failed = service("FAILED", 3);
    assert_eq!(
        judge(&failed, 2, &[]).as_deref(),
        Some("ECS gave up starting service todo__3: ECS deployment circuit breaker: tasks failed to start.")
    );
    assert!(judge(&failed, 2, &[crashed(1)]).expect("given up").ends_with("(for example task 1)."));
}

#[test]
fn a_growing_count_is_a_verdict_where_the_circuit_breaker_is_off() {
    assert_eq!(judge(&service("IN_PROGRESS", 2), 2, &[]), None);
    assert!(judge(&service("IN_PROGRESS", 3), 2, &[]).expect("many").contains("ECS counts 3 tasks"));
    assert_eq!(judge(&service("IN_PROGRESS", 3), 10, &[]), None);
}

#[test]
fn tasks_that_were_scaled_away_say_nothing() {
    let scaled = stopped(1, "Scaling activity initiated by (deployment ecs-svc/1)", None);
    assert_eq!(judge(&service("IN_PROGRESS", 0), 2, &[scaled.clone(), scaled.clone(), scaled]), None);
    assert!(!suspicious(&service("COMPLETED", 0), 0));
}

/// Newest first.
fn saying(messages: &[&str]) -> Service {
    let events = messages.iter().zip((0..messages.len()).rev()).map(|(message, number)| ServiceEvent {
        id: number.to_string(),
        at_ms: 100 + i64::try_from(number).expect("few"),
        message: format!("(service todo__3) {message}"),
    });
    Service { events: events.collect(), ..service("IN_PROGRESS", 0) }
}

#[test]
fn no_room_is_a_verdict_when_it_is_said_again_or_nothing_moves() {
    let full = "was unable to place a task because no container instance met all of its requirements.";
    let once = saying(&[full]);
    assert!(suspicious(&once, 100) && !suspicious(&once, 101));
    assert_eq!(judge(&once, 2, &[]), None);
    let sick = Sick::default();
    let stalled = Evidence { service: &once, wanted: 2, since_ms: 100, stopped: &[], sick: &sick, stalled: true };
    assert!(verdict(&stalled).expect("stalled").message.starts_with("There is no capacity for service todo__3: 0 of 2"));
    assert!(judge(&saying(&[full, full]), 2, &[]).is_some());
    assert_eq!(judge(&saying(&["has started 1 tasks: (task a).", full, full]), 2, &[]), None, "there was room again");
    let old = Service { events: saying(&[full, full]).events, ..service("IN_PROGRESS", 0) };
    let evidence = Evidence { service: &old, wanted: 2, since_ms: 200, stopped: &[], sick: &sick, stalled: true };
    assert_eq!(verdict(&evidence), None, "from before the resize");
}

#[test]
fn a_role_that_can_not_be_assumed_is_a_verdict_at_once() {
    let said = judge(&saying(&["failed to launch a task with (error ECS was unable to assume the role 'arn:x' ...)."]), 2, &[]);
    assert!(said.expect("certain").contains("unable to assume the role"));
}

#[test]
fn targets_that_stay_unhealthy_are_a_verdict() {
    let target = Target {
        id: "10.0.0.1".into(),
        port: Some(80),
        state: "unhealthy".into(),
        reason: Some("Target.FailedHealthChecks".into()),
        description: None,
    };
    let mut sick = Sick::new(Duration::from_secs(10), Duration::ZERO);
    let now = service("IN_PROGRESS", 0);
    let mut at = |seconds| {
        sick.look(Duration::from_secs(seconds), std::slice::from_ref(&target));
        verdict(&Evidence { service: &now, wanted: 2, since_ms: 0, stopped: &[], sick: &sick, stalled: false })
    };
    assert_eq!(at(1), None);
    assert!(at(12).expect("ill for long").message.contains("10.0.0.1:80 is unhealthy (Target.FailedHealthChecks)"));
}
