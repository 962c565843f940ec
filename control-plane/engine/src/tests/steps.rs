//! The ordinary course: steps one after another, what a task is given, and how it is shown.

use domain::{
    deployment::{DeploymentStatus, StepState},
    outcome::Outcome,
    step::{StepKind, StepOutput, UpgradeOutput},
    task::{Direction, TaskReport},
};

use super::run::{Run, failed, perform, succeeded, undo};
use crate::{
    assignment::assignment,
    fixture::{
        Shape::{Changes, Looks, Waits},
        checkpoint, holder,
    },
    input::Input,
    next::{Next, TimerId, next},
    view::view,
};

fn upgraded(service: &str) -> StepOutput {
    StepOutput::Upgrade(UpgradeOutput { service: service.to_owned(), desired_count: 2, addresses: Vec::new() })
}

#[test]
fn steps_run_one_after_another_to_success() {
    let mut run = Run::started(&[Changes, Waits, Looks]);
    let wanted = run.wanted().expect("the first step's task");
    assert_eq!((wanted.task, wanted.kind, wanted.preferred), (perform(0, 1), StepKind::UpgradeContainers, None));
    assert_eq!(run.succeed_next(), ["succeeded", "opened"]);

    assert_eq!(run.wanted(), None, "a wait occupies nobody");
    assert_eq!(run.timers().len(), 1);
    assert_eq!(run.fire(TimerId::Wait { step: 1 }), Ok(vec!["waitEnded", "opened"]));
    assert_eq!(run.now_ms, 5_000);

    let wanted = run.wanted().expect("the last step's task");
    assert_eq!((wanted.task, wanted.preferred), (perform(2, 1), Some(holder(1).delegate)));
    assert_eq!(run.succeed_next(), ["succeeded", "finished"]);
    assert_eq!(next(&run.deployment), Next::Finished(Outcome::Succeeded));

    let shown = view(&run.deployment, None);
    assert_eq!(shown.status, DeploymentStatus::Finished { outcome: Outcome::Succeeded });
    assert!(shown.steps.iter().all(|step| step.state == StepState::Succeeded && step.undo.is_none()));
    assert_eq!(shown.revision, run.journal.len() as u64);
}

#[test]
fn a_task_gets_what_earlier_steps_and_attempts_left() {
    let mut run = Run::started(&[Changes, Changes]);
    let first = run.claim_next();
    let given = assignment(&run.deployment, first).expect("it is held");
    assert!(!given.resumed && given.earlier.is_empty() && given.checkpoints.is_empty());
    assert_eq!((given.step_name.as_str(), given.timeout_seconds), ("step 0", 10));
    run.report(first, holder(1), TaskReport::Succeeded { output: upgraded("one") }).expect("taken");
    assert_eq!(assignment(&run.deployment, first), None, "it is over");

    let second = run.claim_next();
    run.checkpoint(second, holder(1), 0, "a").expect("taken");
    run.checkpoint(second, holder(1), 1, "b").expect("taken");
    run.now_ms = 4_000;
    run.lose(second).expect("taken");
    assert_eq!(run.claim(perform(1, 2), holder(2)), Ok(vec!["claimed"]));
    let given = assignment(&run.deployment, perform(1, 2)).expect("it is held");
    assert!(given.resumed);
    assert_eq!(given.checkpoints, [checkpoint("a"), checkpoint("b")]);
    assert_eq!(given.timeout_seconds, 6, "the limit counts over all attempts");
    assert_eq!(given.earlier.len(), 1);
    assert_eq!((given.earlier[0].name.as_str(), &given.earlier[0].output), ("step 0", &upgraded("one")));

    run.checkpoint(perform(1, 2), holder(2), 0, "c").expect("a new attempt counts from 0");
    run.report(perform(1, 2), holder(2), failed(false)).expect("taken");
    assert_eq!(run.claim(undo(1, 1), holder(2)), Ok(vec!["claimed"]));
    run.checkpoint(undo(1, 1), holder(2), 0, "d").expect("taken");
    run.lose(undo(1, 1)).expect("taken");
    assert_eq!(run.claim(undo(1, 2), holder(3)), Ok(vec!["claimed"]));
    let given = assignment(&run.deployment, undo(1, 2)).expect("it is held");
    assert_eq!(given.checkpoints, ["a", "b", "c", "d"].map(checkpoint));
    assert_eq!((given.step_name.as_str(), given.resumed), ("Rollback Containers", true));
    assert_eq!(given.earlier.len(), 1, "only what succeeded");

    run.report(undo(1, 2), holder(3), succeeded()).expect("taken");
    assert_eq!(run.claim(undo(0, 1), holder(3)), Ok(vec!["claimed"]));
    let given = assignment(&run.deployment, undo(0, 1)).expect("it is held");
    assert!(given.resumed, "an undo always looks first");
    assert_eq!(given.earlier[0].output, upgraded("one"), "its own output too");
}

#[test]
fn the_view_says_why_nobody_works() {
    let mut run = Run::started(&[Changes]);
    let reasons = vec!["no delegate is connected".to_owned()];
    let shown = view(&run.deployment, Some(reasons.clone()));
    assert_eq!(shown.status, DeploymentStatus::WaitingForDelegate { reasons: reasons.clone() });
    assert_eq!(shown.steps[0].state, StepState::Wanted);

    let task = run.claim_next();
    let shown = view(&run.deployment, Some(reasons));
    assert_eq!((shown.status, shown.steps[0].state), (DeploymentStatus::Running, StepState::Running));
    assert_eq!(shown.steps[0].attempts[0].ended, None);

    run.report(task, holder(1), failed(true)).expect("taken");
    let shown = view(&run.deployment, None);
    assert_eq!(shown.steps[0].state, StepState::WaitingToRetry);
    assert_eq!(shown.steps[0].attempts[0].ended.as_deref(), Some("failed (connectivity)"));
    assert_eq!(shown.steps[0].failure.as_ref().map(|failure| failure.message.as_str()), Some("the call failed"));
}

#[test]
fn a_step_that_was_retried_into_success_shows_no_failure() {
    let mut run = Run::started(&[Changes, Looks]);
    let task = run.claim_next();
    assert_eq!(run.report(task, holder(1), failed(true)), Ok(vec!["attemptFailed", "retryScheduled"]));
    assert_eq!(run.wanted(), None);
    let retry = TimerId::Retry { step: 0, direction: Direction::Perform };
    assert_eq!(run.timer(retry), Some(100));
    assert!(run.give(Input::TimerFired(retry)).is_err(), "not before it is due");
    assert_eq!(run.fire(retry), Ok(vec!["retryDue"]));
    assert_eq!(run.succeed_next(), ["succeeded", "opened"]);
    let shown = view(&run.deployment, None);
    assert_eq!((shown.steps[0].state, shown.steps[0].failure.clone()), (StepState::Succeeded, None));
    assert_eq!(shown.steps[0].attempts.len(), 2);
    assert_eq!(shown.steps[1].state, StepState::Wanted);
}
