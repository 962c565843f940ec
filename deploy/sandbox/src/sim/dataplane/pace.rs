//! The pace of it all: a short look at the state, then the sockets are brought in line.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{health::HealthChecks, listeners::Listeners, routes::Propagation, tasks::TaskServers};
use crate::sim::simulator::World;

/// How often the state is looked at, in real time.
const LOOK: Duration = Duration::from_millis(15);

/// Runs until `stop`; every socket and task it opened is closed when it returns.
pub async fn run(world: Arc<World>, stop: CancellationToken) {
    let mut tasks = TaskServers::default();
    let mut listeners = Listeners::new(Arc::clone(&world));
    let mut health = HealthChecks::default();
    let mut propagation = Propagation::default();
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = looks.tick() => {}
        }
        world.tick();
        tasks.follow(&world).await;
        if let Some(routes) = propagation.due(&world) {
            listeners.follow(routes).await;
        }
        health.ask(&world);
    }
    listeners.close().await;
    tasks.close().await;
}
