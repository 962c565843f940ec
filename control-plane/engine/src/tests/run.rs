//! A deployment under test: every input goes the way it goes in the control plane, and the invariants are checked after each.

use std::sync::Arc;

use domain::{
    failure::Effect,
    signal::Signal,
    step::StepOutput,
    task::{Direction, TaskKey, TaskReport},
};

use crate::{
    decide::{create, decide},
    event::{Event, Loss},
    fixture::{Shape, checkpoint, failure, holder, plan, task},
    input::{Holder, Input},
    invariants,
    next::{HeldTask, Next, Timer, TimerId, WantedTask, next},
    plan::Plan,
    rejection::Rejection,
    state::Deployment,
};

pub(super) struct Run {
    pub deployment: Deployment,
    pub journal: Vec<Event>,
    pub now_ms: i64,
}

/// The names of the events that an input led to.
pub(super) type Names = Result<Vec<&'static str>, Rejection>;

impl Run {
    pub fn queued(shapes: &[Shape]) -> Self {
        Self::of(plan(shapes))
    }

    pub fn of(plan: Arc<Plan>) -> Self {
        let journal = create(plan, 0).expect("a valid plan");
        let deployment = Deployment::replay(&journal).expect("a journal");
        Self { deployment, journal, now_ms: 0 }
    }

    pub fn started(shapes: &[Shape]) -> Self {
        let mut run = Self::queued(shapes);
        run.give(Input::Start).expect("it starts");
        run
    }

    pub fn give(&mut self, input: Input) -> Names {
        let events = decide(&self.deployment, &input, self.now_ms)?;
        for event in &events {
            self.deployment.apply(event).expect("decided events fit");
            invariants::check(&self.deployment).expect("after every event");
        }
        self.journal.extend(events.iter().cloned());
        invariants::replays_to(&self.journal, &self.deployment).expect("the journal tells the same");
        Ok(events.iter().map(Event::name).collect())
    }

    pub fn claim(&mut self, task: TaskKey, holder: Holder) -> Names {
        self.give(Input::Claim { task, holder })
    }

    pub fn report(&mut self, task: TaskKey, holder: Holder, report: TaskReport) -> Names {
        self.give(Input::Report { task, holder, report })
    }

    pub fn checkpoint(&mut self, task: TaskKey, holder: Holder, number: u32, name: &str) -> Names {
        self.give(Input::Checkpoint { task, holder, number, checkpoint: checkpoint(name) })
    }

    pub fn lose(&mut self, task: TaskKey) -> Names {
        self.give(Input::TaskLost { task, why: Loss::LeaseEnded })
    }

    pub fn signal(&mut self, signal: Signal) -> Names {
        self.give(Input::Signal { who: "bob".to_owned(), signal, step: None, comment: None })
    }

    /// Lets the time come at which this timer is due, and fires it.
    pub fn fire(&mut self, id: TimerId) -> Names {
        let due_ms = self.timer(id).expect("the timer is set");
        self.now_ms = self.now_ms.max(due_ms);
        self.give(Input::TimerFired(id))
    }

    /// Claims whatever is wanted, for delegate 1.
    pub fn claim_next(&mut self) -> TaskKey {
        let WantedTask { task, .. } = self.wanted().expect("a task is wanted");
        assert_eq!(self.claim(task, holder(1)), Ok(vec!["claimed"]));
        task
    }

    /// Performs what is wanted without trouble.
    pub fn succeed_next(&mut self) -> Vec<&'static str> {
        let task = self.claim_next();
        self.report(task, holder(1), succeeded()).expect("the report is taken")
    }

    pub fn wanted(&self) -> Option<WantedTask> {
        match next(&self.deployment) {
            Next::Outstanding { wanted, .. } => wanted,
            Next::Queued | Next::Finished(_) => None,
        }
    }

    pub fn held(&self) -> Option<HeldTask> {
        match next(&self.deployment) {
            Next::Outstanding { held, .. } => held,
            Next::Queued | Next::Finished(_) => None,
        }
    }

    pub fn cancel(&self) -> Option<TaskKey> {
        match next(&self.deployment) {
            Next::Outstanding { cancel, .. } => cancel,
            Next::Queued | Next::Finished(_) => None,
        }
    }

    pub fn timers(&self) -> Vec<Timer> {
        match next(&self.deployment) {
            Next::Outstanding { timers, .. } => timers,
            Next::Queued | Next::Finished(_) => Vec::new(),
        }
    }

    pub fn timer(&self, id: TimerId) -> Option<i64> {
        self.timers().into_iter().find(|timer| timer.id == id).map(|timer| timer.due_ms)
    }
}

pub(super) fn succeeded() -> TaskReport {
    TaskReport::Succeeded { output: StepOutput::Nothing }
}

pub(super) fn failed(transient: bool) -> TaskReport {
    TaskReport::Failed { failure: failure(transient, Effect::MayHaveHappened) }
}

pub(super) fn perform(step: u32, attempt: u32) -> TaskKey {
    task(step, Direction::Perform, attempt)
}

pub(super) fn undo(step: u32, attempt: u32) -> TaskKey {
    task(step, Direction::Undo, attempt)
}
