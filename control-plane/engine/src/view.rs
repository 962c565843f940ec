//! How a deployment is shown.

use domain::{
    deployment::{AttemptView, DeploymentStatus, DeploymentView, StepState, StepView, UndoView},
    step::StepKind,
    task::Direction,
};

use crate::{
    follow_up::undo_owed,
    input::Signal,
    next::{Next, next},
    plan::PlannedStep,
    state::{AttemptEnd, Course, Deployment, Stage, StepRecord},
};

/// The view of a deployment. `waiting`: why no delegate is eligible for the task that is wanted, one sentence a delegate.
pub fn view(deployment: &Deployment, waiting: Option<Vec<String>>) -> DeploymentView {
    let plan = deployment.plan();
    DeploymentView {
        id: plan.deployment,
        application: plan.application.clone(),
        workflow: plan.workflow.clone(),
        service: plan.service.clone(),
        environment: plan.environment.clone(),
        infrastructure: plan.infrastructure_name.clone(),
        image: plan.image.clone(),
        tag: plan.tag.clone(),
        triggered_by: plan.triggered_by.clone(),
        created_at_ms: deployment.created_at_ms,
        finished_at_ms: deployment.finished.as_ref().map(|(_, at_ms)| *at_ms),
        status: status(deployment, waiting),
        steps: deployment.numbered().map(|(index, planned, record)| step(deployment, index, planned, record)).collect(),
        revision: deployment.revision,
    }
}

fn status(deployment: &Deployment, waiting: Option<Vec<String>>) -> DeploymentStatus {
    let wanted = match next(deployment) {
        Next::Finished(outcome) => return DeploymentStatus::Finished { outcome },
        Next::Queued => return DeploymentStatus::Queued,
        Next::Outstanding { wanted, held: _, cancel: _, timers: _ } => wanted,
    };
    match (wanted, waiting) {
        (Some(_), Some(reasons)) => DeploymentStatus::WaitingForDelegate { reasons },
        (_, _) if is_turning_back(deployment) => DeploymentStatus::RollingBack,
        (_, _) => DeploymentStatus::Running,
    }
}

/// Whether steps are undone, or will be as soon as the task that is held has ended.
fn is_turning_back(deployment: &Deployment) -> bool {
    deployment.rollback.is_some() || matches!(deployment.signal, Some((Signal::RollBack, _)))
}

fn step(deployment: &Deployment, index: u32, planned: &PlannedStep, record: &StepRecord) -> StepView {
    let finished = deployment.finished.is_some();
    let perform = &record.perform;
    let undo = (deployment.rollback.is_some() && undo_owed(planned, record)).then(|| UndoView {
        name: planned.undo_title().unwrap_or("Undo").to_owned(),
        state: state(&record.undo, planned, finished),
        failure: record.undo.failure().filter(|_| record.undo.output().is_none()).map(|failure| failure.as_ref().clone()),
    });
    StepView {
        index,
        name: planned.name.clone(),
        phase: planned.phase.clone(),
        kind: planned.action.kind(),
        state: state(perform, planned, finished || is_turning_back(deployment)),
        started_at_ms: perform.opened_at_ms,
        ended_at_ms: perform.ended_at_ms(),
        attempts: attempts(record),
        // The failure of an attempt that a later one made good is told by the attempts.
        failure: perform.failure().filter(|_| perform.output().is_none()).map(|failure| failure.as_ref().clone()),
        undo,
    }
}

/// `left`: nothing more is begun in this direction.
fn state(course: &Course, planned: &PlannedStep, left: bool) -> StepState {
    match (&course.stage, left) {
        (Stage::Pending, false) => StepState::Pending,
        (Stage::Pending, true) => StepState::Skipped,
        (Stage::Ready, false) if planned.action.kind() == StepKind::Wait => StepState::Running,
        (Stage::Ready, false) => StepState::Wanted,
        (Stage::Held, _) => StepState::Running,
        (Stage::Failed(_) | Stage::Retrying { .. }, false) => StepState::WaitingToRetry,
        (Stage::Ready | Stage::Failed(_) | Stage::Retrying { .. }, true) | (Stage::GivenUp { .. }, _) => StepState::Failed,
        (Stage::Succeeded { .. }, _) => StepState::Succeeded,
    }
}

fn attempts(record: &StepRecord) -> Vec<AttemptView> {
    let mut shown = Vec::with_capacity(record.perform.attempts.len() + record.undo.attempts.len());
    for direction in [Direction::Perform, Direction::Undo] {
        for (attempt, number) in record.course(direction).attempts.iter().zip(1..) {
            let ended = attempt.ended.as_ref().map(|(how, _)| match how {
                AttemptEnd::Succeeded => "succeeded".to_owned(),
                AttemptEnd::Failed(failure) => format!("failed ({})", failure.kind),
                AttemptEnd::Lost(why) => why.as_str().to_owned(),
            });
            shown.push(AttemptView { direction, attempt: number, delegate: attempt.holder.delegate, ended });
        }
    }
    shown
}
