//! Many deployments of one account at once: its limits are kept to by waiting, not by being refused.

use std::time::Duration;

use sandbox::world::{World, WorldSettings};
use tests::{at_once, programs::programs};

const LINES: usize = 20;
const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test]
async fn twenty_at_once_share_the_account_s_limits_and_none_is_throttled() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 1, clock_factor: 10.0, ..WorldSettings::default() }).await?;
    at_once::lines(&world, LINES).await?;
    // The second time there is an old version to move traffic away from, as nearly always.
    for tag in ["1", "2"] {
        let ended = at_once::deploy(&world, LINES, tag, LIMIT).await?;
        assert!(ended.failed.is_empty(), "{:?}", ended.failed);
        assert_eq!(ended.calls.throttled, 0, "{:?}", ended.calls);
        let services = ended.calls.by_operation["ecs:DescribeServices"] / LINES as u64;
        assert!(services < 40, "{services} DescribeServices a deployment: they are not shared");
    }
    world.stop().await
}
