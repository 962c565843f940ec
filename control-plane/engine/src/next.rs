//! What should be outstanding now, derived from the state. The caller makes it so, after every change and after a restart.

use domain::{
    ids::DelegateId,
    outcome::Outcome,
    signal::Signal,
    step::StepKind,
    task::{Direction, TaskKey},
};

use crate::{
    approval::waiting,
    follow_up::{current, follow_up},
    input::Holder,
    state::{Asked, Course, Deployment, Stage},
    timing,
};

/// What should be outstanding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Its turn in the queue: [`crate::Input::Start`] when no other deployment of its line goes first.
    Queued,
    /// A task, a timer, or both.
    Outstanding {
        /// A task that a delegate should be found for.
        wanted: Option<WantedTask>,
        /// The task that a delegate works on.
        held: Option<HeldTask>,
        /// That task, when its delegate is to be told to stop. It is waited for all the same: it is over when the delegate
        /// reports or its lease has ended.
        cancel: Option<TaskKey>,
        /// When to come back at the latest, whatever else happens.
        timers: Vec<Timer>,
        /// A person's word, without which it does not go on (or not before a timer is due).
        hold: Option<Hold>,
    },
    /// Nothing any more.
    Finished(Outcome),
}

/// What a person has to say something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// It was paused; a step that runs goes on to its end.
    Paused {
        /// By whom.
        who: String,
        /// Since when, in milliseconds since 1970-01-01 UTC.
        since_ms: i64,
    },
    /// An *Approval* step waits for people.
    Approval {
        /// Which step.
        step: u32,
        /// Until when, in milliseconds since 1970-01-01 UTC.
        until_ms: i64,
    },
    /// A step failed, and its failure strategy asks what to do.
    Asked {
        /// Which step.
        step: u32,
        /// Until when, in milliseconds since 1970-01-01 UTC.
        until_ms: i64,
    },
}

/// A task that a delegate should be found for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTask {
    /// The task, with the number that the claim gets.
    pub task: TaskKey,
    /// What kind of step it is of: the delegate must know it.
    pub kind: StepKind,
    /// Who worked on the deployment last: the first choice among the eligible.
    pub preferred: Option<DelegateId>,
}

/// A task that a delegate works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldTask {
    /// The task.
    pub task: TaskKey,
    /// Who holds it.
    pub holder: Holder,
    /// Since when, in milliseconds since 1970-01-01 UTC.
    pub since_ms: i64,
}

/// Names a timer of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimerId {
    /// A part of a batch of events is missing from the journal: due at once.
    Settle,
    /// A *Wait* step is over.
    Wait {
        /// Which step.
        step: u32,
    },
    /// The wait before the next attempt is over.
    Retry {
        /// Which step.
        step: u32,
        /// Forward or back.
        direction: Direction,
    },
    /// The time limit, with its grace, ran out.
    Limit {
        /// Which step.
        step: u32,
        /// Forward or back.
        direction: Direction,
    },
    /// The time in which a person could answer is over.
    Answer {
        /// Which step.
        step: u32,
    },
}

/// A point in time at which the deployment wants [`crate::Input::TimerFired`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// Which.
    pub id: TimerId,
    /// When, in milliseconds since 1970-01-01 UTC. In the past means at once.
    pub due_ms: i64,
}

/// What should be outstanding for this deployment.
pub fn next(deployment: &Deployment) -> Next {
    if let Some(outcome) = deployment.outcome() {
        return Next::Finished(outcome.clone());
    }
    if follow_up(deployment, deployment.created_at_ms).is_some() {
        let settle = Timer { id: TimerId::Settle, due_ms: deployment.created_at_ms };
        return Next::Outstanding { wanted: None, held: None, cancel: None, timers: vec![settle], hold: None };
    }
    if deployment.started_at_ms.is_none() {
        return Next::Queued;
    }
    let held = deployment.held().map(|(task, holder, since_ms)| HeldTask { task, holder, since_ms });
    Next::Outstanding {
        wanted: wanted(deployment),
        cancel: held.map(|held| held.task).filter(|task| cancelled(deployment, *task)),
        held,
        timers: timers(deployment),
        hold: hold(deployment),
    }
}

fn hold(deployment: &Deployment) -> Option<Hold> {
    if let Some((step, until_ms)) = asked(deployment) {
        return Some(Hold::Asked { step, until_ms });
    }
    if let Some((step, until_ms)) = approval(deployment) {
        return Some(Hold::Approval { step, until_ms });
    }
    let (who, since_ms) = deployment.paused.clone().filter(|_| deployment.rollback.is_none())?;
    Some(Hold::Paused { who, since_ms })
}

/// The step about which a person is asked, and until when.
fn asked(deployment: &Deployment) -> Option<(u32, i64)> {
    let (step, direction @ Direction::Perform) = current(deployment)? else { return None };
    match deployment.course(step, direction)? {
        Course { stage: Stage::GivenUp { .. }, asked: Asked::Until(until_ms), .. } => Some((step, *until_ms)),
        _ => None,
    }
}

/// The approval that waits, and until when.
fn approval(deployment: &Deployment) -> Option<(u32, i64)> {
    let (step, direction @ Direction::Perform) = current(deployment)? else { return None };
    let (planned, course) = deployment.planned(step).zip(deployment.course(step, direction))?;
    waiting(planned, course)?;
    Some((step, timing::limit_due_ms(course, planned, direction)?))
}

fn wanted(deployment: &Deployment) -> Option<WantedTask> {
    let (step, direction) = current(deployment)?;
    let course = deployment.course(step, direction)?;
    let kind = deployment.planned(step)?.action.kind();
    (course.stage == Stage::Ready && !kind.is_engines_own()).then(|| WantedTask {
        task: deployment.key(step, direction, course.newest_attempt() + 1),
        kind,
        preferred: deployment.last_delegate,
    })
}

/// Whether the holder of a task is to stop: its time is over, or a person wants to go another way.
fn cancelled(deployment: &Deployment, task: TaskKey) -> bool {
    let late = deployment.course(task.step, task.direction).is_some_and(|course| course.limit_passed);
    late || match (&deployment.turn, task.direction) {
        (Some((Signal::Abort, _)), _) | (Some((Signal::RollBack, _)), Direction::Perform) => true,
        (Some(_), Direction::Perform | Direction::Undo) | (None, _) => false,
    }
}

fn timers(deployment: &Deployment) -> Vec<Timer> {
    let mut timers = Vec::new();
    let Some((step, direction)) = current(deployment) else { return timers };
    let (Some(planned), Some(course)) = (deployment.planned(step), deployment.course(step, direction)) else { return timers };
    if let Stage::Retrying { due_ms } = course.stage {
        timers.push(Timer { id: TimerId::Retry { step, direction }, due_ms });
    }
    if let Some((step, due_ms)) = asked(deployment) {
        timers.push(Timer { id: TimerId::Answer { step }, due_ms });
    }
    if planned.action.kind() == StepKind::Wait {
        if let Some(due_ms) = timing::wait_due_ms(course, planned) {
            timers.push(Timer { id: TimerId::Wait { step }, due_ms });
        }
        return timers;
    }
    let runs = match direction {
        Direction::Perform => !course.is_over(),
        Direction::Undo => course.stage == Stage::Held,
    };
    if let Some(due_ms) = timing::limit_due_ms(course, planned, direction).filter(|_| runs && !course.limit_passed) {
        timers.push(Timer { id: TimerId::Limit { step, direction }, due_ms });
    }
    timers
}
