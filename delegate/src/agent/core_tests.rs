//! Every decision of the agent, in a world without network.

use domain::{
    ids::DeploymentId,
    infrastructure::InfrastructureSpec,
    step::{Note, StepAction, StepOutput},
    task::Direction,
};
use uuid::Uuid;

use super::*;

fn task(step: u32) -> TaskKey {
    TaskKey { deployment: DeploymentId::new(Uuid::from_u128(1)), step, direction: Direction::Perform, attempt: 1 }
}

fn assignment(step: u32) -> Box<Assignment> {
    Box::new(Assignment {
        task: task(step),
        step_name: "Note".into(),
        action: StepAction::Note(Note { message: "hello".into() }),
        infrastructure: infrastructure(),
        earlier: Vec::new(),
        checkpoints: Vec::new(),
        timeout_seconds: 60,
        promised_ms: 0,
        resumed: false,
    })
}

fn infrastructure() -> InfrastructureSpec {
    serde_json::from_value(serde_json::json!({"name": "i", "region": "eu-west-1", "cluster": "c"})).expect("an infrastructure")
}

fn fact(from: u32) -> Checkpoint {
    Checkpoint::DownsizeStarted { service: "s".into(), from }
}

fn done() -> TaskReport {
    TaskReport::Succeeded { output: StepOutput::Nothing }
}

fn say(step: u32) -> Action {
    Action::SayReport { task: task(step), report: done() }
}

fn acknowledged(step: u32) -> Input {
    Input::ReportAcknowledged { task: task(step), taken: Ok(()) }
}

/// An agent whose session stands.
fn connected() -> Agent {
    let mut agent = Agent::new();
    assert_eq!(agent.decide(Input::Opened), [Action::Greet(Holding::default())]);
    assert_eq!(agent.decide(Input::Welcomed(Vec::new())), []);
    agent
}

#[test]
fn the_same_task_twice_is_done_once() {
    let mut agent = connected();
    assert_eq!(agent.decide(Input::Assigned(assignment(0))), [Action::Start(assignment(0))]);
    assert_eq!(agent.decide(Input::Assigned(assignment(0))), []);
    assert_eq!(agent.decide(Input::Ended { task: task(0), report: done() }), [say(0)]);
    assert_eq!(agent.decide(Input::Assigned(assignment(0))), [say(0)]);
    assert_eq!(agent.decide(acknowledged(0)), []);
    assert_eq!(agent.decide(Input::Assigned(assignment(0))), []);
    assert_eq!(agent.holding(), Holding::default());
}

#[test]
fn what_was_not_acknowledged_is_said_again_after_each_welcome_in_order() {
    let mut agent = connected();
    agent.decide(Input::Assigned(assignment(0)));
    agent.decide(Input::Lost);
    for number in 0..2 {
        let checkpoint = fact(number);
        assert_eq!(agent.decide(Input::Checkpoint { task: task(0), number, checkpoint }), []);
    }
    assert_eq!(agent.decide(Input::Opened), [Action::Greet(Holding { tasks: vec![task(0)], draining: false })]);
    let said = |number| Action::SayCheckpoint { task: task(0), number, checkpoint: fact(number) };
    assert_eq!(agent.decide(Input::Welcomed(Vec::new())), [said(0), said(1)]);
    let settled = agent.decide(Input::CheckpointAcknowledged { task: task(0), number: 0, recorded: Ok(()) });
    assert_eq!(settled, [Action::Settle { task: task(0), number: 0, recorded: Ok(()) }]);
    assert_eq!(agent.decide(Input::Ended { task: task(0), report: done() }), [say(0)]);
    for _ in 0..2 {
        agent.decide(Input::Lost);
        agent.decide(Input::Opened);
        assert_eq!(agent.decide(Input::Welcomed(Vec::new())), [said(1), say(0)]);
    }
    agent.decide(acknowledged(0));
    assert_eq!(agent.decide(Input::Welcomed(Vec::new())), []);
}

#[test]
fn a_revoked_task_stops_and_reports_nothing() {
    let mut agent = connected();
    for step in 0..2 {
        agent.decide(Input::Assigned(assignment(step)));
    }
    agent.decide(Input::Checkpoint { task: task(0), number: 0, checkpoint: fact(0) });
    agent.decide(Input::Ended { task: task(1), report: done() });
    agent.decide(Input::Lost);
    agent.decide(Input::Opened);
    let actions = agent.decide(Input::Welcomed(vec![task(0), task(1), task(7)]));
    let reason = String::from("the task is no longer this delegate's");
    assert_eq!(
        actions,
        [
            Action::Stop { task: task(0), reason: reason.clone() },
            Action::Settle { task: task(0), number: 0, recorded: Err(reason.clone()) },
        ]
    );
    assert_eq!(agent.holding().tasks, []);
    let late = agent.decide(Input::Checkpoint { task: task(0), number: 1, checkpoint: fact(1) });
    assert_eq!(late, [Action::Settle { task: task(0), number: 1, recorded: Err(reason) }]);
    assert_eq!(agent.decide(Input::Ended { task: task(0), report: done() }), []);
    assert!(agent.held.is_empty());
}

#[test]
fn a_refused_checkpoint_stops_the_task_before_it_hears_of_it() {
    let mut agent = connected();
    agent.decide(Input::Assigned(assignment(0)));
    agent.decide(Input::Checkpoint { task: task(0), number: 0, checkpoint: fact(0) });
    let refused = Input::CheckpointAcknowledged { task: task(0), number: 0, recorded: Err("late".into()) };
    assert_eq!(
        agent.decide(refused),
        [
            Action::Stop { task: task(0), reason: "late".into() },
            Action::Settle { task: task(0), number: 0, recorded: Err("late".into()) },
        ]
    );
    let repeated = Input::CheckpointAcknowledged { task: task(0), number: 0, recorded: Ok(()) };
    assert_eq!(agent.decide(repeated), []);
}

#[test]
fn a_cancelled_task_is_told_and_reports() {
    let mut agent = connected();
    agent.decide(Input::Assigned(assignment(0)));
    let cancel = || Input::Cancelled { task: task(0), reason: "aborted".into() };
    assert_eq!(agent.decide(cancel()), [Action::Stop { task: task(0), reason: "aborted".into() }]);
    assert_eq!(agent.decide(Input::Ended { task: task(0), report: done() }), [say(0)]);
    assert_eq!(agent.decide(cancel()), []);
}

#[test]
fn what_cannot_be_understood_is_reported_as_not_done() {
    let mut agent = connected();
    let strange = || Input::Incomprehensible { task: task(0), problem: "action: unknown variant".into() };
    let actions = agent.decide(strange());
    let [Action::SayReport { report: TaskReport::Failed { failure }, .. }] = actions.as_slice() else { panic!("{actions:?}") };
    assert!(failure.message.contains("unknown variant") && failure.effect == domain::failure::Effect::DidNotHappen);
    assert_eq!(agent.decide(strange()), actions);
    agent.decide(acknowledged(0));
    assert_eq!(agent.decide(strange()), []);
}

#[test]
fn leaving_hands_back_flushes_and_says_goodbye() {
    let mut agent = connected();
    agent.decide(Input::Assigned(assignment(0)));
    assert_eq!(agent.decide(Input::Leave("sigterm".into())), [Action::HandBack("sigterm".into())]);
    assert!(agent.holding().draining);
    assert_eq!(agent.decide(Input::Leave("again".into())), []);
    let back = |step| Action::SayReport { task: task(step), report: TaskReport::HandedBack };
    // A task that crossed our leaving on the way comes back untouched.
    assert_eq!(agent.decide(Input::Assigned(assignment(1))), [back(1)]);
    assert_eq!(agent.decide(Input::Ended { task: task(0), report: TaskReport::HandedBack }), [back(0)]);
    assert_eq!(agent.decide(acknowledged(0)), []);
    assert_eq!(agent.decide(acknowledged(1)), [Action::Flush]);
    // And one that crosses it in the last moment too.
    assert_eq!(agent.decide(Input::Assigned(assignment(2))), [back(2)]);
    assert_eq!(agent.decide(Input::Flushed), []);
    assert_eq!(agent.decide(acknowledged(2)), [Action::Flush]);
    assert_eq!(agent.decide(Input::Flushed), [Action::Go { goodbye: true, reason: "sigterm".into() }]);
    assert_eq!(agent.decide(Input::Assigned(assignment(3))), []);
}

#[test]
fn whoever_still_holds_something_leaves_without_a_goodbye() {
    let mut agent = connected();
    agent.decide(Input::Assigned(assignment(0)));
    agent.decide(Input::Leave("sigterm".into()));
    assert_eq!(agent.decide(Input::TimeToLeave), [Action::Go { goodbye: false, reason: "sigterm".into() }]);
    let mut lonely = Agent::new();
    assert_eq!(lonely.decide(Input::Leave("sigterm".into())), [Action::HandBack("sigterm".into()), Action::Flush]);
    assert_eq!(lonely.decide(Input::Flushed), [Action::Go { goodbye: false, reason: "sigterm".into() }]);
}

#[test]
fn questions_are_bounded_and_none_is_taken_while_leaving() {
    let mut agent = connected();
    let query =
        || Query { infrastructure: infrastructure(), subject: domain::discovery::Subject::LoadBalancers { name_contains: None } };
    let ask =
        || Input::Asked { id: QueryId::new(Uuid::from_u128(1)), query: Ok(Box::new(query())), limit: Duration::from_secs(1) };
    for _ in 0..MOST_QUERIES {
        assert!(matches!(agent.decide(ask()).as_slice(), [Action::Answer { .. }]));
    }
    assert!(matches!(agent.decide(ask()).as_slice(), [Action::Refuse { .. }]));
    agent.decide(Input::Answered);
    assert!(matches!(agent.decide(ask()).as_slice(), [Action::Answer { .. }]));
    let strange = Input::Asked { id: QueryId::new(Uuid::from_u128(2)), query: Err("subject".into()), limit: Duration::ZERO };
    assert!(matches!(agent.decide(strange).as_slice(), [Action::Refuse { failure, .. }] if failure.message.contains("subject")));
    agent.decide(Input::Leave("sigterm".into()));
    assert!(matches!(agent.decide(ask()).as_slice(), [Action::Refuse { .. }]));
}

#[test]
fn only_so_many_tasks_at_once_and_only_so_many_remembered() {
    let mut agent = connected();
    let most = u32::try_from(MOST_TASKS).expect("small");
    for step in 0..most {
        agent.decide(Input::Assigned(assignment(step)));
    }
    let report = TaskReport::HandedBack;
    assert_eq!(agent.decide(Input::Assigned(assignment(most))), [Action::SayReport { task: task(most), report }]);
    for step in 0..3_000 {
        agent.settled.remember(task(step));
    }
    assert_eq!((agent.settled.tasks.len(), agent.settled.order.len()), (REMEMBERED, REMEMBERED));
}
