//! A deployment: its plan, its steps, and which way it is heading.

use std::sync::Arc;

use domain::{
    deployment::SignalView,
    ids::{DelegateId, DeploymentId},
    outcome::Outcome,
    signal::Signal,
    task::{Direction, TaskKey},
};

use super::{Course, Stage, StepRecord};
use crate::{
    input::Holder,
    plan::{Plan, PlannedStep},
};

/// That and why steps are undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rollback {
    pub(crate) reason: String,
    pub(crate) at_ms: i64,
}

/// What a deployment's events amount to. Built by [`Deployment::replay`], changed by [`Deployment::apply`], and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub(crate) plan: Arc<Plan>,
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) revision: u64,
    pub(crate) created_at_ms: i64,
    pub(crate) started_at_ms: Option<i64>,
    /// Which way a person sends it, and who: abort or roll back.
    pub(crate) turn: Option<(Signal, String)>,
    /// Who paused it, and since when.
    pub(crate) paused: Option<(String, i64)>,
    /// Everything that people said.
    pub(crate) signals: Vec<SignalView>,
    pub(crate) rollback: Option<Rollback>,
    pub(crate) finished: Option<(Outcome, i64)>,
    /// Who worked on it last.
    pub(crate) last_delegate: Option<DelegateId>,
}

impl Deployment {
    pub(super) fn born(plan: &Arc<Plan>, at_ms: i64) -> Self {
        Self {
            plan: Arc::clone(plan),
            steps: plan.steps.iter().map(|_| StepRecord::pending()).collect(),
            revision: 1,
            created_at_ms: at_ms,
            started_at_ms: None,
            turn: None,
            paused: None,
            signals: Vec::new(),
            rollback: None,
            finished: None,
            last_delegate: None,
        }
    }

    /// Its id.
    pub fn id(&self) -> DeploymentId {
        self.plan.deployment
    }

    /// What it does.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Number of events applied.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When it was accepted, in milliseconds since 1970-01-01 UTC.
    pub fn created_at_ms(&self) -> i64 {
        self.created_at_ms
    }

    /// Whether its turn in the queue came.
    pub fn is_started(&self) -> bool {
        self.started_at_ms.is_some()
    }

    /// How it ended, once it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.finished.as_ref().map(|(outcome, _)| outcome)
    }

    /// Whether a person sends it to its end as it stands.
    pub fn is_aborting(&self) -> bool {
        matches!(self.turn, Some((Signal::Abort, _)))
    }

    /// Whether it has ended with something that could not be undone, which can be tried again.
    pub fn is_reopenable(&self) -> bool {
        matches!(self.finished, Some((Outcome::NeedsOperator(_), _))) && self.rollback.is_some()
    }

    /// Why it is rolled back, once that has begun.
    pub fn rollback_reason(&self) -> Option<&str> {
        self.rollback.as_ref().map(|rollback| rollback.reason.as_str())
    }

    /// The steps, in the plan's order.
    pub fn steps(&self) -> &[StepRecord] {
        &self.steps
    }

    /// The steps with their positions and plans.
    pub(crate) fn numbered(&self) -> impl DoubleEndedIterator<Item = (u32, &PlannedStep, &StepRecord)> + ExactSizeIterator {
        // The plan's validation keeps the number of steps far below u32's limit.
        self.plan
            .steps
            .iter()
            .zip(&self.steps)
            .enumerate()
            .map(|(index, (planned, record))| (u32::try_from(index).unwrap_or(u32::MAX), planned, record))
    }

    /// One direction of a step; none when the plan has no such step.
    pub(crate) fn course(&self, step: u32, direction: Direction) -> Option<&Course> {
        self.steps.get(usize::try_from(step).ok()?).map(|record| record.course(direction))
    }

    pub(crate) fn planned(&self, step: u32) -> Option<&PlannedStep> {
        self.plan.steps.get(usize::try_from(step).ok()?)
    }

    /// The name of attempt number `attempt` of a step.
    pub(crate) fn key(&self, step: u32, direction: Direction, attempt: u32) -> TaskKey {
        TaskKey { deployment: self.plan.deployment, step, direction, attempt }
    }

    /// The task that is held, by whom and since when.
    pub(crate) fn held(&self) -> Option<(TaskKey, Holder, i64)> {
        for (step, _, record) in self.numbered() {
            for direction in [Direction::Perform, Direction::Undo] {
                let course = record.course(direction);
                if let (Stage::Held, Some(attempt)) = (&course.stage, course.attempts.last()) {
                    return Some((self.key(step, direction, course.newest_attempt()), attempt.holder, attempt.claimed_at_ms));
                }
            }
        }
        None
    }
}
