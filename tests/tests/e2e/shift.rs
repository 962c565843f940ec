//! A gradual shift in the hands of a person: paused, promoted, and taken back at once.

use std::time::Duration;

use sandbox::{
    demo::{Load, Traffic},
    world::{World, WorldSettings},
};
use serde_json::Value;
use tests::{
    deployments::{deploy_well, outcome, segue, show, start, until},
    documents::change_workflow,
    programs::programs,
};

const LIMIT: Duration = Duration::from_secs(60);
/// The step that waits at half of the traffic, for an hour if nobody says anything.
const AT_HALF: &str = "Wait at 50 %";

/// A world whose version 1 serves, and whose second got half of the traffic.
async fn at_half() -> anyhow::Result<(World, String)> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    deploy_well(&world, "1").await?;
    let shift = "        - swapTargetGroups:\n            shift: [{weight: 50%, wait: 1h}]\n";
    change_workflow(&world, |text| text.replace("        - swapTargetGroups:\n", shift)).await?;
    let id = start(&world, "2").await?;
    until(&world, &id, LIMIT, |view| state(view, AT_HALF) == Some("running")).await?;
    Ok((world, id))
}

fn state<'v>(view: &'v Value, step: &str) -> Option<&'v str> {
    view["steps"].as_array()?.iter().find(|one| one["name"] == step)?["state"].as_str()
}

/// What a second of requests gets.
async fn served(world: &World) -> anyhow::Result<Traffic> {
    let load = Load::start(world.prod_url()?, 100);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let traffic = load.stop().await;
    assert_eq!(traffic.failed, 0, "{traffic:?}");
    Ok(traffic)
}

async fn says(world: &World, id: &str, word: &str, more: &[&str]) -> anyhow::Result<()> {
    let mut arguments = vec!["deployment", word, id];
    arguments.extend(more);
    let ended = segue(world, &arguments).await?;
    assert_eq!(ended.code, 0, "{}", ended.all());
    Ok(())
}

#[tokio::test]
async fn a_person_pauses_at_half_and_promotes() -> anyhow::Result<()> {
    let (world, id) = at_half().await?;
    says(&world, &id, "pause", &[]).await?;
    // Promoted while it is paused: the wait is over, and still nothing moves.
    says(&world, &id, "succeed", &["--step", AT_HALF]).await?;
    let half = served(&world).await?;
    assert!(half.by_version.keys().eq(["1", "2"]), "{half:?}");
    let paused = show(&world, &id).await?;
    assert_eq!(
        (state(&paused, AT_HALF), state(&paused, "Swap Target Groups")),
        (Some("succeeded"), Some("pending")),
        "{paused:#}"
    );

    says(&world, &id, "resume", &[]).await?;
    let ended = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&ended).as_deref(), Some("succeeded"), "{ended:#}");
    let whole = served(&world).await?;
    assert!(whole.by_version.keys().eq(["2"]), "{whole:?}");
    world.stop().await
}

#[tokio::test]
async fn a_person_takes_the_half_back_at_once() -> anyhow::Result<()> {
    let (world, id) = at_half().await?;
    let load = Load::start(world.prod_url()?, 100);
    says(&world, &id, "rollback", &[]).await?;
    let ended = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&ended).as_deref(), Some("rolledBack"), "{ended:#}");
    let meanwhile = load.stop().await;
    assert_eq!(meanwhile.failed, 0, "{meanwhile:?}");
    let after = served(&world).await?;
    assert!(after.by_version.keys().eq(["1"]), "{after:?}");
    world.stop().await
}
