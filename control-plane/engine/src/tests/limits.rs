//! Time limits: a held task is never abandoned while its delegate may still write.

use domain::{
    failure::FailureKind,
    outcome::Outcome,
    task::{Direction, TaskReport},
};

use super::run::{Run, failed, perform, succeeded, undo};
use crate::{
    fixture::{
        Shape::{Changes, Looks},
        holder,
    },
    input::Input,
    next::{Next, TimerId, next},
    state::Stage,
};

const LIMIT: TimerId = TimerId::Limit { step: 0, direction: Direction::Perform };
const UNDO_LIMIT: TimerId = TimerId::Limit { step: 0, direction: Direction::Undo };

fn late() -> Run {
    let mut run = Run::started(&[Changes, Looks]);
    run.claim_next();
    assert_eq!(run.timer(LIMIT), Some(70_000), "the limit and its grace");
    assert_eq!(run.fire(LIMIT), Ok(vec!["limitPassed"]));
    assert_eq!((run.cancel(), run.wanted(), run.timers()), (Some(perform(0, 1)), None, vec![]));
    assert_eq!(run.give(Input::TimerFired(LIMIT)), Ok(vec![]));
    run
}

#[test]
fn a_task_that_is_late_is_cancelled_and_waited_for() {
    let given_up = ["givenUp", "rollbackStarted", "opened"];
    for report in [failed(true), failed(false), TaskReport::HandedBack] {
        let mut run = late();
        let led_to = run.report(perform(0, 1), holder(1), report).expect("taken");
        assert_eq!(led_to[1..], given_up);
        let Stage::GivenUp { failure, .. } = &run.deployment.steps()[0].perform.stage else { panic!("given up") };
        assert_eq!(failure.kind, FailureKind::Timeout);
    }
    let mut run = late();
    assert_eq!(run.lose(perform(0, 1)).expect("taken")[1..], given_up);
}

#[test]
fn a_success_that_is_late_is_a_success() {
    let mut run = late();
    assert_eq!(run.report(perform(0, 1), holder(1), succeeded()), Ok(vec!["succeeded", "opened"]));
}

#[test]
fn no_retry_begins_after_the_limit() {
    let mut run = Run::started(&[Changes]);
    run.claim_next();
    run.now_ms = 9_900;
    let led_to = run.report(perform(0, 1), holder(1), failed(true));
    assert_eq!(led_to, Ok(vec!["attemptFailed", "givenUp", "rollbackStarted", "opened"]), "its wait would end at the limit");

    let mut run = Run::started(&[Changes]);
    run.claim_next();
    run.now_ms = 9_899;
    assert_eq!(run.report(perform(0, 1), holder(1), failed(true)), Ok(vec!["attemptFailed", "retryScheduled"]));
}

#[test]
fn an_undo_waits_for_a_delegate_without_limit_and_its_attempts_have_one_each() {
    let mut run = Run::started(&[Changes]);
    let task = run.claim_next();
    run.report(task, holder(1), failed(false)).expect("taken");
    assert_eq!(run.timers(), vec![], "it rather waits than does not happen");
    run.now_ms = 1_000_000;
    run.claim_next();
    assert_eq!(run.timer(UNDO_LIMIT), Some(1_070_000));
    assert_eq!(run.fire(UNDO_LIMIT), Ok(vec!["limitPassed"]));
    assert_eq!(run.cancel(), Some(undo(0, 1)));
    assert_eq!(run.report(undo(0, 1), holder(1), failed(false)), Ok(vec!["attemptFailed", "retryScheduled"]));
    run.fire(TimerId::Retry { step: 0, direction: Direction::Undo }).expect("taken");
    run.claim_next();
    assert_eq!(run.cancel(), None, "a new attempt has its own time");
    run.fire(UNDO_LIMIT).expect("taken");
    assert_eq!(run.lose(undo(0, 2)), Ok(vec!["taskLost", "retryScheduled"]));
    run.fire(TimerId::Retry { step: 0, direction: Direction::Undo }).expect("taken");
    run.claim_next();
    run.report(undo(0, 3), holder(1), succeeded()).expect("taken");
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::RolledBack));
}

#[test]
fn the_far_ends_of_time_do_no_harm() {
    for now_ms in [i64::MIN, -1, i64::MAX] {
        let mut run = Run::queued(&[Changes]);
        run.now_ms = now_ms;
        run.give(Input::Start).expect("it starts");
        run.claim_next();
        run.now_ms = i64::MAX.wrapping_sub(now_ms);
        run.report(perform(0, 1), holder(1), failed(true)).expect("taken");
        crate::assignment::assignment(&run.deployment, perform(0, 1));
    }
}
