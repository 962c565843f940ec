//! Folding events into the state: one match, with what each event presupposes.
//!
//! Events that [`crate::decide`] made always fit. A journal that was damaged, or written by something else, gives a [`Misfit`]
//! instead of a state that nobody meant.

use std::{borrow::Borrow, sync::Arc};

use domain::{
    deployment::SignalView,
    signal::Signal,
    step::{StepKind, StepOutput},
    task::{Direction, TaskKey},
};

use super::{Asked, Attempt, AttemptEnd, Course, Deployment, Passed, Rollback, Stage};
use crate::{
    approval,
    event::{Event, Loss},
    input::Holder,
    invariants,
};

/// An event that does not fit the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {revision} ({event}) does not fit: {why}")]
pub struct Misfit {
    /// Its position in the journal, from 1.
    pub revision: u64,
    /// Its name.
    pub event: &'static str,
    /// What it presupposes and is not so.
    pub why: &'static str,
}

/// Why a journal gives no deployment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It is empty.
    #[error("the journal is empty")]
    Empty,
    /// Its first event is not the plan.
    #[error("the journal begins with {0}, not with created")]
    NotCreated(&'static str),
    /// An event does not fit.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The events fit, and amount to what must not be.
    #[error(transparent)]
    Broken(#[from] invariants::Breach),
}

impl Deployment {
    /// The state that a journal amounts to.
    ///
    /// # Errors
    /// When the journal is empty, damaged, or not a deployment's.
    pub fn replay<I>(events: I) -> Result<Self, ReplayError>
    where
        I: IntoIterator,
        I::Item: Borrow<Event>,
    {
        let mut events = events.into_iter();
        let first = events.next().ok_or(ReplayError::Empty)?;
        let mut deployment = match first.borrow() {
            Event::Created { plan, at_ms } => Self::born(plan, *at_ms),
            other => return Err(ReplayError::NotCreated(other.name())),
        };
        for event in events {
            deployment.fold(event.borrow())?;
        }
        invariants::check(&deployment)?;
        Ok(deployment)
    }

    /// Folds one event into the state. In builds with debug assertions (this package keeps them in release) the invariants are
    /// checked afterwards.
    ///
    /// # Errors
    /// When the event does not fit; the state is unchanged then.
    pub fn apply(&mut self, event: &Event) -> Result<(), Misfit> {
        self.fold(event)?;
        if cfg!(all(debug_assertions, not(test))) {
            // The tests look at the invariants themselves, so that a broken rule is a finding and not a panic.
            let checked = invariants::check(self);
            assert!(checked.is_ok(), "{}: {checked:?} after {}", self.id(), event.name());
        }
        Ok(())
    }

    /// The state after some more events, leaving this one as it is.
    ///
    /// # Errors
    /// When one of them does not fit.
    pub fn after(&self, events: &[Event]) -> Result<Self, Misfit> {
        let mut later = self.clone();
        for event in events {
            later.apply(event)?;
        }
        Ok(later)
    }

    fn fold(&mut self, event: &Event) -> Result<(), Misfit> {
        let revision = self.revision + 1;
        self.change(event).map_err(|why| Misfit { revision, event: event.name(), why })?;
        self.revision = revision;
        Ok(())
    }

    fn change(&mut self, event: &Event) -> Result<(), &'static str> {
        if self.finished.is_some() && !matches!(event, Event::Reopened { .. }) {
            return Err("the deployment is over");
        }
        match event {
            Event::Reopened { who, at_ms } => {
                require(self.is_reopenable(), "nothing is left that could be undone")?;
                self.finished = None;
                for course in self.steps.iter_mut().map(|record| record.course_mut(Direction::Undo)) {
                    if matches!(course.stage, Stage::GivenUp { .. }) {
                        course.stage = Stage::Pending;
                        course.retries = 0;
                        course.renew(*at_ms);
                    }
                }
                self.signals.push(SignalView {
                    who: who.clone(),
                    signal: Signal::Retry,
                    step: None,
                    comment: None,
                    at_ms: *at_ms,
                });
                Ok(())
            }
            Event::Created { .. } => Err("the deployment exists"),
            Event::Started { at_ms } => {
                require(self.started_at_ms.is_none(), "it has started before")?;
                self.started_at_ms = Some(*at_ms);
                Ok(())
            }
            Event::Opened { step, direction, at_ms } => {
                require(self.started_at_ms.is_some(), "it has not started")?;
                require(self.held().is_none(), "a task is held")?;
                require((*direction == Direction::Undo) == self.rollback.is_some(), "it is heading the other way")?;
                let course = self.at(*step, *direction)?;
                require(course.stage == Stage::Pending, "it was opened before")?;
                course.stage = Stage::Ready;
                course.opened_at_ms = Some(*at_ms);
                course.limit_from_ms = Some(*at_ms);
                Ok(())
            }
            Event::Claimed { task, delegate, instance, at_ms } => {
                require(self.held().is_none(), "a task is held")?;
                require(task.deployment == self.plan.deployment, "it is another deployment's task")?;
                require(
                    self.planned(task.step).is_some_and(|planned| !planned.action.kind().is_engines_own()),
                    "no task belongs to this step",
                )?;
                let course = self.at(task.step, task.direction)?;
                require(course.stage == Stage::Ready, "no task is wanted")?;
                require(task.attempt == course.newest_attempt() + 1, "the attempt's number is not the next one")?;
                course.attempts.push(Attempt {
                    holder: Holder { delegate: *delegate, instance: *instance },
                    claimed_at_ms: *at_ms,
                    first_checkpoint: course.checkpoints.len(),
                    ended: None,
                });
                course.stage = Stage::Held;
                self.last_delegate = Some(*delegate);
                Ok(())
            }
            Event::CheckpointRecorded { task, number, checkpoint } => {
                let course = self.held_course(*task)?;
                let recorded = course.newest_checkpoints().len();
                require(usize::try_from(*number) == Ok(recorded), "the checkpoint's number is not the next one")?;
                course.checkpoints.push(Arc::new(checkpoint.clone()));
                Ok(())
            }
            Event::Succeeded { task, output, at_ms } => {
                let course = self.held_course(*task)?;
                end_attempt(course, AttemptEnd::Succeeded, *at_ms);
                course.stage = Stage::Succeeded { output: Arc::new(output.clone()), at_ms: *at_ms };
                Ok(())
            }
            Event::AttemptFailed { task, failure, at_ms } => {
                let course = self.held_course(*task)?;
                let failure = Arc::new(failure.clone());
                end_attempt(course, AttemptEnd::Failed(Arc::clone(&failure)), *at_ms);
                course.stage = Stage::Failed(failure);
                Ok(())
            }
            Event::TaskLost { task, why, at_ms } => {
                let course = self.held_course(*task)?;
                end_attempt(course, AttemptEnd::Lost(*why), *at_ms);
                // A task that was given back was not lost with its delegate: draining is no reason to fail a step.
                course.lost += u32::from(*why != Loss::HandedBack);
                course.stage = Stage::Ready;
                Ok(())
            }
            Event::RetryScheduled { step, direction, due_ms, fresh_limit } => {
                let course = self.at(*step, *direction)?;
                let ended = matches!(course.stage, Stage::Failed(_) | Stage::Ready);
                require(ended || (*fresh_limit && matches!(course.stage, Stage::Retrying { .. })), "no attempt ended")?;
                require(*fresh_limit || !course.attempts.is_empty(), "no attempt was made")?;
                course.stage = Stage::Retrying { due_ms: *due_ms };
                course.retries += 1;
                course.limit_passed = false;
                if *fresh_limit {
                    course.renew(*due_ms);
                }
                Ok(())
            }
            Event::RetryDue { step, direction, .. } => {
                let course = self.at(*step, *direction)?;
                require(matches!(course.stage, Stage::Retrying { .. }), "no retry is scheduled")?;
                course.stage = Stage::Ready;
                Ok(())
            }
            Event::WaitEnded { step, at_ms } => {
                require(
                    self.planned(*step).is_some_and(|planned| planned.action.kind() == StepKind::Wait),
                    "the step is no wait",
                )?;
                let course = self.at(*step, Direction::Perform)?;
                require(course.stage == Stage::Ready, "the wait is not running")?;
                course.stage = Stage::Succeeded { output: Arc::new(StepOutput::Nothing), at_ms: *at_ms };
                Ok(())
            }
            Event::Approved { step, at_ms } => {
                let planned = self.planned(*step).ok_or("the plan has no such step")?;
                let course = self.course(*step, Direction::Perform).ok_or("the plan has no such step")?;
                let given = approval::waiting(planned, course).is_some_and(|asked| approval::is_given(asked, course));
                require(given, "approvals are missing")?;
                let output = Arc::new(approval::output(course));
                self.at(*step, Direction::Perform)?.stage = Stage::Succeeded { output, at_ms: *at_ms };
                Ok(())
            }
            Event::LimitPassed { step, direction, .. } => {
                let course = self.at(*step, *direction)?;
                require(course.stage != Stage::Pending && !course.is_over(), "no limit runs")?;
                course.limit_passed = true;
                Ok(())
            }
            Event::GivenUp { step, direction, failure, at_ms } => {
                let course = self.at(*step, *direction)?;
                require(
                    matches!(course.stage, Stage::Ready | Stage::Failed(_) | Stage::Retrying { .. }),
                    "the step is held, over, or has not begun",
                )?;
                course.stage = Stage::GivenUp { failure: Arc::new(failure.clone()), at_ms: *at_ms };
                Ok(())
            }
            Event::PersonAsked { step, until_ms, .. } => {
                let course = self.given_up(*step)?;
                require(course.asked == Asked::No, "a person was asked before")?;
                course.asked = Asked::Until(*until_ms);
                Ok(())
            }
            Event::NobodyAnswered { step, .. } => {
                let course = self.given_up(*step)?;
                require(matches!(course.asked, Asked::Until(_)), "nobody was asked")?;
                course.asked = Asked::InVain;
                Ok(())
            }
            Event::Ignored { step, at_ms } => {
                self.given_up(*step)?.stage = Stage::Passed { how: Passed::Ignored, at_ms: *at_ms };
                Ok(())
            }
            Event::RollbackStarted { reason, at_ms } => {
                require(self.rollback.is_none(), "it is rolling back already")?;
                require(self.held().is_none(), "a task is held")?;
                self.rollback = Some(Rollback { reason: reason.clone(), at_ms: *at_ms });
                Ok(())
            }
            Event::Signalled { who, signal, step, comment, at_ms } => {
                match signal {
                    Signal::Approve | Signal::Reject => self.hear_about_approval(who, *signal, *step, comment.as_ref())?,
                    signal => self.hear(who, *signal, *step, *at_ms)?,
                }
                let comment = comment.clone();
                self.signals.push(SignalView { who: who.clone(), signal: *signal, step: *step, comment, at_ms: *at_ms });
                Ok(())
            }
            Event::Finished { outcome, at_ms } => {
                require(self.held().is_none(), "a task is held")?;
                self.finished = Some((outcome.clone(), *at_ms));
                Ok(())
            }
        }
    }

    /// What a person's word changes.
    fn hear(&mut self, who: &str, signal: Signal, step: Option<u32>, at_ms: i64) -> Result<(), &'static str> {
        match signal {
            Signal::Abort | Signal::RollBack => self.turn = Some((signal, who.to_owned())),
            Signal::Pause => self.paused = Some((who.to_owned(), at_ms)),
            Signal::Resume => self.paused = None,
            Signal::Retry => {
                let direction = if self.rollback.is_some() { Direction::Undo } else { Direction::Perform };
                let course = self.at(step.ok_or("it names no step")?, direction)?;
                match course.stage {
                    Stage::Retrying { .. } => {}
                    Stage::GivenUp { .. } => {
                        course.renew(at_ms);
                        course.retries = 0;
                    }
                    Stage::Pending
                    | Stage::Ready
                    | Stage::Held
                    | Stage::Failed(_)
                    | Stage::Succeeded { .. }
                    | Stage::Passed { .. } => return Err("there is nothing to try again"),
                }
                course.stage = Stage::Ready;
            }
            Signal::Ignore => {
                let course = self.given_up(step.ok_or("it names no step")?)?;
                course.stage = Stage::Passed { how: Passed::Ignored, at_ms };
            }
            Signal::Succeed => {
                let step = step.ok_or("it names no step")?;
                let waits = self.planned(step).is_some_and(|planned| planned.action.kind() == StepKind::Wait);
                let course = self.at(step, Direction::Perform)?;
                let open = matches!(course.stage, Stage::GivenUp { .. }) || (waits && course.stage == Stage::Ready);
                require(open, "the step does not wait")?;
                course.stage = Stage::Passed { how: Passed::MarkedSucceeded, at_ms };
            }
            Signal::Approve | Signal::Reject => return Err("it is about an approval"),
        }
        Ok(())
    }

    /// A yes or no to an approval that waits.
    fn hear_about_approval(
        &mut self,
        who: &str,
        signal: Signal,
        step: Option<u32>,
        comment: Option<&String>,
    ) -> Result<(), &'static str> {
        let step = step.ok_or("it names no step")?;
        let (planned, course) =
            self.planned(step).zip(self.course(step, Direction::Perform)).ok_or("the plan has no such step")?;
        require(approval::waiting(planned, course).is_some(), "no approval waits")?;
        require(course.rejected.is_none(), "it was rejected")?;
        let course = self.at(step, Direction::Perform)?;
        match signal {
            Signal::Reject => course.rejected = Some((who.to_owned(), comment.cloned())),
            _ if course.approved_by.iter().any(|before| before == who) => return Err("one person counts once"),
            _ => course.approved_by.push(who.to_owned()),
        }
        Ok(())
    }

    /// A forward step that was given up.
    fn given_up(&mut self, step: u32) -> Result<&mut Course, &'static str> {
        require(self.rollback.is_none(), "it is rolling back")?;
        let course = self.at(step, Direction::Perform)?;
        require(matches!(course.stage, Stage::GivenUp { .. }), "the step was not given up")?;
        Ok(course)
    }

    fn at(&mut self, step: u32, direction: Direction) -> Result<&mut Course, &'static str> {
        usize::try_from(step)
            .ok()
            .and_then(|step| self.steps.get_mut(step))
            .map(|record| record.course_mut(direction))
            .ok_or("the plan has no such step")
    }

    fn held_course(&mut self, task: TaskKey) -> Result<&mut Course, &'static str> {
        require(self.held().is_some_and(|(held, ..)| held == task), "the task is not held")?;
        self.at(task.step, task.direction)
    }
}

fn end_attempt(course: &mut Course, how: AttemptEnd, at_ms: i64) {
    if let Some(attempt) = course.attempts.last_mut() {
        attempt.ended = Some((how, at_ms));
    }
}

fn require(holds: bool, why: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(why) }
}
