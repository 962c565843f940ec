//! What becomes of tasks when delegates are lost, come back, or leave.

use std::time::Instant;

use domain::outcome::Outcome;

use super::{
    delegate::{Hello, Joined},
    world::{World, long, short},
};

fn hello(instance: u128) -> Hello {
    Hello { instance, ..Hello::default() }
}

#[tokio::test]
async fn a_task_of_a_silent_delegate_is_handed_on_after_its_lease_and_not_before() {
    let world = World::start(short()).await;
    let (one, two) = (Joined::new(&world, "one").await, Joined::new(&world, "two").await);
    let (mut silent, _) = one.connect(&world, hello(1)).await;
    let id = world.deploy(&["a"]).await;
    let lost = silent.assigned().await.task;
    silent.beat(false).await;
    let renewed = Instant::now();
    // From here on the first one says nothing, and its stream stays open.
    let (mut other, _) = two.connect(&world, hello(2)).await;
    let assignment = loop {
        tokio::select! {
            assignment = other.assigned() => break assignment,
            () = tokio::time::sleep(short().heartbeat) => {}
        }
        other.beat(false).await;
    };
    assert!(renewed.elapsed() >= short().lease + short().margin, "{:?}", renewed.elapsed());
    assert_eq!((assignment.task.step, assignment.task.attempt, assignment.resumed), (0, 2, true));
    // The first wakes up: its heartbeat does not renew a lease that ran out, and its hello tells it what it lost.
    silent.say(heartbeat()).await;
    assert_eq!(silent.ended().await.code(), tonic::Code::FailedPrecondition);
    let (mut silent, revoked) = one.connect(&world, Hello { tasks: vec![lost], ..hello(1) }).await;
    assert_eq!(revoked, [lost.to_string()]);
    assert!(silent.succeed(lost).await.contains("attempt 2"));
    assert_eq!(other.succeed(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

fn heartbeat() -> proto::delegate::from_delegate::Message {
    let heartbeat = proto::delegate::Heartbeat { number: 99, ..proto::delegate::Heartbeat::default() };
    proto::delegate::from_delegate::Message::Heartbeat(heartbeat)
}

#[tokio::test]
async fn a_goodbye_hands_on_at_once() {
    let world = World::start(long()).await;
    let (one, two) = (Joined::new(&world, "one").await, Joined::new(&world, "two").await);
    let (mut first, _) = one.connect(&world, hello(1)).await;
    let id = world.deploy(&["a"]).await;
    first.assigned().await;
    let (mut second, _) = two.connect(&world, hello(2)).await;
    first.goodbye().await;
    let assignment = second.assigned().await;
    assert_eq!(assignment.task.attempt, 2);
    assert_eq!(second.succeed(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn a_broken_stream_loses_nothing_within_the_lease() {
    let world = World::start(long()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    let id = world.deploy(&["a"]).await;
    let task = link.assigned().await.task;
    drop(link);
    // It comes back and lists the task: it keeps it.
    let (link, revoked) = joined.connect(&world, Hello { tasks: vec![task], ..hello(1) }).await;
    assert!(revoked.is_empty());
    drop(link);
    // It comes back and does not know the task: the assignment was lost with the stream, and is sent again.
    let (mut link, _) = joined.connect(&world, hello(1)).await;
    assert_eq!(link.assigned().await.task, task);
    assert_eq!(link.succeed(task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn a_new_process_of_the_same_delegate_waits_for_the_old_ones_lease() {
    let world = World::start(short()).await;
    let joined = Joined::new(&world, "one").await;
    let (mut old, _) = joined.connect(&world, hello(1)).await;
    let id = world.deploy(&["a"]).await;
    let lost = old.assigned().await.task;
    old.beat(false).await;
    let renewed = Instant::now();
    drop(old);
    let (mut new, revoked) = joined.connect(&world, Hello { tasks: vec![lost], ..hello(2) }).await;
    assert_eq!(revoked, [lost.to_string()], "what the old process held is not the new one's");
    let assignment = loop {
        tokio::select! {
            assignment = new.assigned() => break assignment,
            () = tokio::time::sleep(short().heartbeat) => {}
        }
        new.beat(false).await;
    };
    assert!(renewed.elapsed() >= short().lease + short().margin);
    assert_eq!(assignment.task.attempt, 2);
    assert_eq!(new.succeed(assignment.task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}
