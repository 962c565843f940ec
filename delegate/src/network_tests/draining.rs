//! Leaving: hand back, ship the logs, say goodbye.

use domain::{log::LogLevel, task::TaskReport};
use proto::delegate::{Drain, from_delegate::Message as Up, to_delegate::Message as Down};

use super::world::{Running, TASK, World, assign, report_ack};

/// A step that works until it is told to leave, and says so.
fn patient(world: &World) -> Running {
    world.joining(|_, hooks| {
        Box::pin(async move {
            hooks.log.line(LogLevel::Info, "begins");
            hooks.drain.cancelled().await;
            hooks.log.line(LogLevel::Info, "hands back");
            TaskReport::HandedBack
        })
    })
}

#[tokio::test]
async fn a_delegate_that_is_asked_to_stop_hands_back_ships_its_logs_and_says_goodbye() {
    let mut world = World::new().await;
    let delegate = patient(&world);
    let mut session = world.gateway.connected().await;
    session.say(assign(TASK, 60)).await;
    session.heartbeat_with(|heartbeat| heartbeat.tasks == [TASK] && !heartbeat.draining).await;
    delegate.stop.cancel();
    assert_eq!(session.report(TASK).await, TaskReport::HandedBack);
    // A task that crossed the news of our leaving comes back untouched.
    const LATE: &str = "dep_00000000000000000000000000000002/0/perform/1";
    session.say(assign(LATE, 60)).await;
    assert_eq!(session.report(LATE).await, TaskReport::HandedBack);
    session.heartbeat_with(|heartbeat| heartbeat.draining).await;
    session.say(report_ack(TASK)).await;
    session.say(report_ack(LATE)).await;
    assert!(matches!(session.hear().await, Up::Goodbye(_)));
    // Everything was durable before the goodbye.
    let lines = world.gateway.memory.lines.lock().expect("whole")[TASK].clone();
    assert_eq!(lines, ["begins", "hands back"]);
    assert_eq!(session.hear_or_end().await, None);
    drop(session);
    delegate.ended().await.expect("ends well");
}

#[tokio::test]
async fn the_control_plane_can_ask_it_to_leave() {
    let mut world = World::new().await;
    let delegate = patient(&world);
    let mut session = world.gateway.connected().await;
    session.say(Down::Drain(Drain { reason: "update".into() })).await;
    match session.hear().await {
        Up::Goodbye(goodbye) => assert!(goodbye.reason.contains("update"), "{goodbye:?}"),
        other => panic!("a goodbye was expected, not {other:?}"),
    }
    drop(session);
    delegate.ended().await.expect("ends well");
}

#[tokio::test]
async fn an_idle_delegate_without_a_session_leaves_at_once() {
    let mut world = World::new().await;
    let delegate = patient(&world);
    // Never welcomed: nothing to say goodbye to.
    let session = world.gateway.session().await;
    delegate.stop.cancel();
    delegate.ended().await.expect("ends well");
    drop(session);
}
