//! The authority is exchanged for another while deployments run, delegates are killed and the control plane is killed in every phase:
//! nobody has to join again, and who trusts only the old one is not let in any more.

use std::time::Duration;

use anyhow::Context;
use sandbox::world::{World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{deploy_well, ended, outcome, segue, start, until},
    programs::programs,
};

const LIMIT: Duration = Duration::from_secs(120);

#[tokio::test]
async fn the_authority_is_exchanged_while_everything_runs() -> anyhow::Result<()> {
    let mut world = World::start(programs(), WorldSettings { delegates: 2, ..WorldSettings::default() }).await?;
    deploy_well(&world, "1").await?;
    let load = world.load(100)?;
    let old_context = world.dir.join("old-context.yaml");
    std::fs::copy(world.context_file(), &old_context)?;
    let first = show(&world).await?;
    assert_eq!((first["phase"].as_str(), first["authorities"].as_array().map(Vec::len)), (Some("settled"), Some(1)));

    // The next authority is made; one delegate is away.
    let running = start(&world, "2").await?;
    world.delegates[0].process.kill().await?;
    assert_eq!(rotate(&world, &[]).await?["phase"], "introduced");
    let refused = segue(&world, &["authority", "rotate"]).await?;
    assert_eq!(refused.code, 3, "{}", refused.all());
    for expected in ["delegate-1", "is not connected", "--force"] {
        assert!(refused.all().contains(expected), "{expected:?} in\n{}", refused.all());
    }
    world.kill_server().await?;
    world.restart_server().await?;
    assert_eq!(show(&world).await?["phase"], "introduced", "what was said is kept");
    world.restart_delegate(0)?;
    nobody_is_waited_for(&world).await?;
    let ended_well = until(&world, &running, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&ended_well).as_deref(), Some("succeeded"), "{ended_well:#}");

    // It signs.
    let running = start(&world, "3").await?;
    assert_eq!(rotate(&world, &[]).await?["phase"], "active");
    world.kill_server().await?;
    world.restart_server().await?;
    nobody_is_waited_for(&world).await?;
    let ended_well = until(&world, &running, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&ended_well).as_deref(), Some("succeeded"), "{ended_well:#}");

    // The old one is forgotten.
    let settled = rotate(&world, &[]).await?;
    assert_eq!((settled["phase"].as_str(), settled["authorities"].as_array().map(Vec::len)), (Some("settled"), Some(1)));
    assert_ne!(settled["authorities"][0]["serial"], first["authorities"][0]["serial"]);
    world.kill_server().await?;
    world.restart_server().await?;
    for index in [0, 1] {
        world.delegates[index].process.stop(Duration::from_secs(20)).await?;
        world.restart_delegate(index)?;
        let name = world.delegates[index].name.clone();
        world.connected(&name).await.context("with the certificate of the new authority alone")?;
    }
    world.add_delegate().await.context("a new one joins")?;
    deploy_well(&world, "4").await?;

    let mut stranger = world.segue_command();
    stranger.env("SEGUE_CONTEXT", &old_context).args(["delegate", "list"]);
    let stranger = ended(&mut stranger).await?;
    assert!([4, 5].contains(&stranger.code), "who trusts only the old authority: {}", stranger.all());

    let came = load.stop().await;
    assert_eq!(came.failed, 0, "{came:?}");
    world.stop().await
}

#[tokio::test]
async fn who_is_left_behind_by_force_is_named_before_and_refused_after() -> anyhow::Result<()> {
    let mut world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    world.delegates[0].process.stop(Duration::from_secs(20)).await?;
    rotate(&world, &[]).await?;
    assert_eq!(segue(&world, &["authority", "rotate"]).await?.code, 3);
    assert_eq!(rotate(&world, &["--force"]).await?["phase"], "active");
    assert_eq!(rotate(&world, &["--force"]).await?["phase"], "settled");
    world.restart_delegate(0)?;
    let words = "certificate";
    let deadline = tokio::time::Instant::now() + LIMIT;
    while !world.delegates[0].process.output().to_lowercase().contains(words) {
        anyhow::ensure!(tokio::time::Instant::now() < deadline, "it says why: {}", world.delegates[0].process.last_words());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let listed: Value = serde_json::from_str(&world.segue(&["delegate", "list", "-o", "json"]).await?)?;
    assert_eq!(listed[0]["connected"], false, "{listed:#}");
    world.stop().await
}

async fn show(world: &World) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&world.segue(&["authority", "show", "-o", "json"]).await?)?)
}

async fn rotate(world: &World, further: &[&str]) -> anyhow::Result<Value> {
    let arguments = [&["authority", "rotate", "-o", "json"], further].concat();
    Ok(serde_json::from_str(&world.segue(&arguments).await?)?)
}

async fn nobody_is_waited_for(world: &World) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        let shown = show(world).await?;
        if shown["waiting"].as_array().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        anyhow::ensure!(tokio::time::Instant::now() < deadline, "still waited for: {shown:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
