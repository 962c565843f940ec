//! Which plans are taken, and how a deployment begins.

use std::sync::Arc;

use super::run::Run;
use domain::signal::Signal;

use crate::{
    decide::create,
    fixture::{
        Shape::{Changes, Waits},
        plan,
    },
    input::Input,
    next::{Next, next},
    plan::InvalidPlan,
    rejection::Rejection,
    state::{Deployment, ReplayError},
    view::view,
};

#[test]
fn a_plan_that_cannot_be_carried_out_is_refused() {
    let with = |change: fn(&mut crate::plan::Plan)| {
        let mut changed = plan(&[Changes, Waits]).as_ref().clone();
        change(&mut changed);
        create(Arc::new(changed), 0).expect_err("refused")
    };
    assert_eq!(with(|plan| plan.steps.clear()), Rejection::InvalidPlan(InvalidPlan::NoSteps));
    assert_eq!(
        with(|plan| plan.steps[1].name = "step 0".to_owned()),
        Rejection::InvalidPlan(InvalidPlan::SameName("step 0".to_owned()))
    );
    assert_eq!(with(|plan| plan.steps[0].timeout_seconds = 0), Rejection::InvalidPlan(InvalidPlan::NoTime("step 0".to_owned())));
}

#[test]
fn a_deployment_waits_for_its_turn_and_nothing_runs_before_it() {
    let mut run = Run::queued(&[Changes]);
    assert_eq!(next(&run.deployment), Next::Queued);
    assert_eq!(run.give(Input::Create(plan(&[Changes]))), Ok(vec![]));
    assert_eq!(run.give(Input::Create(plan(&[Changes, Changes]))), Err(Rejection::AlreadyCreated));
    assert_eq!(run.claim(super::run::perform(0, 1), crate::fixture::holder(1)), Err(Rejection::NotWanted));
    assert_eq!(view(&run.deployment, None).status, domain::deployment::DeploymentStatus::Queued { behind: None });

    run.now_ms = 70;
    assert_eq!(run.give(Input::Start), Ok(vec!["started", "opened"]));
    assert_eq!(run.give(Input::Start), Ok(vec![]));
    // The limit counts from the step's turn, not from the queue.
    assert_eq!(run.timers()[0].due_ms, 70 + 70_000);
}

#[test]
fn a_deployment_can_be_stopped_while_it_is_queued() {
    let mut aborted = Run::queued(&[Changes]);
    assert_eq!(aborted.signal(Signal::Abort), Ok(vec!["signalled", "finished"]));
    assert_eq!(aborted.give(Input::Start), Ok(vec![]));

    let mut rolled_back = Run::queued(&[Changes]);
    assert_eq!(rolled_back.signal(Signal::RollBack), Ok(vec!["signalled", "rollbackStarted", "finished"]));
}

#[test]
fn a_journal_that_is_none_is_refused() {
    let run = Run::started(&[Changes]);
    assert_eq!(Deployment::replay(&run.journal[..0]), Err(ReplayError::Empty));
    assert_eq!(Deployment::replay(&run.journal[1..]), Err(ReplayError::NotCreated("started")));
    let twice: Vec<_> = run.journal.iter().chain(&run.journal[1..2]).collect();
    let error = Deployment::replay(twice).expect_err("started twice");
    assert_eq!(error.to_string(), "event 4 (started) does not fit: it has started before");
}
