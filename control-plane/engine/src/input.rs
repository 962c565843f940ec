//! Everything that can come to a deployment from outside, as one closed enum.

use std::{fmt, sync::Arc};

use domain::{
    ids::{DelegateId, InstanceId},
    signal::Signal,
    step::Checkpoint,
    task::{TaskKey, TaskReport},
};

use crate::{event::Loss, next::TimerId, plan::Plan};

/// Who holds, or would hold, a task: a process of a delegate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The delegate, as its certificate names it.
    pub delegate: DelegateId,
    /// The process.
    pub instance: InstanceId,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.delegate, self.instance)
    }
}

/// One thing that comes to a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The start request came again: harmless when it is the same plan. A deployment is born by [`crate::create`].
    Create(Arc<Plan>),
    /// Its turn in the queue came.
    Start,
    /// A delegate was chosen for the task that is wanted.
    Claim {
        /// The task, as [`crate::next()`] names it.
        task: TaskKey,
        /// Who gets it.
        holder: Holder,
    },
    /// The holder of a task records a fact.
    Checkpoint {
        /// The task.
        task: TaskKey,
        /// Who says so.
        holder: Holder,
        /// Position among this task's checkpoints, from 0.
        number: u32,
        /// The fact.
        checkpoint: Checkpoint,
    },
    /// The holder of a task says how it ended.
    Report {
        /// The task.
        task: TaskKey,
        /// Who says so.
        holder: Holder,
        /// How it ended.
        report: TaskReport,
    },
    /// The task's holder certainly doesn't write any more: its lease and the margin are over, or it says so itself.
    TaskLost {
        /// The task.
        task: TaskKey,
        /// How.
        why: Loss,
    },
    /// A timer of [`crate::next()`] is due.
    TimerFired(TimerId),
    /// A person says something.
    Signal {
        /// Who.
        who: String,
        /// What.
        signal: Signal,
        /// The step that it is about. Without one: the step whose turn it is. With one that is not, the signal is refused, so that
        /// a word that comes late never hits another step.
        step: Option<u32>,
        /// What the person says about it.
        comment: Option<String>,
    },
}
