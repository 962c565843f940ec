//! The table of what comes twice, too late, or from the wrong one: typed, one by one.

use domain::{ids::DeploymentId, outcome::Outcome, signal::Signal, task::TaskReport};
use uuid::Uuid;

use super::run::{Run, failed, perform, succeeded, undo};
use crate::{
    event::Loss,
    fixture::{
        Shape::{Changes, Looks, Waits},
        holder,
    },
    input::{Holder, Input},
    next::TimerId,
    rejection::Rejection,
};

fn held() -> Run {
    let mut run = Run::started(&[Changes, Looks]);
    run.claim_next();
    run
}

#[test]
fn claims() {
    let mut run = Run::started(&[Changes, Looks]);
    let elsewhere = DeploymentId::new(Uuid::from_u128(9));
    let foreign = domain::task::TaskKey { deployment: elsewhere, ..perform(0, 1) };
    assert_eq!(run.claim(foreign, holder(1)), Err(Rejection::OtherDeployment));
    assert_eq!(run.claim(perform(7, 1), holder(1)), Err(Rejection::UnknownTask));
    assert_eq!(run.claim(perform(1, 1), holder(1)), Err(Rejection::NotWanted));
    assert_eq!(run.claim(undo(0, 1), holder(1)), Err(Rejection::NotWanted));
    assert_eq!(run.claim(perform(0, 2), holder(1)), Err(Rejection::NotWanted));
    assert_eq!(run.claim(perform(0, 1), holder(1)), Ok(vec!["claimed"]));

    assert_eq!(run.claim(perform(0, 1), holder(1)), Ok(vec![]), "the same again");
    assert_eq!(run.claim(perform(0, 1), holder(2)), Err(Rejection::NotHeldBy { holder: holder(1) }));
    let restarted = Holder { instance: holder(2).instance, ..holder(1) };
    assert_eq!(run.claim(perform(0, 1), restarted), Err(Rejection::NotHeldBy { holder: holder(1) }), "another process");
    assert_eq!(run.claim(perform(0, 2), holder(2)), Err(Rejection::NotWanted), "not while it is held");

    run.lose(perform(0, 1)).expect("taken");
    assert_eq!(run.claim(perform(0, 1), holder(1)), Err(Rejection::Stale { newest_attempt: 1 }));
    assert_eq!(run.claim(perform(0, 2), holder(2)), Ok(vec!["claimed"]));
    assert_eq!(run.claim(perform(0, 1), holder(1)), Err(Rejection::Stale { newest_attempt: 2 }));
    run.report(perform(0, 2), holder(2), succeeded()).expect("taken");
    run.succeed_next();
    assert_eq!(run.claim(perform(0, 3), holder(1)), Err(Rejection::Finished { outcome: Outcome::Succeeded }));

    let mut waits = Run::started(&[Waits]);
    assert_eq!(waits.claim(perform(0, 1), holder(1)), Err(Rejection::NotWanted), "no task belongs to a wait");
}

#[test]
fn checkpoints() {
    let mut run = held();
    let task = perform(0, 1);
    assert_eq!(run.checkpoint(perform(1, 1), holder(1), 0, "a"), Err(Rejection::UnknownTask));
    assert_eq!(run.checkpoint(task, holder(2), 0, "a"), Err(Rejection::NotHeldBy { holder: holder(1) }));
    assert_eq!(run.checkpoint(task, holder(1), 1, "b"), Err(Rejection::CheckpointGap { expected: 0 }));
    assert_eq!(run.checkpoint(task, holder(1), 0, "a"), Ok(vec!["checkpointRecorded"]));
    assert_eq!(run.checkpoint(task, holder(1), 0, "a"), Ok(vec![]), "the same again");
    assert_eq!(run.checkpoint(task, holder(1), 0, "x"), Err(Rejection::CheckpointDiffers { number: 0 }));
    assert_eq!(run.checkpoint(task, holder(1), 1, "b"), Ok(vec!["checkpointRecorded"]));

    run.lose(task).expect("taken");
    assert_eq!(run.checkpoint(task, holder(1), 1, "b"), Err(Rejection::Lost), "known, but the task is not its own any more");
    run.claim(perform(0, 2), holder(2)).expect("taken");
    assert_eq!(run.checkpoint(task, holder(1), 2, "c"), Err(Rejection::Stale { newest_attempt: 2 }));
    assert_eq!(run.checkpoint(perform(0, 2), holder(2), 0, "c"), Ok(vec!["checkpointRecorded"]));
    run.report(perform(0, 2), holder(2), succeeded()).expect("taken");
    assert_eq!(run.checkpoint(perform(0, 2), holder(2), 0, "c"), Ok(vec![]), "its acknowledgement was lost");
    assert_eq!(run.checkpoint(perform(0, 2), holder(2), 1, "d"), Err(Rejection::AlreadyDone));
}

#[test]
fn reports_of_success() {
    let mut run = held();
    let task = perform(0, 1);
    assert_eq!(run.report(undo(0, 1), holder(1), succeeded()), Err(Rejection::UnknownTask));
    assert_eq!(run.report(task, holder(2), succeeded()), Err(Rejection::NotHeldBy { holder: holder(1) }));
    assert_eq!(run.report(task, holder(1), succeeded()), Ok(vec!["succeeded", "opened"]));
    assert_eq!(run.report(task, holder(1), succeeded()), Ok(vec![]));
    assert_eq!(run.report(task, holder(1), failed(true)), Err(Rejection::AlreadyDone));
    assert_eq!(run.report(task, holder(1), TaskReport::HandedBack), Err(Rejection::AlreadyDone));
    assert_eq!(run.report(task, holder(2), succeeded()), Err(Rejection::NotHeldBy { holder: holder(1) }));
    assert_eq!(run.lose(task), Ok(vec![]), "there is nothing to lose any more");

    run.succeed_next();
    assert_eq!(run.report(perform(1, 1), holder(1), succeeded()), Ok(vec![]), "also when it was the last");
}

#[test]
fn reports_of_failure() {
    let mut run = held();
    let task = perform(0, 1);
    assert_eq!(run.report(task, holder(1), failed(true)), Ok(vec!["attemptFailed", "retryScheduled"]));
    assert_eq!(run.report(task, holder(1), failed(true)), Ok(vec![]), "it is counted once");
    assert_eq!(run.report(task, holder(1), failed(false)), Err(Rejection::AlreadyDone));
    assert_eq!(run.report(task, holder(1), succeeded()), Err(Rejection::AlreadyDone));
    run.fire(TimerId::Retry { step: 0, direction: task.direction }).expect("taken");
    run.claim(perform(0, 2), holder(1)).expect("taken");
    assert_eq!(run.report(task, holder(1), failed(true)), Err(Rejection::Stale { newest_attempt: 2 }));
}

#[test]
fn reports_of_a_lost_task() {
    let mut run = held();
    let task = perform(0, 1);
    assert_eq!(run.lose(task), Ok(vec!["taskLost"]));
    assert_eq!(run.lose(task), Ok(vec![]));
    for report in [succeeded(), failed(true), TaskReport::HandedBack] {
        assert_eq!(run.report(task, holder(1), report), Err(Rejection::Lost));
    }
    run.claim(perform(0, 2), holder(2)).expect("taken");
    assert_eq!(run.report(task, holder(1), succeeded()), Err(Rejection::Stale { newest_attempt: 2 }));
    assert_eq!(run.lose(task), Ok(vec![]), "the newer attempt is not lost by that");
    assert_eq!(run.held().map(|held| held.task), Some(perform(0, 2)));
    assert_eq!(run.lose(perform(0, 3)), Err(Rejection::UnknownTask));
}

#[test]
fn a_task_that_was_handed_back() {
    let mut run = held();
    let task = perform(0, 1);
    assert_eq!(run.report(task, holder(1), TaskReport::HandedBack), Ok(vec!["taskLost"]));
    assert_eq!(run.report(task, holder(1), TaskReport::HandedBack), Ok(vec![]));
    assert_eq!(run.report(task, holder(1), succeeded()), Err(Rejection::AlreadyDone));
    // Draining is no reason to fail: it may happen more often than a task may be lost.
    for attempt in 2..8 {
        run.claim(perform(0, attempt), holder(2)).expect("taken");
        assert_eq!(run.report(perform(0, attempt), holder(2), TaskReport::HandedBack), Ok(vec!["taskLost"]));
    }
    assert_eq!(run.wanted().map(|wanted| wanted.task), Some(perform(0, 8)));
}

#[test]
fn a_task_that_is_lost_too_often() {
    let mut run = held();
    run.lose(perform(0, 1)).expect("taken");
    run.claim(perform(0, 2), holder(1)).expect("taken");
    let lost = Input::TaskLost { task: perform(0, 2), why: Loss::DelegateRestarted };
    assert_eq!(run.give(lost), Ok(vec!["taskLost", "givenUp", "rollbackStarted", "opened"]));
    assert_eq!(run.deployment.rollback_reason().map(|reason| reason.contains("lost 2 times")), Some(true));
}

#[test]
fn timers() {
    let mut run = Run::started(&[Waits, Changes]);
    let wait = TimerId::Wait { step: 0 };
    run.now_ms = 4_999;
    assert_eq!(run.give(Input::TimerFired(wait)), Err(Rejection::TooEarly { due_ms: 5_000 }));
    run.now_ms = 5_000;
    assert_eq!(run.give(Input::TimerFired(TimerId::Settle)), Ok(vec![]), "nothing is owed");
    assert_eq!(run.give(Input::TimerFired(wait)), Ok(vec!["waitEnded", "opened"]));
    assert_eq!(run.give(Input::TimerFired(wait)), Ok(vec![]));
    assert_eq!(run.give(Input::TimerFired(TimerId::Retry { step: 9, direction: undo(9, 1).direction })), Ok(vec![]));
}

#[test]
fn signals() {
    let mut run = held();
    assert_eq!(run.signal(Signal::RollBack), Ok(vec!["signalled"]), "the held task is waited for");
    assert_eq!(run.signal(Signal::RollBack), Ok(vec![]));
    assert_eq!(run.signal(Signal::Abort), Ok(vec!["signalled"]));
    assert_eq!(run.signal(Signal::Abort), Ok(vec![]));
    assert_eq!(run.signal(Signal::RollBack), Err(Rejection::Aborting));
    assert_eq!(run.cancel(), Some(perform(0, 1)));
    assert_eq!(run.report(perform(0, 1), holder(1), TaskReport::HandedBack), Ok(vec!["taskLost", "finished"]));
    assert_eq!(run.signal(Signal::Abort), Err(Rejection::Finished { outcome: Outcome::Aborted }));
}
