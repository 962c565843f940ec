//! No lease, no write.

use std::time::Duration;

use domain::task::TaskReport;
use tokio::{sync::mpsc, time::Instant};

use super::{
    gateway::in_time,
    world::{TASK, World, assign, done, report_ack},
};
use crate::lease::SAFETY;

const LEASE: Duration = Duration::from_millis(1_500);
const BUDGET: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_step_may_write_while_heartbeats_are_answered_and_not_after() {
    let mut world = World::new().await;
    let (asked, mut answers) = mpsc::channel(1);
    let delegate = world.joining(move |_, hooks| {
        let asked = asked.clone();
        Box::pin(async move {
            loop {
                let permit = hooks.permit.acquire(BUDGET).await;
                asked.send((permit.clone(), Instant::now())).await.expect("the test listens");
                if let Err(failure) = permit {
                    return TaskReport::Failed { failure };
                }
            }
        })
    });
    let mut session = world.gateway.session().await;
    session.welcome(LEASE.as_millis().try_into().expect("short"), 50, &[]).await;
    session.say(assign(TASK, 3)).await;
    for _ in 0..3 {
        assert_eq!(in_time("a permit", answers.recv()).await.expect("asked").0, Ok(()));
        session.heartbeat_with(|heartbeat| heartbeat.tasks == [TASK]).await;
    }
    // The control plane is cut off: the delegate comes back, and nobody says welcome.
    drop(session);
    let cut_off = Instant::now();
    let mut last = cut_off;
    let failure = loop {
        match in_time("an answer", answers.recv()).await.expect("asked") {
            (Ok(()), at) => last = at,
            (Err(failure), _) => break failure,
        }
    };
    assert!(failure.message.contains("no lease came") && failure.transient, "{failure:?}");
    assert!(last <= cut_off + LEASE - BUDGET - SAFETY, "a permit {:?} after the last heartbeat was answered", last - cut_off);
    // Welcome again: the report tells why the step gave up.
    let mut session = world.gateway.connected().await;
    assert_eq!(session.report(TASK).await, TaskReport::Failed { failure });
    session.say(report_ack(TASK)).await;
    drop(session);
    delegate.stopped().await;
}

#[tokio::test]
async fn a_step_that_waits_for_a_lease_gets_one_when_the_control_plane_is_back() {
    let mut world = World::new().await;
    let delegate = world.joining(|_, hooks| {
        Box::pin(async move {
            // Longer than what is left of a lease that is never renewed.
            for _ in 0..3 {
                if let Err(failure) = hooks.permit.acquire(Duration::from_millis(1_300)).await {
                    return TaskReport::Failed { failure };
                }
                tokio::time::timeout(Duration::from_millis(300), hooks.cancel.cancelled()).await.expect_err("nobody cancels");
            }
            done()
        })
    });
    let mut session = world.gateway.session().await;
    session.welcome(2_000, 1_900, &[]).await;
    session.say(assign(TASK, 60)).await;
    // A waiting write asks for a heartbeat at once, long before the next one is due.
    session.heartbeat_with(|_| true).await;
    drop(session);
    let mut session = world.gateway.session().await;
    session.welcome(2_000, 1_900, &[]).await;
    assert_eq!(session.report(TASK).await, done());
    session.say(report_ack(TASK)).await;
    drop(session);
    delegate.stopped().await;
}
