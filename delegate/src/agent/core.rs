//! What the delegate holds, and every decision about it. Pure: no IO, no clock, no channel. One function takes everything that can
//! happen and says what is to be done.
//!
//! ```text
//! a task:     (assigned) -> running -> ended: report kept -> (acknowledged: forgotten)
//!                              \-> revoked: stops, nothing is reported
//! the agent:  serving -> draining (hands back) -> flushing (logs) -> gone (goodbye)
//! the link:   down -> greeting (hello sent) -> up (welcome)
//! ```
//! Whatever is not acknowledged is said again after the next welcome: a task's checkpoints in their order, then its report.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use domain::{
    discovery::Query,
    failure::{Failure, FailureKind},
    ids::QueryId,
    step::Checkpoint,
    task::{Assignment, TaskKey, TaskReport},
};

use super::Holding;

/// Tasks at once. What comes beyond is handed back.
pub const MOST_TASKS: usize = 1_000;
/// Questions at once.
pub const MOST_QUERIES: usize = 8;
/// Tasks remembered after their report was taken, so that a late repetition of an assignment is not done a second time.
const REMEMBERED: usize = 1_024;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A session is being opened.
    Opened,
    /// The control plane said welcome; these tasks are no longer ours.
    Welcomed(Vec<TaskKey>),
    /// The session is over.
    Lost,
    /// Do this.
    Assigned(Box<Assignment>),
    /// Do this, which can't be understood.
    Incomprehensible {
        /// The task.
        task: TaskKey,
        /// What is wrong with it.
        problem: String,
    },
    /// Stop this task and report.
    Cancelled {
        /// The task.
        task: TaskKey,
        /// Why.
        reason: String,
    },
    /// Answer this.
    Asked {
        /// The question's id.
        id: QueryId,
        /// The question, or why it can't be understood.
        query: Result<Box<Query>, String>,
        /// How long it may take.
        limit: Duration,
    },
    /// What became of a checkpoint.
    CheckpointAcknowledged {
        /// The task.
        task: TaskKey,
        /// Position among its checkpoints.
        number: u32,
        /// It is durable, or why the task must stop.
        recorded: Result<(), String>,
    },
    /// What became of a report.
    ReportAcknowledged {
        /// The task.
        task: TaskKey,
        /// It was taken, or why not.
        taken: Result<(), String>,
    },
    /// A step has a fact that must not be lost.
    Checkpoint {
        /// The task.
        task: TaskKey,
        /// Position among its checkpoints.
        number: u32,
        /// The fact.
        checkpoint: Checkpoint,
    },
    /// A step ended.
    Ended {
        /// The task.
        task: TaskKey,
        /// How.
        report: TaskReport,
    },
    /// A question was answered.
    Answered,
    /// Leave in order.
    Leave(String),
    /// Every log line is acknowledged, or waiting for that is over.
    Flushed,
    /// The time for leaving in order is over.
    TimeToLeave,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Say hello, naming what is held.
    Greet(Holding),
    /// Say a checkpoint.
    SayCheckpoint {
        /// The task.
        task: TaskKey,
        /// Position among its checkpoints.
        number: u32,
        /// The fact.
        checkpoint: Checkpoint,
    },
    /// Say a report.
    SayReport {
        /// The task.
        task: TaskKey,
        /// How it ended.
        report: TaskReport,
    },
    /// Start a step.
    Start(Box<Assignment>),
    /// Tell a step to stop before its next AWS call.
    Stop {
        /// The task.
        task: TaskKey,
        /// Why.
        reason: String,
    },
    /// Tell a step what became of its checkpoint.
    Settle {
        /// The task.
        task: TaskKey,
        /// Position among its checkpoints.
        number: u32,
        /// It is durable, or why not.
        recorded: Result<(), String>,
    },
    /// Look for the answer to a question.
    Answer {
        /// The question's id.
        id: QueryId,
        /// The question.
        query: Box<Query>,
        /// How long it may take.
        limit: Duration,
    },
    /// Answer a question at once: it can't be answered.
    Refuse {
        /// The question's id.
        id: QueryId,
        /// Why.
        failure: Failure,
    },
    /// Tell every step to hand its task back between two AWS calls, and begin to count the time for leaving.
    HandBack(String),
    /// Wait until every log line is acknowledged.
    Flush,
    /// Say goodbye if the session stands, and end.
    Go {
        /// Whether a goodbye can be said: nothing is held any more.
        goodbye: bool,
        /// Why the delegate leaves.
        reason: String,
    },
}

/// The link to the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Down,
    Greeting,
    Up,
}

/// Where the agent is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    Draining,
    Flushing,
    Gone,
}

#[derive(Debug)]
struct Held {
    /// Not acknowledged yet, by number.
    checkpoints: BTreeMap<u32, Checkpoint>,
    state: State,
}

#[derive(Debug)]
enum State {
    Running,
    /// Running on for the moment, but no longer ours.
    Revoked,
    Ended(TaskReport),
}

/// The agent's state.
#[derive(Debug)]
pub struct Agent {
    held: BTreeMap<TaskKey, Held>,
    settled: Settled,
    queries: usize,
    link: Link,
    stage: Stage,
    reason: String,
}

impl Default for Agent {
    fn default() -> Self {
        Self::new()
    }
}

impl Agent {
    /// Holds nothing, is connected to nobody.
    pub fn new() -> Self {
        Self {
            held: BTreeMap::new(),
            settled: Settled::default(),
            queries: 0,
            link: Link::Down,
            stage: Stage::Serving,
            reason: String::new(),
        }
    }

    /// What it holds.
    pub fn holding(&self) -> Holding {
        let ours = self.held.iter().filter(|(_, held)| !matches!(held.state, State::Revoked));
        Holding { tasks: ours.map(|(task, _)| *task).collect(), draining: self.stage != Stage::Serving }
    }

    /// Takes in what happened and says what is to be done, in order.
    pub fn decide(&mut self, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.stage == Stage::Gone {
            return actions;
        }
        match input {
            Input::Opened => {
                self.link = Link::Greeting;
                actions.push(Action::Greet(self.holding()));
            }
            Input::Lost => self.link = Link::Down,
            Input::Welcomed(revoked) => {
                for task in revoked {
                    self.revoke(task, &mut actions);
                }
                self.link = Link::Up;
                for (task, held) in &self.held {
                    say_again(*task, held, &mut actions);
                }
            }
            Input::Assigned(assignment) => self.assigned(assignment, &mut actions),
            Input::Incomprehensible { task, problem } => {
                if !self.knows(task, &mut actions) {
                    let failure = Failure::refused(
                        FailureKind::Policy,
                        format!("This delegate does not understand its assignment ({problem}); nothing was done."),
                    )
                    .hint("The control plane and the delegate differ in version: update the older of the two.");
                    self.conclude(task, TaskReport::Failed { failure }, &mut actions);
                }
            }
            Input::Cancelled { task, reason } => match self.held.get(&task).map(|held| &held.state) {
                Some(State::Running) => actions.push(Action::Stop { task, reason }),
                // It stops already; or its report is on its way; or it was never here, which the next hello tells.
                Some(State::Revoked | State::Ended(_)) | None => {}
            },
            Input::Asked { id, query, limit } => self.asked(id, query, limit, &mut actions),
            Input::Answered => self.queries = self.queries.saturating_sub(1),
            Input::Checkpoint { task, number, checkpoint } => self.checkpoint(task, number, checkpoint, &mut actions),
            Input::CheckpointAcknowledged { task, number, recorded } => {
                let Some(held) = self.held.get_mut(&task) else { return actions };
                if held.checkpoints.remove(&number).is_none() {
                    return actions;
                }
                if let (Err(reason), State::Running) = (&recorded, &held.state) {
                    actions.push(Action::Stop { task, reason: reason.clone() });
                }
                actions.push(Action::Settle { task, number, recorded });
            }
            Input::ReportAcknowledged { task, taken } => {
                if matches!(self.held.get(&task).map(|held| &held.state), Some(State::Ended(_))) {
                    self.held.remove(&task);
                    if taken.is_ok() {
                        self.settled.remember(task);
                    }
                }
            }
            Input::Ended { task, report } => match self.held.get(&task).map(|held| &held.state) {
                Some(State::Running) => self.conclude(task, report, &mut actions),
                Some(State::Revoked) => drop(self.held.remove(&task)),
                Some(State::Ended(_)) | None => {}
            },
            Input::Leave(reason) => {
                if self.stage == Stage::Serving {
                    self.stage = Stage::Draining;
                    self.reason = reason.clone();
                    actions.push(Action::HandBack(reason));
                }
            }
            Input::Flushed => {
                if self.stage == Stage::Flushing {
                    // What came in meanwhile has to be handed back first.
                    self.stage = if self.held.is_empty() { Stage::Gone } else { Stage::Draining };
                }
                if self.stage == Stage::Gone {
                    actions.push(self.go());
                }
            }
            Input::TimeToLeave => {
                if self.stage != Stage::Serving {
                    self.stage = Stage::Gone;
                    actions.push(self.go());
                }
            }
        }
        if self.stage == Stage::Draining && self.held.is_empty() {
            self.stage = Stage::Flushing;
            actions.push(Action::Flush);
        }
        actions
    }

    fn go(&self) -> Action {
        Action::Go { goodbye: self.held.is_empty() && self.link == Link::Up, reason: self.reason.clone() }
    }

    /// Whether a task needs no start: it runs, or it ended. The report of one that ended is said again.
    fn knows(&self, task: TaskKey, actions: &mut Vec<Action>) -> bool {
        match self.held.get(&task) {
            Some(held) => {
                if let State::Ended(report) = &held.state {
                    self.say(Action::SayReport { task, report: report.clone() }, actions);
                }
                true
            }
            None => self.settled.contains(task),
        }
    }

    fn assigned(&mut self, assignment: Box<Assignment>, actions: &mut Vec<Action>) {
        let task = assignment.task;
        if self.knows(task, actions) {
            return;
        }
        if self.stage != Stage::Serving || self.held.len() >= MOST_TASKS {
            return self.conclude(task, TaskReport::HandedBack, actions);
        }
        self.held.insert(task, Held { checkpoints: BTreeMap::new(), state: State::Running });
        actions.push(Action::Start(assignment));
    }

    /// A task ended: its report is kept until it is acknowledged.
    fn conclude(&mut self, task: TaskKey, report: TaskReport, actions: &mut Vec<Action>) {
        self.say(Action::SayReport { task, report: report.clone() }, actions);
        let held = self.held.entry(task).or_insert_with(|| Held { checkpoints: BTreeMap::new(), state: State::Running });
        held.state = State::Ended(report);
    }

    fn revoke(&mut self, task: TaskKey, actions: &mut Vec<Action>) {
        let Some(held) = self.held.get_mut(&task) else { return };
        let reason = "the task is no longer this delegate's";
        for number in std::mem::take(&mut held.checkpoints).into_keys() {
            actions.push(Action::Settle { task, number, recorded: Err(reason.into()) });
        }
        match held.state {
            State::Running => {
                held.state = State::Revoked;
                // First, so that it has stopped before it hears of its checkpoints.
                actions.insert(0, Action::Stop { task, reason: reason.into() });
            }
            State::Revoked => {}
            State::Ended(_) => drop(self.held.remove(&task)),
        }
    }

    fn checkpoint(&mut self, task: TaskKey, number: u32, checkpoint: Checkpoint, actions: &mut Vec<Action>) {
        match self.held.get_mut(&task) {
            Some(Held { checkpoints, state: State::Running }) => {
                checkpoints.insert(number, checkpoint.clone());
                self.say(Action::SayCheckpoint { task, number, checkpoint }, actions);
            }
            Some(Held { state: State::Revoked | State::Ended(_), .. }) | None => {
                let recorded = Err("the task is no longer this delegate's".into());
                actions.push(Action::Settle { task, number, recorded });
            }
        }
    }

    fn asked(&mut self, id: QueryId, query: Result<Box<Query>, String>, limit: Duration, actions: &mut Vec<Action>) {
        let refused = |message: String| Action::Refuse { id, failure: Failure::refused(FailureKind::Policy, message) };
        actions.push(match query {
            Err(problem) => refused(format!("This delegate does not understand the question: {problem}")),
            Ok(_) if self.stage != Stage::Serving => refused("This delegate is leaving.".into()),
            Ok(_) if self.queries >= MOST_QUERIES => refused(format!(
                "This delegate is looking for the answers to {MOST_QUERIES} questions already. Ask again in a while."
            )),
            Ok(query) => {
                self.queries += 1;
                Action::Answer { id, query, limit }
            }
        });
    }

    /// Says it if there is a session. If not, it is said after the next welcome.
    fn say(&self, action: Action, actions: &mut Vec<Action>) {
        if self.link == Link::Up {
            actions.push(action);
        }
    }
}

fn say_again(task: TaskKey, held: &Held, actions: &mut Vec<Action>) {
    for (number, checkpoint) in &held.checkpoints {
        actions.push(Action::SayCheckpoint { task, number: *number, checkpoint: checkpoint.clone() });
    }
    if let State::Ended(report) = &held.state {
        actions.push(Action::SayReport { task, report: report.clone() });
    }
}

/// The newest tasks whose reports were taken.
#[derive(Debug, Default)]
struct Settled {
    tasks: BTreeSet<TaskKey>,
    order: VecDeque<TaskKey>,
}

impl Settled {
    fn remember(&mut self, task: TaskKey) {
        if self.tasks.insert(task) {
            self.order.push_back(task);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.tasks.remove(&oldest);
        }
    }

    fn contains(&self, task: TaskKey) -> bool {
        self.tasks.contains(&task)
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
