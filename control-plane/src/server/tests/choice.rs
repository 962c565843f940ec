//! Who gets a task: old delegates beside new ones, and those that reach AWS before those that do not.

use domain::{
    deployment::DeploymentStatus,
    discovery::{Answer, Findings, Subject},
    failure::{Failure, FailureKind},
    ids::DeploymentId,
    outcome::Outcome,
    step::{CloudWatchAlarms, InsufficientData, StepAction},
};

use super::{
    delegate::{Hello, Joined, Link},
    world::{World, long, plan},
};

/// A delegate that tells whether it reaches AWS.
fn asked(instance: u128) -> Hello {
    Hello { instance, questions: vec!["access".into()], ..Hello::default() }
}

/// A step that works in AWS.
fn alarms() -> StepAction {
    StepAction::CloudWatchAlarms(CloudWatchAlarms {
        alarms: vec!["errors".into()],
        hold_ms: 0,
        interval_ms: 1000,
        insufficient_data: InsufficientData::Good,
    })
}

/// A deployment of nothing else.
async fn watch_alarms(world: &World) -> DeploymentId {
    let mut plan = plan(&["watch"], &[]);
    plan.steps[0].action = alarms();
    world.dispatch().accept(plan, None).await.expect("is accepted")
}

/// Says that the cluster is there.
async fn reaches(link: &mut Link) {
    let (id, query) = link.asked().await;
    assert_eq!((query.subject, query.infrastructure.region.as_str()), (Subject::Access, "eu-west-1"));
    let answer = Answer {
        account: "123456789012".into(),
        identity: String::new(),
        region: "eu-west-1".into(),
        vpc: None,
        findings: Findings::Access { cluster: true },
    };
    link.answer(id, Ok(&answer)).await;
}

async fn refuses(link: &mut Link, kind: FailureKind) {
    let (id, _) = link.asked().await;
    link.answer(id, Err(&Failure::refused(kind, "AWS does not let this role in"))).await;
}

#[tokio::test]
async fn an_old_delegate_gets_what_it_knows_and_a_newer_one_what_this_control_plane_knows() {
    let world = World::start(long()).await;
    let (old, new) = (Joined::new(&world, "old").await, Joined::new(&world, "new").await);
    let knows = |kinds: &[&str]| Some(kinds.iter().map(|kind| (*kind).to_owned()).collect());
    let (mut old_link, _) = old.connect(&world, Hello { instance: 1, kinds: knows(&["note"]), ..Hello::default() }).await;
    let future = Hello {
        instance: 2,
        kinds: knows(&["cloudWatchAlarms", "teleport"]),
        questions: vec!["fate".into()],
        ..Hello::default()
    };
    let (mut new_link, _) = new.connect(&world, future).await;

    let mut plan = plan(&["a", "watch", "b"], &[]);
    plan.steps[1].action = alarms();
    let id = world.dispatch().accept(plan, None).await.expect("is accepted");
    for step in ["a", "watch", "b"] {
        let link = if step == "watch" { &mut new_link } else { &mut old_link };
        let assignment = link.assigned().await;
        assert_eq!(assignment.step_name, step);
        assert_eq!(link.succeed(assignment.task).await, "");
    }
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);

    // With the new one gone, what the old one does not know waits, and says why.
    new_link.goodbye().await;
    let id = watch_alarms(&world).await;
    let view = world.until(id, |view| matches!(view.status, DeploymentStatus::WaitingForDelegate { .. })).await;
    let DeploymentStatus::WaitingForDelegate { reasons } = view.status else { unreachable!("was looked for") };
    assert!(reasons.iter().any(|reason| reason.contains("does not know the step cloudWatchAlarms")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("Delegate new") && reason.contains("is not connected")), "{reasons:?}");
}

#[tokio::test]
async fn a_step_goes_to_a_delegate_that_reaches_aws_and_it_is_not_asked_twice() {
    let world = World::start(long()).await;
    let (cut_off, able) = (Joined::new(&world, "cut-off").await, Joined::new(&world, "able").await);
    let (mut one, _) = cut_off.connect(&world, asked(1)).await;
    let (mut two, _) = able.connect(&world, asked(2)).await;
    let id = watch_alarms(&world).await;
    refuses(&mut one, FailureKind::Connectivity).await;
    reaches(&mut two).await;
    let assignment = two.assigned().await;
    assert_eq!(two.succeed(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);

    let id = watch_alarms(&world).await;
    let assignment = two.assigned().await;
    assert_eq!(two.succeed(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);

    // A new session of it may be another process with other credentials: it is asked again.
    two.goodbye().await;
    let id = watch_alarms(&world).await;
    let view = world.until(id, |view| matches!(view.status, DeploymentStatus::WaitingForDelegate { .. })).await;
    let DeploymentStatus::WaitingForDelegate { reasons } = view.status else { unreachable!("was looked for") };
    assert!(reasons.iter().any(|reason| reason.contains("cannot work there: AWS does not let this role in")), "{reasons:?}");
    let (mut two, _) = able.connect(&world, asked(3)).await;
    reaches(&mut two).await;
    let assignment = two.assigned().await;
    assert_eq!(two.succeed(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn what_aws_refuses_to_every_delegate_there_is_fails_at_once_in_its_own_words() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "only").await;
    let (mut link, _) = joined.connect(&world, asked(1)).await;
    let id = watch_alarms(&world).await;
    refuses(&mut link, FailureKind::Authorization).await;
    let assignment = link.assigned().await;
    assert_eq!(link.fail(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::RolledBack);
}
