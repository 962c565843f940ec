//! Failure strategies, and what people say to a deployment that runs.

use domain::{
    deployment::{DeploymentStatus, StepState},
    outcome::Outcome,
    signal::Signal::{self, Abort, Ignore, Pause, Resume, Retry, RollBack, Succeed},
};

use super::run::{Run, failed, perform, succeeded, undo};
use crate::{
    fixture::{
        Shape::{Aborts, Asks, Changes, Looks, Optional, Stops, Waits},
        holder,
    },
    input::Input,
    next::{Hold, Next, TimerId, next},
    rejection::Rejection,
    view::view,
};

fn states(run: &Run) -> Vec<StepState> {
    view(&run.deployment, None).steps.iter().map(|step| step.state).collect()
}

/// A step whose one retry is used up: a person is asked.
fn asked() -> Run {
    let mut run = Run::started(&[Changes, Asks]);
    run.succeed_next();
    run.claim_next();
    assert_eq!(run.report(perform(1, 1), holder(1), failed(false)), Ok(vec!["attemptFailed", "retryScheduled"]));
    let retry = TimerId::Retry { step: 1, direction: domain::task::Direction::Perform };
    run.fire(retry).expect("it is due");
    run.claim_next();
    assert_eq!(run.report(perform(1, 2), holder(1), failed(true)), Ok(vec!["attemptFailed", "givenUp", "personAsked"]));
    run
}

#[test]
fn retries_then_a_person_then_what_comes_without_an_answer() {
    let mut run = asked();
    let due_ms = run.timer(TimerId::Answer { step: 1 }).expect("an answer is waited for");
    let status = DeploymentStatus::WaitingForPerson { step: "step 1".into(), until_ms: due_ms, otherwise: "rollback".into() };
    assert_eq!(view(&run.deployment, None).status, status);
    assert_eq!(states(&run), [StepState::Succeeded, StepState::WaitingForPerson]);
    assert_eq!(run.wanted(), None);
    assert_eq!(run.fire(TimerId::Answer { step: 1 }), Ok(vec!["nobodyAnswered", "rollbackStarted", "opened"]));
    assert_eq!(run.claim_next(), undo(1, 1));
}

#[test]
fn a_person_lets_it_be_tried_again_with_time_and_retries_of_its_own() {
    let mut run = asked();
    run.now_ms += 50_000;
    assert_eq!(run.signal(Retry), Ok(vec!["signalled"]));
    let limit = run.timer(TimerId::Limit { step: 1, direction: domain::task::Direction::Perform }).expect("it runs");
    assert!(limit > run.now_ms, "its time begins anew");
    run.claim_next();
    assert_eq!(run.report(perform(1, 3), holder(1), failed(false)), Ok(vec!["attemptFailed", "retryScheduled"]));
    assert_eq!(run.signal(Retry), Ok(vec!["signalled"]), "and now, without the wait");
    run.claim_next();
    assert_eq!(run.report(perform(1, 4), holder(1), succeeded()), Ok(vec!["succeeded", "finished"]));
    let shown = view(&run.deployment, None);
    let said: Vec<_> = shown.signals.iter().map(|taken| (taken.who.as_str(), taken.signal, taken.step)).collect();
    assert_eq!(said, [("bob", Retry, Some(1)), ("bob", Retry, Some(1))]);
}

#[test]
fn a_step_that_changes_something_is_never_passed_over() {
    let mut run = asked();
    for word in [Ignore, Succeed] {
        assert_eq!(run.signal(word), Err(Rejection::NotPassedOver { step: "step 1".into() }));
    }
    assert_eq!(run.signal(RollBack), Ok(vec!["signalled", "rollbackStarted", "opened"]));
    assert!(matches!(run.signal(Retry), Err(Rejection::NothingToAnswer { .. })), "undo is under way");
}

#[test]
fn a_word_for_another_step_is_refused() {
    let mut run = asked();
    let late = Input::Signal { who: "bob".into(), signal: Retry, step: Some(0), comment: None };
    assert_eq!(run.give(late), Err(Rejection::OtherStep { step: 1 }));
    let mut fresh = Run::started(&[Changes]);
    for word in [Retry, Ignore, Succeed] {
        assert!(matches!(fresh.signal(word), Err(Rejection::NothingToAnswer { .. })));
    }
}

#[test]
fn a_failure_that_is_ignored_does_not_end_it() {
    let mut run = Run::started(&[Optional, Changes]);
    run.claim_next();
    let led_to = run.report(perform(0, 1), holder(1), failed(false));
    assert_eq!(led_to, Ok(vec!["attemptFailed", "givenUp", "ignored", "opened"]));
    run.succeed_next();
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::Succeeded));
    assert_eq!(states(&run), [StepState::Ignored, StepState::Succeeded]);
}

#[test]
fn stopping_leaves_everything_and_tells_what_stands() {
    let mut run = Run::started(&[Changes, Looks, Stops]);
    run.succeed_next();
    run.succeed_next();
    run.claim_next();
    assert_eq!(run.report(perform(2, 1), holder(1), failed(false)), Ok(vec!["attemptFailed", "givenUp", "finished"]));
    let Next::Finished(Outcome::NeedsOperator(remains)) = next(&run.deployment) else { panic!("an operator is needed") };
    let expected = ["step \"step 2\" failed", "\"step 0\" did stands", "\"step 2\" did may stand in part"];
    assert_eq!(remains.len(), expected.len());
    assert!(remains.iter().zip(expected).all(|(line, part)| line.contains(part)), "{remains:#?}");

    let mut run = Run::started(&[Changes, Aborts]);
    run.succeed_next();
    run.claim_next();
    run.report(perform(1, 1), holder(1), failed(false)).expect("taken");
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::Aborted));
}

#[test]
fn a_pause_lets_the_step_end_and_begins_no_other() {
    let mut run = Run::started(&[Changes, Changes]);
    run.claim_next();
    assert_eq!(run.signal(Pause), Ok(vec!["signalled"]));
    assert_eq!(run.signal(Pause), Ok(vec![]), "it is paused");
    assert_eq!(run.cancel(), None);
    assert_eq!(run.report(perform(0, 1), holder(1), succeeded()), Ok(vec!["succeeded"]));
    assert!(matches!(view(&run.deployment, None).status, DeploymentStatus::Paused { who, .. } if who == "bob"));
    let Next::Outstanding { wanted: None, held: None, timers, hold: Some(Hold::Paused { .. }), .. } = next(&run.deployment)
    else {
        panic!("nothing is outstanding but a person's word")
    };
    assert!(timers.is_empty());
    assert_eq!(run.signal(Resume), Ok(vec!["signalled", "opened"]));
    assert_eq!(run.signal(Resume), Ok(vec![]));
    run.succeed_next();
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::Succeeded));
}

#[test]
fn a_paused_deployment_can_be_rolled_back_or_aborted_and_a_rollback_is_not_paused() {
    for (word, ends) in [(RollBack, "opened"), (Abort, "finished")] {
        let mut run = Run::started(&[Changes, Changes]);
        run.signal(Pause).expect("taken");
        run.succeed_next();
        assert_eq!(run.signal(word).expect("taken").last(), Some(&ends), "{word}");
        if word == Signal::RollBack {
            assert_eq!(run.signal(Pause), Err(Rejection::RollingBack));
            assert_eq!(view(&run.deployment, None).status, DeploymentStatus::RollingBack);
        }
    }
}

#[test]
fn a_wait_that_runs_can_be_called_done() {
    let mut run = Run::started(&[Waits, Changes]);
    assert_eq!(run.signal(Succeed), Ok(vec!["signalled", "opened"]));
    assert_eq!(states(&run)[0], StepState::Succeeded);
    run.succeed_next();
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::Succeeded));
}

#[test]
fn what_could_not_be_undone_is_tried_again_when_a_person_says_so() {
    let mut run = Run::started(&[Changes, Changes, Changes]);
    run.succeed_next();
    run.succeed_next();
    run.claim_next();
    run.report(perform(2, 1), holder(1), failed(false)).expect("taken");
    for (step, report) in [(2, failed(false)), (1, succeeded()), (0, failed(false))] {
        assert_eq!(run.claim_next(), undo(step, 1), "on with the rest");
        run.report(undo(step, 1), holder(1), report).expect("taken");
    }
    assert!(matches!(next(&run.deployment), Next::Finished(Outcome::NeedsOperator(remains)) if remains.len() == 2));
    assert!(matches!(run.signal(RollBack), Err(Rejection::Finished { .. })));
    assert_eq!(run.signal(Retry), Ok(vec!["reopened", "opened"]));
    assert_eq!(run.claim_next(), undo(2, 2));
    assert_eq!(run.report(undo(2, 2), holder(1), succeeded()), Ok(vec!["succeeded", "opened"]));
    assert_eq!(run.claim_next(), undo(0, 2), "what was undone is not undone again");
    assert_eq!(run.report(undo(0, 2), holder(1), succeeded()), Ok(vec!["succeeded", "finished"]));
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::RolledBack));
    assert!(matches!(run.signal(Retry), Err(Rejection::Finished { .. })));
}
