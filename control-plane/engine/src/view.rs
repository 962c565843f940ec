//! How a deployment is shown.

use domain::{
    deployment::{AttemptView, DeploymentStatus, DeploymentView, ShiftView, StepState, StepView, UndoView},
    signal::Signal,
    step::Checkpoint,
    strategy::action_for,
    task::Direction,
};

use crate::{
    approval::waiting,
    follow_up::undo_owed,
    next::{Hold, Next, next},
    plan::PlannedStep,
    state::{Asked, AttemptEnd, Course, Deployment, Passed, Stage, StepRecord},
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
        shifted: shifted(deployment),
        rolls_back: plan.rolls_back,
        // Who came later is not for this deployment's journal to know.
        rolled_back_by: None,
        signals: deployment.signals.clone(),
        revision: deployment.revision,
    }
}

/// The last switch of traffic that stands.
fn shifted(deployment: &Deployment) -> Option<ShiftView> {
    if deployment.rollback.is_some() {
        return None;
    }
    deployment.steps.iter().flat_map(|record| &record.perform.checkpoints).rev().find_map(|fact| match fact.as_ref() {
        Checkpoint::TrafficSwitched { at_ms, switch_ms } => Some(ShiftView { at_ms: *at_ms, switch_ms: *switch_ms }),
        Checkpoint::ProductionRecorded { .. }
        | Checkpoint::TaskDefinitionRegistered { .. }
        | Checkpoint::ServiceCreated { .. }
        | Checkpoint::ResizeStarted { .. }
        | Checkpoint::RoutesRecorded { .. }
        | Checkpoint::RecordsRecorded { .. }
        | Checkpoint::BakeStarted { .. }
        | Checkpoint::BakeEnded
        | Checkpoint::ScriptStarted
        | Checkpoint::ScriptEnded
        | Checkpoint::DownsizeStarted { .. } => None,
    })
}

fn status(deployment: &Deployment, waiting: Option<Vec<String>>) -> DeploymentStatus {
    let (wanted, hold) = match next(deployment) {
        Next::Finished(outcome) => return DeploymentStatus::Finished { outcome },
        Next::Queued => return DeploymentStatus::Queued { behind: None },
        Next::Outstanding { wanted, held: _, cancel: _, timers: _, hold } => (wanted, hold),
    };
    match (wanted, waiting, hold) {
        (Some(_), Some(reasons), _) => DeploymentStatus::WaitingForDelegate { reasons },
        (_, _, _) if is_turning_back(deployment) => DeploymentStatus::RollingBack,
        (_, _, Some(Hold::Paused { who, since_ms })) => DeploymentStatus::Paused { who, since_ms },
        (_, _, Some(Hold::Asked { step, until_ms })) => {
            let planned = deployment.planned(step);
            let failure = deployment.course(step, Direction::Perform).and_then(Course::failure);
            let otherwise = planned.zip(failure).map(|(planned, failure)| action_for(&planned.strategies, failure.kind).last());
            DeploymentStatus::WaitingForPerson {
                step: planned.map_or_else(String::new, |planned| planned.name.clone()),
                until_ms,
                otherwise: otherwise.map_or("rollback", |action| action.as_str()).to_owned(),
            }
        }
        (_, _, Some(Hold::Approval { step, until_ms })) => approval(deployment, step, until_ms),
        (_, _, None) => DeploymentStatus::Running,
    }
}

/// The approval that waits, with what was said so far.
fn approval(deployment: &Deployment, step: u32, until_ms: i64) -> DeploymentStatus {
    let (planned, course) = (deployment.planned(step), deployment.course(step, Direction::Perform));
    let asked = planned.zip(course).and_then(|(planned, course)| waiting(planned, course));
    DeploymentStatus::WaitingForApproval {
        step: planned.map_or_else(String::new, |planned| planned.name.clone()),
        message: asked.map_or_else(String::new, |asked| asked.message.clone()),
        approvers: asked.map_or_else(Vec::new, |asked| asked.approvers.clone()),
        count: asked.map_or(1, |asked| asked.count),
        approved_by: course.map_or_else(Vec::new, |course| course.approved_by.clone()),
        until_ms,
    }
}

/// Whether steps are undone, or will be as soon as the task that is held has ended.
fn is_turning_back(deployment: &Deployment) -> bool {
    deployment.rollback.is_some() || matches!(deployment.turn, Some((Signal::RollBack, _)))
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
        (Stage::Ready, false) if planned.action.kind().is_engines_own() => StepState::Running,
        (Stage::Ready, false) => StepState::Wanted,
        (Stage::Held, _) => StepState::Running,
        (Stage::Failed(_) | Stage::Retrying { .. }, false) => StepState::WaitingToRetry,
        (Stage::GivenUp { .. }, false) if matches!(course.asked, Asked::Until(_)) => StepState::WaitingForPerson,
        (Stage::Ready | Stage::Failed(_) | Stage::Retrying { .. }, true) | (Stage::GivenUp { .. }, _) => StepState::Failed,
        (Stage::Passed { how: Passed::Ignored, .. }, _) => StepState::Ignored,
        (Stage::Succeeded { .. } | Stage::Passed { how: Passed::MarkedSucceeded, .. }, _) => StepState::Succeeded,
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
