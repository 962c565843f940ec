//! Tasks on their way: assigned, reported, acknowledged, repeated.

use domain::signal::Signal;
use domain::{
    deployment::DeploymentStatus,
    discovery::{Answer, Findings, Query, Subject},
    ids::QueryId,
    outcome::Outcome,
    step::Checkpoint,
    task::TaskReport,
};
use proto::delegate::from_delegate;
use uuid::Uuid;

use super::{
    delegate::{Hello, Joined},
    world::{LIMIT, World, long, plan},
};

fn hello(instance: u128) -> Hello {
    Hello { instance, ..Hello::default() }
}

fn fact() -> Checkpoint {
    Checkpoint::TaskDefinitionRegistered { arn: "arn:1".into(), revision: 1 }
}

#[tokio::test]
async fn steps_go_to_the_delegate_one_after_another_until_the_end() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, revoked) = joined.connect(&world, hello(1)).await;
    assert!(revoked.is_empty());
    let id = world.deploy(&["a", "b", "c"]).await;
    for step in ["a", "b", "c"] {
        let assignment = link.assigned().await;
        assert_eq!((assignment.step_name.as_str(), assignment.task.attempt), (step, 1));
        assert_eq!(world.dispatch().leases.held_by(joined.id), [assignment.task]);
        assert_eq!(link.succeed(assignment.task).await, "");
    }
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
    assert!(world.dispatch().leases.held_by(joined.id).is_empty());
}

#[tokio::test]
async fn what_is_said_twice_counts_once_and_what_is_not_ones_own_is_refused() {
    let world = World::start(long()).await;
    let (one, two) = (Joined::new(&world, "one").await, Joined::new(&world, "two").await);
    let (mut link, _) = one.connect(&world, hello(1)).await;
    let id = world.deploy(&["a", "b"]).await;
    let task = link.assigned().await.task;
    let (mut stranger, _) = two.connect(&world, hello(2)).await;
    assert!(stranger.succeed(task).await.contains("held by"), "another delegate's task");
    assert!(stranger.checkpoint(task, 0, &fact()).await.contains("held by"));
    assert_eq!(link.checkpoint(task, 0, &fact()).await, "");
    let revision = world.dispatch().view(id).await.expect("a view").revision;
    assert_eq!(link.checkpoint(task, 0, &fact()).await, "");
    assert_eq!(world.dispatch().view(id).await.expect("a view").revision, revision, "a repeated checkpoint adds nothing");
    assert_eq!(link.succeed(task).await, "");
    let revision = world.dispatch().view(id).await.expect("a view").revision;
    assert_eq!(link.succeed(task).await, "", "the same report again is acknowledged");
    assert_eq!(world.dispatch().view(id).await.expect("a view").revision, revision, "and adds nothing");
    assert_ne!(link.fail(task).await, "", "another report of the same task is refused");
    let task = link.assigned().await.task;
    assert_eq!(task.step, 1);
    assert_eq!(link.succeed(task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
    assert_eq!(link.succeed(task).await, "", "also after the end");
}

#[tokio::test]
async fn nobody_eligible_says_why_and_goes_on_when_somebody_comes() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let id = world.dispatch().accept(plan(&["a"], &["blue"]), None).await.expect("is accepted");
    let reasons = |view: &domain::deployment::DeploymentView| match &view.status {
        DeploymentStatus::WaitingForDelegate { reasons } => reasons.join("\n"),
        _ => String::new(),
    };
    world.until(id, |view| reasons(view).contains("Delegate one") && reasons(view).contains("is not connected")).await;
    let (link, _) = joined.connect(&world, hello(1)).await;
    world.until(id, |view| reasons(view).contains("does not bear the selector blue")).await;
    drop(link);
    let blue = Hello { selectors: vec!["blue".into()], draining: true, ..hello(2) };
    let (mut link, _) = joined.connect(&world, blue).await;
    world.until(id, |view| reasons(view).contains("is draining")).await;
    link.beat(false).await;
    let task = link.assigned().await.task;
    assert_eq!(link.succeed(task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn one_deployment_at_a_time_on_a_line_in_the_order_of_acceptance() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    let first = plan(&["a"], &[]);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut next = plan(&["a"], &[]);
        next.line = first.line.clone();
        ids.push(world.dispatch().accept(next, None).await.expect("is accepted"));
    }
    let queued = world.dispatch().view(ids[1]).await.expect("a view");
    assert_eq!(queued.status, DeploymentStatus::Queued { behind: Some(ids[0]) });
    let aborted = world.dispatch().signal(ids[1], "me".into(), Signal::Abort, None, None).await.expect("is aborted");
    assert_eq!(aborted.status, DeploymentStatus::Finished { outcome: Outcome::Aborted });
    for id in [ids[0], ids[2]] {
        let task = link.assigned().await.task;
        assert_eq!(task.deployment, id);
        assert_eq!(link.succeed(task).await, "");
        assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
    }
}

#[tokio::test]
async fn an_abort_tells_the_delegate_to_stop_and_waits_for_it() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    let id = world.deploy(&["a", "b"]).await;
    let task = link.assigned().await.task;
    world.dispatch().signal(id, "me".into(), Signal::Abort, None, None).await.expect("is taken");
    assert_eq!(link.cancelled().await, task.to_string());
    assert_eq!(link.fail(task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Aborted);
}

#[tokio::test]
async fn a_report_that_cannot_be_understood_ends_the_task_as_failed() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    let id = world.deploy(&["a"]).await;
    let task = link.assigned().await.task.to_string();
    link.say(from_delegate::Message::Report(proto::delegate::Report { task, report_json: "{}".into() })).await;
    assert_eq!(world.until_finished(id).await, Outcome::RolledBack);
}

#[tokio::test]
async fn a_task_that_is_handed_back_goes_to_another_delegate() {
    let world = World::start(long()).await;
    let (one, two) = (Joined::new(&world, "one").await, Joined::new(&world, "two").await);
    let (mut first, _) = one.connect(&world, hello(1)).await;
    let id = world.deploy(&["a"]).await;
    let task = first.assigned().await.task;
    let (mut second, _) = two.connect(&world, hello(2)).await;
    first.beat(true).await;
    assert_eq!(first.checkpoint(task, 0, &fact()).await, "");
    assert_eq!(first.report(task, TaskReport::HandedBack).await, "");
    let assignment = second.assigned().await;
    assert_eq!((assignment.task.attempt, assignment.resumed), (2, true));
    assert_eq!(assignment.checkpoints, [fact()]);
    assert!(first.succeed(task).await.contains("attempt 2"), "the first is told that it lost the task");
    assert_eq!(second.succeed(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn a_question_is_answered_by_the_delegate_that_was_asked() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    let infrastructure = plan(&["a"], &[]).infrastructure;
    let query = Query { infrastructure, subject: Subject::LoadBalancers { name_contains: None } };
    let answer = Answer {
        account: "1".into(),
        identity: "arn:me".into(),
        region: "eu-west-1".into(),
        vpc: None,
        findings: Findings::LoadBalancers(Vec::new()),
    };
    let dispatch = world.dispatch().clone();
    let need = crate::dispatch::Need { kind: None, selectors: &[], application: "shop", environment: "prod", reach: None };
    let session = dispatch.eligible(need).expect("is eligible");
    let asked = dispatch.queries.ask(&session, QueryId::new(Uuid::now_v7()), &query, LIMIT);
    let answering = async {
        let (asked, _) = link.asked().await;
        link.answer(asked, Ok(&answer)).await;
    };
    let (answered, ()) = tokio::join!(asked, answering);
    assert_eq!(answered.expect("an answer"), answer);
}
