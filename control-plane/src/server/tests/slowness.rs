//! A store that is slow, and a control plane that may be cut off: neither makes anybody look dead.

use std::{sync::Arc, time::Duration};

use domain::{
    ids::InstanceId,
    outcome::Outcome,
    step::StepOutput,
    task::{TaskKey, TaskReport},
};
use proto::{
    convert::document::to_json,
    delegate::{self, from_delegate},
};
use runtime::clock::{Clock, ManualClock, SystemClock};

use uuid::Uuid;

use super::{
    delegate::{Hello, Joined, Link},
    world::{World, long, short},
};
use crate::dispatch::{HandOver, LeaseTerms};

fn hello(instance: u128) -> Hello {
    Hello { instance, ..Hello::default() }
}

/// Every commit takes longer than three leases.
#[tokio::test]
async fn a_slow_store_ends_no_lease_and_no_session() {
    let world = World::start(short()).await;
    let (one, two) = (Joined::new(&world, "one").await, Joined::new(&world, "two").await);
    let (mut first, _) = one.connect(&world, hello(1)).await;
    let id = world.deploy(&["a", "b"]).await;
    let task = first.assigned().await.task;
    let (mut second, _) = two.connect(&world, Hello { draining: true, ..hello(2) }).await;
    world.store.hold_flushes();
    let report_json = to_json(&TaskReport::Succeeded { output: StepOutput::Nothing });
    first.say(from_delegate::Message::Report(delegate::Report { task: task.to_string(), report_json })).await;
    // Heartbeats come through while the report waits: they wait for no commit.
    for _ in 0..16 {
        tokio::time::sleep(short().heartbeat).await;
        first.beat(false).await;
        second.beat(true).await;
    }
    assert_eq!(world.dispatch().sessions.count(), 2);
    assert!(!first.was_acknowledged(task), "a report is taken when it is durable");
    world.store.release_flushes();
    let next = first.assigned().await.task;
    assert_eq!((next.step, next.attempt), (1, 1));
    assert_eq!(first.succeed(next).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

/// Four of four fall silent: their tasks wait for them longer than a lease, and they come back to them.
#[tokio::test]
async fn when_all_fall_silent_at_once_nothing_is_handed_on_until_they_had_time_to_come_back() {
    let clock = ManualClock::new(SystemClock::new().now_ms());
    let terms = LeaseTerms { lease: Duration::from_secs(10), ..long() };
    let world = World::start_by(Arc::new(clock.clone()), terms).await;
    let mut joined: Vec<(Joined, Link)> = Vec::new();
    for number in 1..=4 {
        let delegate = Joined::new(&world, &format!("delegate-{number}")).await;
        let (link, _) = delegate.connect(&world, hello(number)).await;
        joined.push((delegate, link));
    }
    let id = world.deploy(&["a"]).await;
    let (holder, task) = tokio::select! {
        task = given(&mut joined) => task,
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("nobody was given the task"),
    };
    // Past the lease and its margin, by steps that a control plane which was not held up itself takes. A fifth delegate is there.
    let fifth = Joined::new(&world, "delegate-5").await;
    let (mut other, _) = fifth.connect(&world, hello(5)).await;
    for _ in 0..4 {
        clock.advance(Duration::from_secs(3));
        world.dispatch().leases.pulse(clock.monotonic());
        other.beat(false).await;
    }
    let instance = InstanceId::new(Uuid::from_u128(holder));
    let until = world.dispatch().leases.hand_over(instance, clock.monotonic());
    assert!(matches!(until, HandOver::NotBefore(_)), "{until:?}");
    let back = usize::try_from(holder - 1).expect("a position");
    let (delegate, _) = joined.swap_remove(back);
    let (mut link, revoked) = delegate.connect(&world, Hello { tasks: vec![task], ..hello(holder) }).await;
    assert!(revoked.is_empty(), "its task waited for it: {revoked:?}");
    assert_eq!(link.succeed(task).await, "");
    assert_eq!(world.until_finished(id).await, Outcome::Succeeded);
}

/// Who was given a task, by its instance's number, and which.
async fn given(joined: &mut [(Joined, Link)]) -> (u128, TaskKey) {
    loop {
        for (position, (_, link)) in joined.iter_mut().enumerate() {
            let soon = tokio::time::timeout(Duration::from_millis(20), link.assigned()).await;
            if let Ok(assignment) = soon {
                return (position as u128 + 1, assignment.task);
            }
        }
    }
}
