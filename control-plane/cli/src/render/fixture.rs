//! Deployments for the tests of rendering: fixed ids, fixed times.

use domain::{
    deployment::{AttemptView, DeploymentStatus, DeploymentView, StepState, StepView, UndoView},
    failure::{Effect, Failure, FailureKind, PeerAnswer},
    ids::{DelegateId, DeploymentId},
    outcome::Outcome,
    step::StepKind,
    task::Direction,
};

/// 2026-11-23 10:00:00 UTC.
pub const START_MS: i64 = 1_795_428_000_000;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

fn delegate(number: u8) -> DelegateId {
    id(&format!("dlg_000000000000000000000000000000{number:02}"))
}

const KINDS: [StepKind; 3] = [StepKind::BlueGreenLoadBalancerSetup, StepKind::UpgradeContainers, StepKind::SwapTargetGroups];

fn step(index: u32, kind: StepKind) -> StepView {
    StepView {
        index,
        name: kind.title().to_owned(),
        phase: "Phase 1".to_owned(),
        kind,
        state: StepState::Pending,
        started_at_ms: None,
        ended_at_ms: None,
        attempts: Vec::new(),
        failure: None,
        undo: None,
    }
}

fn attempt(direction: Direction, attempt: u32, ended: Option<&str>) -> AttemptView {
    AttemptView { direction, attempt, delegate: delegate(1), ended: ended.map(str::to_owned) }
}

fn deployment(status: DeploymentStatus) -> DeploymentView {
    DeploymentView {
        id: id::<DeploymentId>("dep_019a0000000070008000000000000001"),
        application: "shop".to_owned(),
        workflow: "todolist-blue-green".to_owned(),
        service: "todolist".to_owned(),
        environment: "prod".to_owned(),
        infrastructure: "prod-ecs".to_owned(),
        image: "harness/todolist-sample:2".to_owned(),
        tag: "2".to_owned(),
        triggered_by: "admin".to_owned(),
        created_at_ms: START_MS,
        finished_at_ms: None,
        status,
        steps: KINDS.into_iter().zip(0..).map(|(kind, index)| step(index, kind)).collect(),
        shifted: None,
        rolls_back: None,
        rolled_back_by: None,
        signals: Vec::new(),
        revision: 1,
    }
}

/// Three steps, those before `current` done, that one running.
pub fn running(current: u32) -> DeploymentView {
    let mut view = deployment(DeploymentStatus::Running);
    for step in view.steps.iter_mut().take_while(|step| step.index <= current) {
        let started = START_MS + 1_000 + i64::from(step.index) * 10_000;
        step.started_at_ms = Some(started);
        let over = step.index < current;
        step.state = if over { StepState::Succeeded } else { StepState::Running };
        step.ended_at_ms = over.then_some(started + 9_500);
        step.attempts = vec![attempt(Direction::Perform, 1, over.then_some("succeeded"))];
    }
    view
}

/// It waits: no delegate is eligible.
pub fn waiting() -> DeploymentView {
    let reasons = vec!["delegate-1 lacks the selector vpc-blue".to_owned(), "delegate-2 is not connected".to_owned()];
    deployment(DeploymentStatus::WaitingForDelegate { reasons })
}

/// All is well.
pub fn finished() -> DeploymentView {
    let mut view = running(3);
    view.status = DeploymentStatus::Finished { outcome: Outcome::Succeeded };
    view.finished_at_ms = Some(START_MS + 31_250);
    view
}

/// AWS refused the second step; everything was undone.
pub fn rolled_back() -> DeploymentView {
    let mut view = running(1);
    let failure = Failure {
        kind: FailureKind::Authorization,
        effect: Effect::DidNotHappen,
        transient: false,
        message: "The service ecs__blue__green__elb__7 could not be resized to 2.\nNothing was changed.".to_owned(),
        hint: Some("Allow ecs:UpdateService to the delegate's role.".to_owned()),
        answer: Some(Box::new(PeerAnswer {
            operation: "ecs:UpdateService".to_owned(),
            code: Some("AccessDeniedException".to_owned()),
            message: Some("User is not authorized\u{1b}[2J".to_owned()),
            request_id: Some("6a3c-1".to_owned()),
        })),
        dossier: None,
    };
    let failed = &mut view.steps[1];
    failed.state = StepState::Failed;
    failed.ended_at_ms = failed.started_at_ms.map(|started| started + 2_000);
    failed.attempts = vec![
        attempt(Direction::Perform, 1, Some("lost")),
        attempt(Direction::Perform, 2, Some("failed")),
        attempt(Direction::Undo, 1, Some("succeeded")),
    ];
    failed.failure = Some(failure);
    failed.undo = Some(UndoView { name: "Rollback Containers".to_owned(), state: StepState::Succeeded, failure: None });
    view.steps[0].undo = Some(UndoView { name: "Rollback Setup".to_owned(), state: StepState::Succeeded, failure: None });
    view.steps[0].attempts.push(attempt(Direction::Undo, 1, Some("succeeded")));
    view.steps[2].state = StepState::Skipped;
    view.status = DeploymentStatus::Finished { outcome: Outcome::RolledBack };
    view.finished_at_ms = Some(START_MS + 20_000);
    view
}

/// The same, but one undo failed.
pub fn needs_operator() -> DeploymentView {
    let mut view = rolled_back();
    let remains =
        "Rollback Setup failed: the service ecs__blue__green__elb__7 may still stand in the cluster docs-ecs".to_owned();
    view.status = DeploymentStatus::Finished { outcome: Outcome::NeedsOperator(vec![remains]) };
    view.steps[0].undo = Some(UndoView {
        name: "Rollback Setup".to_owned(),
        state: StepState::Failed,
        failure: Some(Failure::uncertain(FailureKind::Timeout, "No answer to ecs:DeleteService within 60 s")),
    });
    view
}
