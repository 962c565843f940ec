//! Lost connections: nothing is lost with them, nothing is done twice.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use domain::{failure::Failure, step::Checkpoint, task::TaskReport};
use proto::delegate::{Cancel, to_delegate::Message as Down};
use tokio::sync::{Notify, mpsc};

use super::world::{TASK, World, assign, checkpoint_ack, done, report_ack};

fn fact() -> Checkpoint {
    Checkpoint::DownsizeStarted { service: "s".into(), from: 2 }
}

#[tokio::test]
async fn a_task_is_done_once_and_its_report_is_sent_until_it_is_acknowledged() {
    let mut world = World::new().await;
    let performed = Arc::new(AtomicU32::new(0));
    let counter = performed.clone();
    let delegate = world.joining(move |_, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { done() })
    });
    let mut session = world.gateway.connected().await;
    session.say(assign(TASK, 60)).await;
    session.say(assign(TASK, 60)).await;
    assert_eq!(session.report(TASK).await, done());
    drop(session);

    world.gateway.restart().await;
    let mut session = world.gateway.session().await;
    let hello = session.welcome(10_000, 100, &[]).await;
    assert_eq!(hello.tasks, [TASK]);
    assert_eq!(session.report(TASK).await, done());
    session.say(report_ack(TASK)).await;
    session.heartbeat_with(|heartbeat| heartbeat.tasks.is_empty()).await;
    drop(session);

    let mut session = world.gateway.session().await;
    assert!(session.welcome(10_000, 100, &[]).await.tasks.is_empty());
    assert_eq!(performed.load(Ordering::SeqCst), 1);
    drop(session);
    delegate.stopped().await;
}

#[tokio::test]
async fn a_checkpoint_holds_the_step_until_it_is_durable_however_often_the_connection_is_lost() {
    let mut world = World::new().await;
    let delegate = world.joining(|_, hooks| {
        Box::pin(async move {
            hooks.checkpoints.record(fact()).await.expect("durable");
            hooks.checkpoints.record(fact()).await.expect("durable");
            done()
        })
    });
    let mut session = world.gateway.connected().await;
    session.say(assign(TASK, 60)).await;
    session.checkpoint(TASK, 0).await;
    for _ in 0..2 {
        drop(session);
        session = world.gateway.session().await;
        assert_eq!(session.welcome(10_000, 100, &[]).await.tasks, [TASK]);
        session.checkpoint(TASK, 0).await;
    }
    session.say(checkpoint_ack(TASK, 0, "")).await;
    session.checkpoint(TASK, 1).await;
    // Heartbeats go on while the step waits, and name the task.
    let heard = session.heartbeats.len();
    session.heartbeat_with(|heartbeat| heartbeat.tasks == [TASK]).await;
    assert!(session.heartbeats.len() > heard);
    session.say(checkpoint_ack(TASK, 1, "")).await;
    assert_eq!(session.report(TASK).await, done());
    session.say(report_ack(TASK)).await;
    delegate.stop.cancel();
    while session.hear_or_end().await.is_some() {}
    drop(session);
    delegate.ended().await.expect("ends well");
}

#[tokio::test]
async fn a_refused_checkpoint_cancels_the_step_first() {
    let mut world = World::new().await;
    let delegate = world.joining(|_, hooks| {
        Box::pin(async move {
            let failure = hooks.checkpoints.record(fact()).await.expect_err("refused");
            assert!(hooks.cancel.is_cancelled());
            TaskReport::Failed { failure }
        })
    });
    let mut session = world.gateway.connected().await;
    session.say(assign(TASK, 60)).await;
    session.checkpoint(TASK, 0).await;
    session.say(checkpoint_ack(TASK, 0, "a newer attempt holds the step")).await;
    let TaskReport::Failed { failure } = session.report(TASK).await else { panic!("failed") };
    assert!(failure.message.contains("a newer attempt"), "{failure:?}");
    session.say(report_ack(TASK)).await;
    drop(session);
    delegate.stopped().await;
}

#[tokio::test]
async fn a_revoked_task_stops_and_reports_nothing_and_a_cancelled_one_reports() {
    let mut world = World::new().await;
    let (ended, mut ends) = mpsc::channel(2);
    let delegate = world.joining(move |assignment, hooks| {
        let ended = ended.clone();
        Box::pin(async move {
            hooks.cancel.cancelled().await;
            ended.send(assignment.task).await.expect("the test listens");
            TaskReport::Failed { failure: Failure::refused(domain::failure::FailureKind::Policy, "stopped") }
        })
    });
    const OTHER: &str = "dep_00000000000000000000000000000002/0/perform/1";
    let mut session = world.gateway.connected().await;
    session.say(assign(TASK, 60)).await;
    session.say(assign(OTHER, 60)).await;
    session.heartbeat_with(|heartbeat| heartbeat.tasks.len() == 2).await;
    drop(session);
    let mut session = world.gateway.session().await;
    session.welcome(10_000, 100, &[TASK]).await;
    assert_eq!(ends.recv().await.expect("one ends").to_string(), TASK);
    session.heartbeat_with(|heartbeat| heartbeat.tasks == [OTHER]).await;
    session.say(Down::Cancel(Cancel { task: OTHER.into(), reason: "aborted".into() })).await;
    assert_eq!(ends.recv().await.expect("the other ends").to_string(), OTHER);
    assert!(matches!(session.report(OTHER).await, TaskReport::Failed { .. }));
    session.say(report_ack(OTHER)).await;
    drop(session);
    delegate.stopped().await;
}

#[tokio::test]
async fn a_control_plane_that_falls_silent_is_left_for_a_new_connection() {
    let mut world = World::new().await;
    let delegate = world.joining(|_, _| Box::pin(async { done() }));
    let mut session = world.gateway.session().await;
    session.welcome(300, 50, &[]).await;
    // The stream stands, but no heartbeat is answered: after a lease's length nobody is believed to be there.
    let next = world.gateway.connected().await;
    assert_eq!(next.delegate, session.delegate);
    drop((session, next));
    delegate.stopped().await;
}

#[tokio::test]
async fn a_step_that_panics_ends_the_process_rather_than_half_of_it() {
    let mut world = World::new().await;
    let begun = Arc::new(Notify::new());
    let tell = begun.clone();
    let delegate = world.joining(move |_, _| {
        let tell = tell.clone();
        Box::pin(async move {
            tell.notify_one();
            panic!("on purpose, outside of what the executor catches")
        })
    });
    let session = world.gateway.connected().await;
    session.say(assign(TASK, 60)).await;
    begun.notified().await;
    assert!(matches!(delegate.ended().await, Err(crate::program::ProgramError::Panicked)));
}
