//! What a delegate is given for a task that it holds.

use domain::task::{Assignment, Direction, EarlierStep, TaskKey};

use crate::state::Deployment;

/// The assignment of the task that is held; none for any other task.
pub fn assignment(deployment: &Deployment, task: TaskKey) -> Option<Assignment> {
    let (held, _, claimed_at_ms) = deployment.held()?;
    if held != task {
        return None;
    }
    let (planned, course) = (deployment.planned(task.step)?, deployment.course(task.step, task.direction)?);
    let forward = deployment.course(task.step, Direction::Perform)?;
    let earlier = deployment
        .numbered()
        .filter(|(step, ..)| task.direction == Direction::Undo || *step < task.step)
        .filter_map(|(_, planned, record)| {
            let output = record.perform.output()?.as_ref().clone();
            Some(EarlierStep { name: planned.name.clone(), output })
        })
        .collect();
    let (step_name, checkpoints, timeout_seconds) = match task.direction {
        Direction::Perform => {
            let used_ms = claimed_at_ms.saturating_sub(course.limit_from_ms.unwrap_or(claimed_at_ms));
            let used = u64::try_from(used_ms / 1_000).unwrap_or(0);
            // At least a second: a delegate that is given no time at all could not even say that it timed out.
            (planned.name.clone(), course.checkpoints.clone(), planned.timeout_seconds.saturating_sub(used).max(1))
        }
        Direction::Undo => {
            let recorded = forward.checkpoints.iter().chain(&course.checkpoints).cloned().collect();
            (planned.undo_title()?.to_owned(), recorded, planned.timeout_seconds)
        }
    };
    Some(Assignment {
        task,
        step_name,
        action: planned.action.clone(),
        infrastructure: deployment.plan.infrastructure.clone(),
        earlier,
        checkpoints: checkpoints.iter().map(|checkpoint| checkpoint.as_ref().clone()).collect(),
        timeout_seconds,
        promised_ms: 0,
        resumed: task.direction == Direction::Undo || task.attempt > 1,
    })
}
