//! The modelled world: AWS as "there or not" for each step, and the attempts that delegates work on.

use std::sync::Arc;

use domain::{
    failure::{Effect, Failure},
    step::StepOutput,
    task::{Direction, TaskKey, TaskReport},
};

use crate::{
    event::Event,
    fixture::{Shape, failure},
    input::Holder,
    planted::Planted,
    state::Deployment,
};

/// Which rules hold. All do, except where the explorer has to show that it notices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// A delegate looks up what is there before it writes.
    pub look_up_first: bool,
    /// A task is handed on only after the lease of its holder has ended.
    pub wait_for_lease: bool,
    /// A task is sent only after its claim is durable.
    pub flush_before_dispatch: bool,
    /// A rule of the engine itself that is broken.
    pub planted: Option<Planted>,
}

impl Rules {
    pub const SOUND: Self = Self { look_up_first: true, wait_for_lease: true, flush_before_dispatch: true, planted: None };
}

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Phase {
    /// About to look up what is there.
    Looking,
    /// Nothing done yet: about to record what was there.
    Recording,
    /// It is recorded: about to write.
    Writing,
    /// Ended; the report is on its way.
    Done(Said),
}

/// What a report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Said {
    Succeeded,
    Failed { transient: bool, may_have_happened: bool },
    HandedBack,
}

impl Said {
    pub fn report(self) -> TaskReport {
        match self {
            Self::Succeeded => TaskReport::Succeeded { output: StepOutput::Nothing },
            Self::Failed { transient, may_have_happened } => {
                TaskReport::Failed { failure: said_failure(transient, may_have_happened) }
            }
            Self::HandedBack => TaskReport::HandedBack,
        }
    }
}

fn said_failure(transient: bool, may_have_happened: bool) -> Failure {
    failure(transient, if may_have_happened { Effect::MayHaveHappened } else { Effect::DidNotHappen })
}

/// A process of a delegate that works, or worked, on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Actor {
    pub task: TaskKey,
    pub holder: Holder,
    pub phase: Phase,
    /// Whether its lease runs, as it counts: without, it begins no write.
    pub lease: bool,
}

impl Actor {
    /// Whether it may still write to AWS.
    pub fn may_write(&self) -> bool {
        self.lease && !matches!(self.phase, Phase::Done(_))
    }
}

/// The events so far, shared between the worlds that grew from the same beginning.
#[derive(Debug)]
pub(super) struct Entry {
    event: Event,
    before: Option<Arc<Entry>>,
}

/// One state of everything.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub deployment: Deployment,
    journal: Option<Arc<Entry>>,
    pub shapes: Arc<[Shape]>,
    /// For each step whether its effect stands in AWS.
    pub there: Vec<bool>,
    pub actors: Vec<Actor>,
    /// For each step, forward and back: how many facts a delegate was told are durable.
    pub acknowledged: Vec<[u8; 2]>,
    /// Whether anything ever went wrong with an undo.
    pub undo_troubled: bool,
    /// How much may still go wrong.
    pub faults: u8,
}

impl World {
    pub fn new(shapes: &[Shape], events: &[Event], faults: u8) -> Self {
        let mut world = Self {
            deployment: Deployment::replay(events).expect("a new deployment's events are a journal"),
            journal: None,
            shapes: shapes.into(),
            there: vec![false; shapes.len()],
            actors: Vec::new(),
            acknowledged: vec![[0, 0]; shapes.len()],
            undo_troubled: false,
            faults,
        };
        for event in events {
            world.journal = Some(Arc::new(Entry { event: event.clone(), before: world.journal.take() }));
        }
        world
    }

    /// Append, flush, apply.
    pub fn append(&mut self, events: &[Event]) -> Result<(), String> {
        for event in events {
            self.deployment.apply(event).map_err(|misfit| misfit.to_string())?;
            self.journal = Some(Arc::new(Entry { event: event.clone(), before: self.journal.take() }));
        }
        Ok(())
    }

    pub fn journal(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut entry = self.journal.as_deref();
        while let Some(current) = entry {
            events.push(current.event.clone());
            entry = current.before.as_deref();
        }
        events.reverse();
        events
    }

    /// One thing less may go wrong; `direction` is what it hits.
    pub fn fault(&mut self, hits: Option<Direction>) {
        self.faults -= 1;
        self.undo_troubled |= hits == Some(Direction::Undo);
    }

    pub fn shape(&self, task: TaskKey) -> Shape {
        self.shapes[task.step as usize]
    }

    /// Whether the effect that the task is after stands already: there for a step, gone for an undo.
    pub fn is_done(&self, task: TaskKey) -> bool {
        self.there[task.step as usize] == (task.direction == Direction::Perform)
    }

    /// The write: it must never be made twice.
    pub fn write(&mut self, task: TaskKey) -> Result<(), String> {
        if self.is_done(task) {
            return Err(format!("{task} writes what was written before"));
        }
        self.there[task.step as usize] = task.direction == Direction::Perform;
        Ok(())
    }

    pub fn acknowledged_mut(&mut self, task: TaskKey) -> &mut u8 {
        &mut self.acknowledged[task.step as usize][direction_index(task.direction)]
    }
}

pub(super) fn direction_index(direction: Direction) -> usize {
    match direction {
        Direction::Perform => 0,
        Direction::Undo => 1,
    }
}
