//! Does what the agent's core decides. One loop takes every event in its order; nothing in it waits, so that whoever speaks to the
//! agent is heard at once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{
    discovery::{Answer, Query},
    failure::{Failure, FailureKind},
    ids::{InstanceId, QueryId},
    task::{Assignment, TaskKey},
};
use proto::{
    convert::document::to_json,
    delegate::{Checkpoint, Goodbye, Hello, QueryAnswer, Report, from_delegate::Message, query_answer},
};
use runtime::tasks::Tasks;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    Event, Holding, Work,
    core::{Action, Agent, Input},
    fitting::report_json,
    hooks::AttemptCheckpoints,
};
use crate::{
    executor::Hooks,
    lease::{Permit, SharedLease},
    logs::{AttemptLog, Logs},
    session::{Told, Uplink},
};

/// How long leaving in order may take.
pub const LEAVING: Duration = Duration::from_secs(30);
/// Of that, how long the last log lines may take.
const FLUSHING: Duration = Duration::from_secs(5);

/// How long a report lets its last log lines go first: whoever sees a step end sees its last words too, if the connection is not
/// too slow for that.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What the driver works with.
pub struct DriverParts {
    /// This process.
    pub instance: InstanceId,
    /// What it calls itself.
    pub selectors: Vec<String>,
    /// Performs steps.
    pub work: Arc<dyn Work>,
    /// Takes their lines.
    pub logs: Arc<Logs>,
    /// Permits their writes.
    pub lease: Arc<SharedLease>,
    /// Owns them.
    pub tasks: Tasks,
    /// Everybody's way to the agent.
    pub events: mpsc::Sender<Event>,
    /// What it holds, for heartbeats.
    pub holding: watch::Sender<Holding>,
    /// Cancelled after the goodbye.
    pub closing: CancellationToken,
}

/// The loop.
pub struct Driver {
    parts: DriverParts,
    core: Agent,
    uplink: Option<Uplink>,
    running: HashMap<TaskKey, CancellationToken>,
    recording: HashMap<(TaskKey, u32), oneshot::Sender<Result<(), String>>>,
    drain: CancellationToken,
    gone: bool,
}

impl Driver {
    /// A driver that holds nothing yet.
    pub fn new(parts: DriverParts) -> Self {
        Self {
            parts,
            core: Agent::new(),
            uplink: None,
            running: HashMap::new(),
            recording: HashMap::new(),
            drain: CancellationToken::new(),
            gone: false,
        }
    }

    /// Runs until the delegate has left.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        while !self.gone {
            // The driver holds a sender itself: there is always a next event.
            let Some(event) = events.recv().await else { return };
            let mut taken_in = None;
            let input = self.input(event, &mut taken_in);
            for action in self.core.decide(input) {
                self.act(action);
            }
            let now = self.core.holding();
            self.parts.holding.send_if_modified(|held| {
                if *held == now {
                    false
                } else {
                    *held = now;
                    true
                }
            });
            if let Some(taken_in) = taken_in {
                // The session may have ended meanwhile.
                let _ = taken_in.send(());
            }
        }
    }

    /// Takes the channels out of an event: the core knows none.
    fn input(&mut self, event: Event, taken_in_by: &mut Option<oneshot::Sender<()>>) -> Input {
        match event {
            Event::Opened(uplink) => {
                self.uplink = Some(uplink);
                Input::Opened
            }
            Event::Welcomed { revoked, taken_in } => {
                *taken_in_by = Some(taken_in);
                Input::Welcomed(revoked)
            }
            Event::Lost => {
                self.uplink = None;
                Input::Lost
            }
            Event::Told(told) => told_input(told),
            Event::Checkpoint { task, number, checkpoint, recorded } => {
                self.recording.insert((task, number), recorded);
                Input::Checkpoint { task, number, checkpoint }
            }
            Event::Ended { task, report } => {
                self.running.remove(&task);
                self.parts.logs.end(task);
                Input::Ended { task, report }
            }
            Event::Answered { id, answer } => {
                self.send(answer_message(id, &answer));
                Input::Answered
            }
            Event::Leave => Input::Leave("the process was asked to stop".into()),
            Event::Flushed => Input::Flushed,
            Event::TimeToLeave => Input::TimeToLeave,
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Greet(holding) => self.send(Message::Hello(self.hello(&holding))),
            Action::SayCheckpoint { task, number, checkpoint } => self.send(Message::Checkpoint(Checkpoint {
                task: task.to_string(),
                number,
                checkpoint_json: to_json(&checkpoint),
            })),
            Action::SayReport { task, report } => {
                self.send(Message::Report(Report { task: task.to_string(), report_json: report_json(&report) }));
            }
            Action::Start(assignment) => self.start(*assignment),
            Action::Stop { task, reason } => {
                if let Some(stop) = self.running.get(&task) {
                    tracing::info!(%task, reason, "a step is told to stop");
                    stop.cancel();
                }
            }
            Action::Settle { task, number, recorded } => {
                if let Some(waiting) = self.recording.remove(&(task, number)) {
                    // The step may have stopped waiting.
                    let _ = waiting.send(recorded);
                }
            }
            Action::Answer { id, query, limit } => self.answer(id, query, limit),
            Action::Refuse { id, failure } => self.send(answer_message(id, &Err(failure))),
            Action::HandBack(reason) => {
                tracing::info!(reason, "leaving: no new tasks; running ones are handed back");
                self.drain.cancel();
                self.later("time to leave", async { tokio::time::sleep(LEAVING).await }, Event::TimeToLeave);
            }
            Action::Flush => {
                let logs = self.parts.logs.clone();
                let flushed = async move {
                    if tokio::time::timeout(FLUSHING, logs.flushed()).await.is_err() {
                        tracing::warn!("the last log lines were not acknowledged in time");
                    }
                };
                self.later("last log lines", flushed, Event::Flushed);
            }
            Action::Go { goodbye, reason } => {
                if goodbye {
                    self.send(Message::Goodbye(Goodbye { reason }));
                } else {
                    tracing::warn!(held = ?self.core.holding().tasks, "leaving without a goodbye: what is held goes on elsewhere when the lease ends");
                }
                self.parts.lease.give_up();
                self.uplink = None;
                self.parts.closing.cancel();
                self.gone = true;
            }
        }
    }

    /// Sends `event` when `after` is done.
    fn later(&self, name: &'static str, after: impl Future<Output = ()> + Send + 'static, event: Event) {
        let events = self.parts.events.clone();
        self.parts.tasks.spawn_until_cancelled(name, async move {
            after.await;
            // An agent that is gone needs no event.
            let _ = events.send(event).await;
        });
    }

    fn send(&self, message: Message) {
        if let Some(uplink) = &self.uplink {
            uplink.send(message);
        }
    }

    fn hello(&self, holding: &Holding) -> Hello {
        Hello {
            instance_id: self.parts.instance.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: proto::PROTOCOL,
            step_kinds: self.parts.work.kinds().iter().map(|kind| kind.as_str().to_owned()).collect(),
            selectors: self.parts.selectors.clone(),
            tasks: holding.tasks.iter().map(ToString::to_string).collect(),
            draining: holding.draining,
            questions: crate::discovery::QUESTIONS.map(str::to_owned).into(),
        }
    }

    fn start(&mut self, assignment: Assignment) {
        let task = assignment.task;
        tracing::info!(%task, step = %assignment.step_name, "a step begins");
        let stop = CancellationToken::new();
        self.running.insert(task, stop.clone());
        let limit = Duration::from_secs(assignment.timeout_seconds);
        let checkpoints = AttemptCheckpoints::new(task, self.parts.events.clone(), stop.clone(), limit);
        let permit = Permit {
            lease: self.parts.lease.clone(),
            deadline: Instant::now() + limit,
            cancel: stop.clone(),
            drain: self.drain.clone(),
        };
        let hooks = Hooks {
            log: Arc::new(AttemptLog { logs: self.parts.logs.clone(), task }),
            checkpoints: Arc::new(checkpoints),
            permit: Arc::new(permit),
            cancel: stop,
            drain: self.drain.clone(),
        };
        let (work, logs, events) = (self.parts.work.clone(), self.parts.logs.clone(), self.parts.events.clone());
        self.parts.tasks.spawn(format!("step {task}"), async move {
            let report = work.perform(assignment, hooks).await;
            tracing::info!(%task, report = report_name(&report), "a step ended");
            // Late is no harm: they go on being shipped.
            let _ = tokio::time::timeout(LAST_WORDS, logs.sent(task)).await;
            // An agent that is gone has no use for it: the lease decides.
            let _ = events.send(Event::Ended { task, report }).await;
        });
    }

    fn answer(&self, id: QueryId, query: Box<Query>, limit: Duration) {
        let (work, events) = (self.parts.work.clone(), self.parts.events.clone());
        self.parts.tasks.spawn_until_cancelled("question", async move {
            let answer = tokio::time::timeout(limit, work.answer(&query)).await.unwrap_or_else(|_| {
                Err(Failure::refused(FailureKind::Timeout, format!("The delegate found no answer within {limit:?}.")))
            });
            let _ = events.send(Event::Answered { id, answer: Box::new(answer) }).await;
        });
    }
}

fn told_input(told: Told) -> Input {
    match told {
        Told::Assigned(assignment) => Input::Assigned(assignment),
        Told::Incomprehensible { task, problem } => Input::Incomprehensible { task, problem },
        Told::Cancelled { task, reason } => Input::Cancelled { task, reason },
        Told::Asked { id, query, limit } => Input::Asked { id, query, limit },
        Told::CheckpointAcknowledged { task, number, recorded } => Input::CheckpointAcknowledged { task, number, recorded },
        Told::ReportAcknowledged { task, taken } => Input::ReportAcknowledged { task, taken },
        Told::Drain { reason } => Input::Leave(format!("the control plane asked for it: {reason}")),
    }
}

fn answer_message(id: QueryId, answer: &Result<Answer, Failure>) -> Message {
    let result = match answer {
        Ok(answer) => query_answer::Result::AnswerJson(to_json(answer)),
        Err(failure) => query_answer::Result::FailureJson(to_json(failure)),
    };
    Message::QueryAnswer(QueryAnswer { query_id: id.to_string(), result: Some(result) })
}

fn report_name(report: &domain::task::TaskReport) -> &'static str {
    match report {
        domain::task::TaskReport::Succeeded { .. } => "succeeded",
        domain::task::TaskReport::Failed { .. } => "failed",
        domain::task::TaskReport::HandedBack => "handed back",
    }
}
