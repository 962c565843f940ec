//! Undo: of what, in which order, how often, and how it ends.

use domain::{
    deployment::{DeploymentStatus, StepState},
    outcome::Outcome,
    signal::Signal,
    task::{Direction, TaskReport},
};

use super::run::{Run, failed, perform, succeeded, undo};
use crate::{
    fixture::{
        Shape::{Changes, Looks, Waits},
        holder,
    },
    next::{Next, TimerId, next},
    view::view,
};

#[test]
fn everything_that_ever_ran_is_undone_in_reverse() {
    let mut run = Run::started(&[Changes, Looks, Changes, Changes]);
    for _ in 0..2 {
        run.succeed_next();
    }
    run.claim_next();
    let led_to = run.report(perform(2, 1), holder(1), failed(false));
    assert_eq!(led_to, Ok(vec!["attemptFailed", "givenUp", "rollbackStarted", "opened"]));
    assert_eq!(run.deployment.rollback_reason(), Some("step \"step 2\" failed: the call failed"));
    assert_eq!(run.claim_next(), undo(2, 1));
    assert_eq!(view(&run.deployment, None).status, DeploymentStatus::RollingBack);
    assert_eq!(run.report(undo(2, 1), holder(1), succeeded()), Ok(vec!["succeeded", "opened"]));
    assert_eq!(run.claim_next(), undo(0, 1), "what only looked has nothing to undo");
    assert_eq!(run.report(undo(0, 1), holder(1), succeeded()), Ok(vec!["succeeded", "finished"]));
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::RolledBack));

    let shown = view(&run.deployment, None);
    let states: Vec<_> = shown.steps.iter().map(|step| (step.state, step.undo.as_ref().map(|undo| undo.state))).collect();
    assert_eq!(
        states,
        [
            (StepState::Succeeded, Some(StepState::Succeeded)),
            (StepState::Succeeded, None),
            (StepState::Failed, Some(StepState::Succeeded)),
            (StepState::Skipped, None),
        ]
    );
    let undo_view = shown.steps[2].undo.as_ref().expect("shown above");
    assert_eq!(undo_view.name, "Rollback Containers");
}

#[test]
fn a_step_that_no_delegate_ever_held_is_not_undone() {
    let mut run = Run::started(&[Changes]);
    let limit = TimerId::Limit { step: 0, direction: Direction::Perform };
    assert_eq!(run.fire(limit), Ok(vec!["limitPassed", "givenUp", "rollbackStarted", "finished"]));
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::RolledBack));
    assert!(run.deployment.rollback_reason().is_some_and(|reason| reason.contains("no delegate took it")));
}

#[test]
fn an_undo_that_fails_does_not_keep_the_others_from_being_done() {
    let mut run = Run::started(&[Changes, Changes]);
    run.succeed_next();
    let task = run.claim_next();
    run.report(task, holder(1), failed(false)).expect("taken");
    run.claim_next();
    assert_eq!(run.report(undo(1, 1), holder(1), failed(false)), Ok(vec!["attemptFailed", "givenUp", "opened"]));
    run.claim_next();
    run.report(undo(0, 1), holder(1), succeeded()).expect("taken");
    let remains = "Rollback Containers of step \"step 1\" did not succeed: the call failed".to_owned();
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::NeedsOperator(vec![remains])));
    let shown = view(&run.deployment, None);
    assert_eq!(shown.steps[1].undo.as_ref().map(|undo| (undo.state, undo.failure.is_some())), Some((StepState::Failed, true)));
}

#[test]
fn an_undo_is_tried_five_times_whatever_the_steps_policy_says() {
    let mut run = Run::started(&[Changes]);
    let task = run.claim_next();
    run.report(task, holder(1), failed(false)).expect("taken");
    let mut waits = Vec::new();
    for attempt in 1..=4 {
        run.claim(undo(0, attempt), holder(1)).expect("taken");
        let led_to = run.report(undo(0, attempt), holder(1), failed(true));
        assert_eq!(led_to, Ok(vec!["attemptFailed", "retryScheduled"]));
        let before_ms = run.now_ms;
        run.fire(TimerId::Retry { step: 0, direction: Direction::Undo }).expect("taken");
        waits.push(run.now_ms - before_ms);
    }
    assert_eq!(waits, [100, 5_000, 15_000, 30_000], "the step's own wait first, then the ordinary ones");
    run.claim(undo(0, 5), holder(1)).expect("taken");
    assert_eq!(run.report(undo(0, 5), holder(1), failed(true)), Ok(vec!["attemptFailed", "givenUp", "finished"]));
    assert!(matches!(next(&run.deployment), Next::Finished(Outcome::NeedsOperator(_))));
}

#[test]
fn a_persons_word_turns_a_deployment_back_once_the_held_task_ended() {
    for report in [succeeded(), failed(true), TaskReport::HandedBack] {
        let mut run = Run::started(&[Changes, Changes]);
        run.claim_next();
        assert_eq!(run.signal(Signal::RollBack), Ok(vec!["signalled"]));
        assert_eq!((run.cancel(), run.wanted()), (Some(perform(0, 1)), None));
        assert_eq!(view(&run.deployment, None).status, DeploymentStatus::RollingBack);
        let led_to = run.report(perform(0, 1), holder(1), report).expect("taken");
        assert_eq!(led_to[1..], ["rollbackStarted", "opened"]);
        assert_eq!(run.deployment.rollback_reason(), Some("bob asked for it"));
        run.claim_next();
        assert_eq!(run.cancel(), None, "the undo is what was asked for");
        run.report(undo(0, 1), holder(1), succeeded()).expect("taken");
        assert_eq!(next(&run.deployment), Next::Finished(Outcome::RolledBack));
    }
}

#[test]
fn a_wait_is_left_at_once() {
    let mut run = Run::started(&[Waits, Changes]);
    assert_eq!(run.signal(Signal::RollBack), Ok(vec!["signalled", "rollbackStarted", "finished"]));
    let shown = view(&run.deployment, None);
    assert_eq!(shown.steps.iter().map(|step| step.state).collect::<Vec<_>>(), [StepState::Failed, StepState::Skipped]);
}

#[test]
fn an_abort_stops_the_undo_too_and_leaves_the_rest() {
    let mut run = Run::started(&[Changes, Changes]);
    run.succeed_next();
    let task = run.claim_next();
    run.report(task, holder(1), failed(false)).expect("taken");
    run.claim_next();
    assert_eq!(run.signal(Signal::Abort), Ok(vec!["signalled"]));
    assert_eq!(run.cancel(), Some(undo(1, 1)));
    assert_eq!(run.report(undo(1, 1), holder(1), succeeded()), Ok(vec!["succeeded", "finished"]));
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::Aborted));
    let shown = view(&run.deployment, None);
    assert_eq!(shown.steps[0].undo.as_ref().map(|undo| undo.state), Some(StepState::Skipped));
}
