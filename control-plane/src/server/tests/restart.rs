//! A control plane that is started again on the same store, and one whose store takes nothing.

use domain::outcome::Outcome;
use proto::api::{InfoRequest, server_client::ServerClient};

use super::{
    delegate::{Hello, Joined},
    world::{World, long, plan, short},
};
use crate::dispatch::{AcceptKey, DispatchError};

fn hello(instance: u128) -> Hello {
    Hello { instance, ..Hello::default() }
}

#[tokio::test]
async fn a_restart_moves_and_loses_nothing() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    let id = world.deploy(&["a", "b"]).await;
    let mut later = plan(&["a"], &[]);
    later.line = "same".into();
    let mut last = plan(&["a"], &[]);
    last.line = "same".into();
    let (later, last) = (
        world.dispatch().accept(later, None).await.expect("is accepted"),
        world.dispatch().accept(last, None).await.expect("is accepted"),
    );
    let task = link.assigned().await.task;
    assert_eq!(link.succeed(task).await, "");
    let mut held = vec![link.assigned().await.task, link.assigned().await.task];
    held.sort();
    let world = world.restart().await;
    assert_eq!(link.ended().await.code(), tonic::Code::Unavailable);
    let before = world.dispatch().view(id).await.expect("is there");
    assert_eq!(before.steps[1].attempts.len(), 1, "a restart is no reason to move anything");
    let (mut link, revoked) = joined.connect(&world, Hello { tasks: held.clone(), ..hello(1) }).await;
    assert!(revoked.is_empty());
    for task in held {
        assert_eq!(link.succeed(task).await, "");
    }
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
    assert_eq!(world.until_finished(later).await, Outcome::Succeeded);
    let task = link.assigned().await.task;
    assert_eq!(task.deployment, last, "the queue is as it was");
    assert_eq!(link.succeed(task).await, "");
    assert_eq!(world.until_finished(last).await, Outcome::Succeeded);
    let newest = world.dispatch().newest(Some("shop"), 2).await.expect("are listed");
    assert_eq!(newest.iter().map(|view| view.id).collect::<Vec<_>>(), [last, later]);
    assert!(world.dispatch().newest(Some("other"), 2).await.expect("are listed").is_empty());
}

#[tokio::test]
async fn a_delegate_that_does_not_come_back_after_a_restart_loses_its_task() {
    let world = World::start(short()).await;
    let (one, two) = (Joined::new(&world, "one").await, Joined::new(&world, "two").await);
    let (mut link, _) = one.connect(&world, hello(1)).await;
    let id = world.deploy(&["a"]).await;
    link.assigned().await;
    let world = world.restart().await;
    let (mut other, _) = two.connect(&world, hello(2)).await;
    let assignment = loop {
        tokio::select! {
            assignment = other.assigned() => break assignment,
            () = tokio::time::sleep(short().heartbeat) => {}
        }
        other.beat(false).await;
    };
    assert_eq!(assignment.task.attempt, 2);
    assert_eq!(other.succeed(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn the_same_request_twice_is_one_deployment() {
    let world = World::start(long()).await;
    let key = || Some(AcceptKey::new("me", "k"));
    let (first, second) =
        tokio::join!(world.dispatch().accept(plan(&["a"], &[]), key()), world.dispatch().accept(plan(&["a"], &[]), key()));
    let first = first.expect("is accepted");
    assert_eq!(second.expect("is the same"), first);
    let world = world.restart().await;
    assert_eq!(world.dispatch().accept(plan(&["a"], &[]), key()).await.expect("is the same"), first);
    let other = world.dispatch().accept(plan(&["a"], &[]), Some(AcceptKey::new("you", "k"))).await.expect("is accepted");
    assert_ne!(other, first);
}

#[tokio::test]
async fn a_store_that_takes_nothing_takes_no_work_and_says_so() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    let id = world.deploy(&["a", "b"]).await;
    let task = link.assigned().await.task;
    world.store.fail_writes("the disk is full");
    let refused = world.dispatch().accept(plan(&["a"], &[]), None).await.expect_err("takes nothing");
    assert!(matches!(&refused, DispatchError::Unavailable(why) if why.contains("the disk is full")), "{refused}");
    let mut server = ServerClient::new(world.api().await);
    let info = server.info(world.request(InfoRequest {})).await.expect("answers").into_inner();
    assert!(!info.writable && info.reason.contains("the disk is full"));
    // A report that can't be recorded is not acknowledged: the delegate has to come again with it.
    let report = proto::delegate::Report { task: task.to_string(), report_json: r#"{"handedBack":null}"#.into() };
    link.say(proto::delegate::from_delegate::Message::Report(report)).await;
    assert_eq!(link.ended().await.code(), tonic::Code::Unavailable);
    let view = world.dispatch().view(id).await.expect("can be read");
    assert_eq!(view.steps[0].attempts[0].ended, None);
}
