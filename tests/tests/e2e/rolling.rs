//! Every delegate is replaced by a new process, one after the other, twice, while deployments run: that is how delegates are
//! upgraded, and nobody who deploys is to notice.

use std::time::Duration;

use cli::client::Client;
use sandbox::world::{World, WorldSettings};
use serde_json::Value;
use tests::{
    at_once,
    deployments::{holes, log, outcome, show, start, until},
    programs::programs,
};

const LINES: usize = 4;
const LIMIT: Duration = Duration::from_secs(120);
/// More than a delegate may need to hand over what it holds.
const LEAVES: Duration = Duration::from_secs(20);
/// Between two replacements. A check that holds for a while begins anew with each.
const BETWEEN: Duration = Duration::from_millis(500);

#[tokio::test]
async fn all_delegates_are_replaced_one_by_one_while_deployments_run() -> anyhow::Result<()> {
    let mut world =
        World::start(programs(), WorldSettings { delegates: 2, clock_factor: 10.0, ..WorldSettings::default() }).await?;
    at_once::lines(&world, LINES).await?;
    let client = Client::new(&cli::context::Context::read(&world.context_file())?)?;
    // An old version, so that there is traffic to lose.
    let first = start(&world, "1").await?;
    until(&world, &first, LIMIT, |view| outcome(view).is_some()).await?;
    let load = world.load(100)?;

    let mut ids = vec![start(&world, "2").await?];
    for line in 0..LINES {
        ids.push(at_once::start(&client, &format!("line-{line}"), "1").await?);
    }
    for index in [0, 1, 0, 1] {
        let status = world.delegates[index].process.stop(LEAVES).await?;
        assert!(status.success(), "a delegate that was told to leave ended with {status}");
        world.restart_delegate(index)?;
        let name = world.delegates[index].name.clone();
        world.connected(&name).await?;
        tokio::time::sleep(BETWEEN).await;
    }
    for id in &ids {
        until(&world, id, LIMIT, |view| outcome(view).is_some()).await?;
    }
    let mut handed_over = 0;
    for id in &ids {
        let view = show(&world, id).await?;
        assert_eq!(outcome(&view).as_deref(), Some("succeeded"), "{view:#}");
        let holes = holes(&log(&world, id).await?);
        assert!(holes.is_empty(), "{holes:?}");
        handed_over += view["steps"].as_array().into_iter().flatten().filter(|step| attempts(step) > 1).count();
    }
    println!("{} deployments, 4 replacements of a delegate, {handed_over} steps handed over", ids.len());
    assert!(handed_over > 0, "no step noticed");
    let came = load.stop().await;
    assert_eq!(came.failed, 0, "{came:?}");
    world.stop().await
}

fn attempts(step: &Value) -> usize {
    step["attempts"].as_array().map_or(0, Vec::len)
}
