//! Approvals: who counts, what a no and a time limit lead to, and what survives.

use domain::{
    deployment::{DeploymentStatus, StepState},
    failure::{Failure, FailureKind},
    outcome::Outcome,
    signal::Signal::{self, Approve, Pause, Reject, Retry, Succeed},
    step::{ApprovalOutput, StepOutput},
    task::Direction,
};

use super::run::{Names, Run, perform, undo};
use crate::{
    fixture::{
        Shape::{Approves, Asks, Changes, Looks},
        holder, plan,
    },
    input::Input,
    next::{Next, TimerId, next},
    rejection::Rejection,
    state::Deployment,
    stored::StoredEvent,
    view::view,
};

const LIMIT: TimerId = TimerId::Limit { step: 0, direction: Direction::Perform };

fn say(run: &mut Run, who: &str, signal: Signal) -> Names {
    run.give(Input::Signal { who: who.to_owned(), signal, step: None, comment: Some("looked at it".to_owned()) })
}

fn failure(run: &Run, step: usize) -> Failure {
    run.deployment.steps()[step].perform.failure().expect("it failed").as_ref().clone()
}

#[test]
fn so_many_different_people_have_to_approve_and_nobody_else_counts() {
    let mut run = Run::started(&[Approves, Looks]);
    assert_eq!((run.wanted(), run.timer(LIMIT)), (None, Some(10_000)), "no delegate, and the limit has no grace");
    let refused = say(&mut run, "mallory", Approve).expect_err("not asked");
    assert!(refused.to_string().contains("mallory is none of those who may answer this approval: carol, dave"), "{refused}");
    assert!(say(&mut run, "mallory", Reject).is_err());
    assert!(run.signal(Succeed).is_err(), "an approval is not passed over by a word");

    run.now_ms = 2_000;
    assert_eq!(say(&mut run, "carol", Approve), Ok(vec!["signalled"]));
    assert_eq!(say(&mut run, "carol", Approve), Ok(vec![]), "one person counts once");
    let shown = view(&run.deployment, None);
    let waits = DeploymentStatus::WaitingForApproval {
        step: "step 0".to_owned(),
        message: "Go live?".to_owned(),
        approvers: vec!["carol".to_owned(), "dave".to_owned()],
        count: 2,
        approved_by: vec!["carol".to_owned()],
        until_ms: 10_000,
    };
    assert_eq!((shown.status, shown.steps[0].state), (waits, StepState::Running));
    assert_eq!(shown.signals.len(), 1);
    let said = &shown.signals[0];
    assert_eq!((said.who.as_str(), said.signal, said.step, said.at_ms), ("carol", Approve, Some(0), 2_000));
    assert_eq!(said.comment.as_deref(), Some("looked at it"));

    assert_eq!(say(&mut run, "dave", Approve), Ok(vec!["signalled", "approved", "opened"]));
    let output = StepOutput::Approval(ApprovalOutput { approved_by: vec!["carol".to_owned(), "dave".to_owned()] });
    assert_eq!(run.deployment.steps()[0].perform.output().map(AsRef::as_ref), Some(&output));
    let late = say(&mut run, "dave", Approve).expect_err("nothing waits");
    assert_eq!(late.to_string(), "there is nothing to approve: no approval waits");
    run.succeed_next();
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::Succeeded));
}

#[test]
fn a_no_undoes_what_was_done_and_says_who_said_it() {
    let mut run = Run::started(&[Changes, Approves]);
    run.succeed_next();
    say(&mut run, "dave", Approve).expect("taken");
    assert_eq!(say(&mut run, "dave", Reject), Ok(vec!["signalled", "givenUp", "rollbackStarted", "opened"]), "minds change");
    let failure = failure(&run, 1);
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::ApprovalRejected, "rejected by dave: looked at it"));
    assert!(say(&mut run, "carol", Approve).is_err(), "it is over");
    assert_eq!(run.claim(undo(0, 1), holder(1)), Ok(vec!["claimed"]));
}

#[test]
fn too_few_in_time_is_a_no() {
    let mut run = Run::started(&[Approves, Changes]);
    say(&mut run, "dave", Approve).expect("taken");
    assert_eq!(run.fire(LIMIT), Ok(vec!["limitPassed", "givenUp", "rollbackStarted", "finished"]));
    let failure = failure(&run, 0);
    assert_eq!(failure.kind, FailureKind::ApprovalRejected);
    assert_eq!(failure.message, "not approved within 10 s: 1 of 2 approvals came (by dave)");
    assert_eq!(failure.hint.as_deref(), Some("With segue deployment approve DEPLOYMENT may approve: carol, dave."));
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::RolledBack));
}

#[test]
fn a_word_about_another_step_hits_nothing() {
    let mut run = Run::started(&[Approves, Approves]);
    let about = |step| Input::Signal { who: "carol".to_owned(), signal: Approve, step: Some(step), comment: None };
    assert_eq!(run.give(about(1)), Err(Rejection::OtherStep { step: 0 }));
    assert_eq!(run.give(about(0)), Ok(vec!["signalled"]));
    say(&mut run, "dave", Approve).expect("taken");
    assert_eq!(run.give(about(0)), Err(Rejection::OtherStep { step: 1 }), "a word that comes late");
    assert_eq!(run.deployment.steps()[1].perform.approved_by, Vec::<String>::new());
}

#[test]
fn a_strategy_asks_again_and_every_yes_is_wanted_anew() {
    let mut shapes = plan(&[Approves, Looks]).as_ref().clone();
    shapes.steps[0].strategies = plan(&[Asks]).steps[0].strategies.clone();
    let mut run = Run::of(shapes.into());
    run.give(Input::Start).expect("it starts");
    say(&mut run, "dave", Approve).expect("taken");
    assert_eq!(say(&mut run, "carol", Reject), Ok(vec!["signalled", "retryScheduled"]));
    assert!(say(&mut run, "carol", Approve).is_err(), "nothing waits between");
    run.fire(TimerId::Retry { step: 0, direction: Direction::Perform }).expect("due");
    assert_eq!(say(&mut run, "carol", Approve), Ok(vec!["signalled"]), "dave's yes was to what carol rejected");
    assert_eq!(say(&mut run, "carol", Reject), Ok(vec!["signalled", "givenUp", "personAsked"]));
    run.signal(Retry).expect("asked once more");
    say(&mut run, "carol", Approve).expect("taken");
    assert_eq!(say(&mut run, "dave", Approve), Ok(vec!["signalled", "approved", "opened"]));
    assert_eq!(run.claim(perform(1, 1), holder(1)), Ok(vec!["claimed"]));
}

#[test]
fn a_pause_holds_what_comes_after_it_and_no_yes_is_lost() {
    let mut run = Run::started(&[Approves, Looks]);
    say(&mut run, "carol", Approve).expect("taken");
    run.signal(Pause).expect("taken");
    let stored: Vec<_> = run.journal.iter().map(|event| StoredEvent::encode(event).expect("written")).collect();
    let events: Vec<_> = stored.iter().map(|bytes| StoredEvent::decode(bytes).expect("read").event).collect();
    assert_eq!(Deployment::replay(&events).expect("a journal"), run.deployment, "as after a restart");
    assert_eq!(say(&mut run, "dave", Approve), Ok(vec!["signalled", "approved"]));
    assert!(matches!(view(&run.deployment, None).status, DeploymentStatus::Paused { .. }));
}
