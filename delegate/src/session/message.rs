//! What the control plane says, validated once into the domain's words. What can't be understood but names its task or question is
//! kept as such, so that it is answered instead of swallowed.

use std::time::Duration;

use domain::{
    discovery::Query,
    ids::QueryId,
    task::{Assignment, TaskKey},
};
use proto::{
    convert::{
        Malformed,
        document::{from_json, parse},
    },
    delegate::{ToDelegate, Welcome, to_delegate::Message},
};

/// The shortest lease that makes sense: below, a delegate would only be busy with heartbeats.
const SHORTEST_LEASE_MS: u64 = 100;
/// The longest that a question may take, whatever the control plane says.
const LONGEST_QUERY: Duration = Duration::from_secs(120);

/// One message of the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The session stands.
    Welcome(Terms),
    /// A heartbeat arrived.
    HeartbeatAcknowledged(u64),
    /// The certificate is to be renewed now: the authorities have changed.
    RenewalAsked,
    /// What the agent has to know.
    Told(Told),
}

/// What the control plane tells the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Do this.
    Assigned(Box<Assignment>),
    /// Do this, which this delegate does not understand.
    Incomprehensible {
        /// The task.
        task: TaskKey,
        /// Which field is wrong, and how.
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
    /// A report arrived.
    ReportAcknowledged {
        /// The task.
        task: TaskKey,
        /// It was taken, or why not.
        taken: Result<(), String>,
    },
    /// Leave.
    Drain {
        /// Why.
        reason: String,
    },
}

/// What a session stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How long a heartbeat is good for, counted from when it was sent.
    pub lease: Duration,
    /// How often one is to be sent.
    pub heartbeat: Duration,
    /// Tasks that are no longer this delegate's.
    pub revoked: Vec<TaskKey>,
}

impl Said {
    /// Reads a message.
    ///
    /// # Errors
    /// When it names nothing that could be answered for it.
    pub fn read(message: ToDelegate) -> Result<Self, Malformed> {
        let message = message.message.ok_or_else(|| Malformed::new("message", "missing or unknown"))?;
        Ok(Self::Told(match message {
            Message::Welcome(welcome) => return Ok(Self::Welcome(terms(&welcome)?)),
            Message::Renew(_) => return Ok(Self::RenewalAsked),
            Message::HeartbeatAck(ack) => return Ok(Self::HeartbeatAcknowledged(ack.number)),
            Message::Assign(assign) => {
                let task = parse("assign.task", &assign.task)?;
                match from_json::<Assignment>("assign.assignment_json", &assign.assignment_json) {
                    Ok(assignment) if assignment.task == task => Told::Assigned(Box::new(assignment)),
                    Ok(assignment) => Told::Incomprehensible {
                        task,
                        problem: format!("the assignment is for another task, {}", assignment.task),
                    },
                    Err(malformed) => Told::Incomprehensible { task, problem: malformed.to_string() },
                }
            }
            Message::Cancel(cancel) => Told::Cancelled { task: parse("cancel.task", &cancel.task)?, reason: cancel.reason },
            Message::Query(query) => Told::Asked {
                id: parse("query.query_id", &query.query_id)?,
                query: from_json("query.query_json", &query.query_json).map(Box::new).map_err(|malformed| malformed.to_string()),
                limit: Duration::from_millis(query.timeout_ms).min(LONGEST_QUERY),
            },
            Message::CheckpointAck(ack) => Told::CheckpointAcknowledged {
                task: parse("checkpoint_ack.task", &ack.task)?,
                number: ack.number,
                recorded: accepted(ack.rejection),
            },
            Message::ReportAck(ack) => {
                Told::ReportAcknowledged { task: parse("report_ack.task", &ack.task)?, taken: accepted(ack.rejection) }
            }
            Message::Drain(drain) => Told::Drain { reason: drain.reason },
        }))
    }
}

fn accepted(rejection: String) -> Result<(), String> {
    if rejection.is_empty() { Ok(()) } else { Err(rejection) }
}

fn terms(welcome: &Welcome) -> Result<Terms, Malformed> {
    if welcome.lease_ms < SHORTEST_LEASE_MS {
        return Err(Malformed::new("welcome.lease_ms", format!("{} is less than {SHORTEST_LEASE_MS}", welcome.lease_ms)));
    }
    if welcome.heartbeat_ms == 0 || welcome.heartbeat_ms >= welcome.lease_ms {
        return Err(Malformed::new("welcome.heartbeat_ms", "not between 0 and lease_ms"));
    }
    let revoked = welcome.revoked_tasks.iter().map(|task| parse("welcome.revoked_tasks", task)).collect::<Result<_, _>>()?;
    Ok(Terms { lease: Duration::from_millis(welcome.lease_ms), heartbeat: Duration::from_millis(welcome.heartbeat_ms), revoked })
}

#[cfg(test)]
mod tests {
    use proto::delegate::{Assign, CheckpointAck, Query as WireQuery};

    use super::*;

    const TASK: &str = "dep_00000000000000000000000000000001/0/perform/1";

    fn read(message: Message) -> Result<Said, Malformed> {
        Said::read(ToDelegate { message: Some(message) })
    }

    #[test]
    fn what_names_its_task_or_question_can_be_answered() {
        let told = read(Message::Assign(Assign { task: TASK.into(), assignment_json: r#"{"action":{"teleport":{}}}"#.into() }));
        assert!(matches!(told, Ok(Said::Told(Told::Incomprehensible { task, .. })) if task.to_string() == TASK));
        let query_id = "qry_00000000000000000000000000000001".to_owned();
        let told = read(Message::Query(WireQuery { query_id, query_json: "{".into(), timeout_ms: u64::MAX }));
        assert!(matches!(told, Ok(Said::Told(Told::Asked { query: Err(_), limit: LONGEST_QUERY, .. }))));
        assert!(read(Message::Assign(Assign { task: "mine".into(), assignment_json: String::new() })).is_err());
        assert!(Said::read(ToDelegate { message: None }).is_err());
    }

    #[test]
    fn a_rejection_is_an_error_and_terms_make_sense() {
        let ack = CheckpointAck { task: TASK.into(), number: 3, rejection: "late".into() };
        assert!(matches!(
            read(Message::CheckpointAck(ack)),
            Ok(Said::Told(Told::CheckpointAcknowledged { number: 3, recorded: Err(why), .. })) if why == "late"
        ));
        let welcome =
            |lease_ms, heartbeat_ms| read(Message::Welcome(Welcome { lease_ms, heartbeat_ms, revoked_tasks: vec![TASK.into()] }));
        assert!(matches!(welcome(10_000, 2_000), Ok(Said::Welcome(terms)) if terms.revoked.len() == 1));
        for (lease, heartbeat) in [(0, 0), (10_000, 0), (10_000, 10_000)] {
            assert!(welcome(lease, heartbeat).is_err());
        }
    }
}
