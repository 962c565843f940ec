//! One direction of one step: where it stands, and who tried it.

use std::sync::Arc;

use domain::{
    failure::{Effect, Failure},
    ids::DelegateId,
    step::{Checkpoint, StepOutput},
    task::Direction,
};

use crate::{event::Loss, input::Holder};

/// Where one direction of a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its turn has not come.
    Pending,
    /// Its turn has come and nobody holds it: a task is wanted, a *Wait* runs, or an *Approval* waits for people.
    Ready,
    /// The newest attempt is held.
    Held,
    /// The newest attempt failed; whether it is tried again is not decided yet.
    Failed(Arc<Failure>),
    /// It is tried again from then on.
    Retrying {
        /// From when, in milliseconds since 1970-01-01 UTC.
        due_ms: i64,
    },
    /// Done.
    Succeeded {
        /// What it handed on.
        output: Arc<StepOutput>,
        /// When.
        at_ms: i64,
    },
    /// No further attempt is made.
    GivenUp {
        /// Why.
        failure: Arc<Failure>,
        /// When.
        at_ms: i64,
    },
    /// It was not done, and the deployment goes on without it.
    Passed {
        /// How that came.
        how: Passed,
        /// When.
        at_ms: i64,
    },
}

/// How a deployment goes on without a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Passed {
    /// Its failure is ignored.
    Ignored,
    /// A person says that it is done.
    MarkedSucceeded,
}

/// Whether a person was asked what to do about a step that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// Not yet.
    No,
    /// Until then an answer is waited for, in milliseconds since 1970-01-01 UTC.
    Until(i64),
    /// Nobody answered.
    InVain,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// It reached its goal.
    Succeeded,
    /// It failed.
    Failed(Arc<Failure>),
    /// Its delegate lost it, or gave it back.
    Lost(Loss),
}

/// One attempt. Its number is its position in [`Course::attempts`], from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Who held it.
    pub holder: Holder,
    /// Since when, in milliseconds since 1970-01-01 UTC.
    pub claimed_at_ms: i64,
    /// How many checkpoints the attempts before it had recorded.
    pub first_checkpoint: usize,
    /// How it ended, and when; none while it is held.
    pub ended: Option<(AttemptEnd, i64)>,
}

/// One direction of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// Where it stands.
    pub stage: Stage,
    /// When its turn came.
    pub opened_at_ms: Option<i64>,
    /// From when its time limit counts.
    pub limit_from_ms: Option<i64>,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
    /// What the attempts recorded, in order.
    pub checkpoints: Vec<Arc<Checkpoint>>,
    /// How many retries were scheduled.
    pub retries: u32,
    /// How many attempts were lost with their delegate.
    pub lost: u32,
    /// Whether the time limit passed and has not been dealt with.
    pub limit_passed: bool,
    /// Whether a person was asked about its failure.
    pub asked: Asked,
    /// Of an approval: who said yes, each once, in that order.
    pub approved_by: Vec<String>,
    /// Of an approval: who said no, and what about it.
    pub rejected: Option<(String, Option<String>)>,
}

/// A step: forward and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// Forward.
    pub perform: Course,
    /// Back.
    pub undo: Course,
}

impl StepRecord {
    pub(crate) fn pending() -> Self {
        Self { perform: Course::pending(), undo: Course::pending() }
    }

    /// One of the two.
    pub fn course(&self, direction: Direction) -> &Course {
        match direction {
            Direction::Perform => &self.perform,
            Direction::Undo => &self.undo,
        }
    }

    pub(super) fn course_mut(&mut self, direction: Direction) -> &mut Course {
        match direction {
            Direction::Perform => &mut self.perform,
            Direction::Undo => &mut self.undo,
        }
    }
}

impl Course {
    fn pending() -> Self {
        Self {
            stage: Stage::Pending,
            opened_at_ms: None,
            limit_from_ms: None,
            attempts: Vec::new(),
            checkpoints: Vec::new(),
            retries: 0,
            lost: 0,
            limit_passed: false,
            asked: Asked::No,
            approved_by: Vec::new(),
            rejected: None,
        }
    }

    /// The number of the newest attempt, 0 before the first.
    pub fn newest_attempt(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX)
    }

    /// Attempt number `attempt`, counted from 1.
    pub fn attempt(&self, attempt: u32) -> Option<&Attempt> {
        let position = usize::try_from(attempt).ok()?.checked_sub(1)?;
        self.attempts.get(position)
    }

    /// The checkpoints that the newest attempt recorded.
    pub fn newest_checkpoints(&self) -> &[Arc<Checkpoint>] {
        let first = self.attempts.last().map_or(self.checkpoints.len(), |attempt| attempt.first_checkpoint);
        self.checkpoints.get(first..).unwrap_or_default()
    }

    /// The output, once it succeeded.
    pub fn output(&self) -> Option<&Arc<StepOutput>> {
        match &self.stage {
            Stage::Succeeded { output, .. } => Some(output),
            Stage::Pending
            | Stage::Ready
            | Stage::Held
            | Stage::Failed(_)
            | Stage::Retrying { .. }
            | Stage::GivenUp { .. }
            | Stage::Passed { .. } => None,
        }
    }

    /// Whether the deployment may go on to the next step: it succeeded, or goes on without this one.
    pub fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Succeeded { .. } | Stage::Passed { .. })
    }

    /// Everything from the start: a person, or a failure strategy, wants it tried as if for the first time.
    pub(super) fn renew(&mut self, from_ms: i64) {
        self.limit_from_ms = Some(from_ms);
        self.limit_passed = false;
        self.lost = 0;
        self.asked = Asked::No;
        self.approved_by.clear();
        self.rejected = None;
    }

    /// Whether it is certain that nothing was changed: every attempt ended with a report that says so, and none recorded a fact.
    pub fn changed_nothing(&self) -> bool {
        let harmless = |attempt: &Attempt| match &attempt.ended {
            Some((AttemptEnd::Failed(failure), _)) => failure.effect == Effect::DidNotHappen,
            Some((AttemptEnd::Succeeded | AttemptEnd::Lost(_), _)) | None => false,
        };
        self.checkpoints.is_empty() && self.attempts.iter().all(harmless)
    }

    /// Whether nothing more will be tried, well or not.
    pub fn is_over(&self) -> bool {
        self.ended_at_ms().is_some()
    }

    /// When it succeeded or was given up.
    pub fn ended_at_ms(&self) -> Option<i64> {
        match &self.stage {
            Stage::Succeeded { at_ms, .. } | Stage::GivenUp { at_ms, .. } | Stage::Passed { at_ms, .. } => Some(*at_ms),
            Stage::Pending | Stage::Ready | Stage::Held | Stage::Failed(_) | Stage::Retrying { .. } => None,
        }
    }

    /// Why it was given up, or why its newest failed attempt failed.
    pub fn failure(&self) -> Option<&Arc<Failure>> {
        if let Stage::GivenUp { failure, .. } = &self.stage {
            return Some(failure);
        }
        self.attempts.iter().rev().find_map(|attempt| match &attempt.ended {
            Some((AttemptEnd::Failed(failure), _)) => Some(failure),
            Some((AttemptEnd::Succeeded | AttemptEnd::Lost(_), _)) | None => None,
        })
    }

    /// The delegate of the newest attempt.
    pub fn newest_delegate(&self) -> Option<DelegateId> {
        self.attempts.last().map(|attempt| attempt.holder.delegate)
    }
}
