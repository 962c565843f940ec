//! Log lines arrive once and in order, whatever happens to their stream.

use std::sync::atomic::Ordering;

use domain::log::LogLevel;

use super::world::{TASK, World, assign, done, report_ack};
use crate::settings::{Settings, Size};

#[tokio::test]
async fn lines_arrive_once_and_in_order_over_broken_streams_and_connections() {
    let mut world = World::new().await;
    world.gateway.memory.swallow_chunks.store(3, Ordering::SeqCst);
    let delegate = world.joining(|_, hooks| {
        Box::pin(async move {
            for number in 0..2_000 {
                hooks.log.line(LogLevel::Info, &format!("line {number}"));
                if number % 100 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            done()
        })
    });
    let mut session = world.gateway.connected().await;
    session.say(assign(TASK, 60)).await;
    assert_eq!(session.report(TASK).await, done());
    drop(session);
    world.gateway.restart().await;
    let mut session = world.gateway.connected().await;
    assert_eq!(session.report(TASK).await, done());
    session.say(report_ack(TASK)).await;
    let expected: Vec<_> = (0..2_000).map(|number| format!("line {number}")).collect();
    world.gateway.lines(TASK, &expected).await;
    drop(session);
    delegate.stopped().await;
}

#[tokio::test]
async fn a_flood_stays_in_bounded_memory_and_the_gap_is_told() {
    let mut world = World::new().await;
    world.gateway.memory.tokens.lock().expect("whole").push("one-time".into());
    let settings = Settings { join_token: Some("one-time".to_owned().into()), log_memory: Size(64 * 1024), ..world.settings() };
    let work = super::world::Scripted(Box::new(|_, hooks| {
        Box::pin(async move {
            // Without a pause: nothing can be shipped meanwhile by this thread, and the memory holds a small part.
            for number in 0..20_000 {
                hooks.log.line(LogLevel::Info, &format!("line {number}"));
            }
            done()
        })
    }));
    let delegate = world.run(settings, work);
    let mut session = world.gateway.connected().await;
    session.say(assign(TASK, 60)).await;
    session.report(TASK).await;
    session.say(report_ack(TASK)).await;
    let mut stored = world.gateway.memory.stored.subscribe();
    let lines = &world.gateway.memory.lines;
    let last = |_: &u64| lines.lock().expect("whole").get(TASK).is_some_and(|lines| lines.len() == 20_000);
    drop(super::gateway::in_time("the last line", stored.wait_for(last)).await.expect("the server runs"));
    let lines = lines.lock().expect("whole")[TASK].clone();
    assert!(lines.iter().any(|line| line == "(lost)"));
    for (number, line) in lines.iter().enumerate() {
        assert!(line == "(lost)" || *line == format!("line {number}"), "{number}: {line}");
    }
    assert_eq!(lines[19_999], "line 19999");
    drop(session);
    delegate.stopped().await;
}
