//! Delegates in the hands of a person: what each may be given, who could take a step and why the others could not, leaving on
//! request, and being trusted no longer.

use std::time::{Duration, Instant};

use anyhow::Context;
use sandbox::world::{DelegateOptions, World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{deploy_well, log, outcome, segue, start, until},
    documents::append_step,
    programs::programs,
};

const LIMIT: Duration = Duration::from_secs(60);

async fn world(delegates: usize) -> anyhow::Result<World> {
    World::start(programs(), WorldSettings { delegates, ..WorldSettings::default() }).await
}

fn scope(token_arguments: &[&str]) -> DelegateOptions {
    DelegateOptions {
        token_arguments: token_arguments.iter().map(|text| (*text).to_owned()).collect(),
        ..DelegateOptions::default()
    }
}

async fn delegate(world: &World, name: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&world.segue(&["delegate", "show", name, "-o", "json"]).await?)?)
}

/// What `segue delegate why` says of each delegate, by name.
async fn why(world: &World, id: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&world.segue(&["delegate", "why", id, "-o", "json"]).await?)?)
}

/// The name of the delegate that upgrades the containers, once one does.
async fn at_work(world: &World, id: &str) -> anyhow::Result<String> {
    until(world, id, LIMIT, |view| running(view, "Upgrade Containers")).await?;
    let explained = why(world, id).await?;
    let holder = explained["delegates"].as_array().into_iter().flatten().find(|verdict| verdict["holds"] == true);
    Ok(holder.context("somebody works on it")?["name"].as_str().context("a name")?.to_owned())
}

fn running(view: &Value, step: &str) -> bool {
    view["steps"].as_array().into_iter().flatten().any(|one| one["name"] == step && one["state"] == "running")
}

fn verdict<'v>(why: &'v Value, name: &str) -> Option<&'v Value> {
    why["delegates"].as_array()?.iter().find(|verdict| verdict["name"] == name)
}

#[tokio::test]
async fn a_delegate_gets_only_what_its_scope_covers_and_why_says_so() -> anyhow::Result<()> {
    let mut world = world(0).await?;
    world.add_delegate_with(scope(&["--application", "till"])).await?;
    world.add_delegate_with(scope(&["--application", "shop", "--environment", "test"])).await?;
    let id = start(&world, "1").await?;
    let waiting = until(&world, &id, LIMIT, |view| view["status"].get("waitingForDelegate").is_some()).await?;
    let told = waiting["status"].to_string();
    for expected in ["is not for the application shop (its scope: applications till)", "is not for the environment prod"] {
        assert!(told.contains(expected), "{told}");
    }
    let explained = why(&world, &id).await?;
    assert_eq!(explained["step"], "ECS Blue Green Load Balancer Setup");
    assert_eq!(verdict(&explained, "delegate-1").context("delegate-1")?["eligible"], false);

    // A question is for nobody either.
    let asked = segue(&world, &["discover", "load-balancers", "--infrastructure", "prod-ecs"]).await?;
    assert!(asked.code != 0 && asked.all().contains("is not for the application shop"), "{}", asked.all());

    world.add_delegate_with(scope(&["--application", "shop", "--environment", "prod"])).await?;
    let ended = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&ended).as_deref(), Some("succeeded"), "{ended:#}");
    let over = segue(&world, &["delegate", "why", &id]).await?;
    assert_eq!((over.code, over.all().contains("has ended (succeeded)")), (3, true), "{}", over.all());
    let shown = segue(&world, &["delegate", "show", "delegate-3"]).await?;
    assert!(shown.stdout.contains("environments       prod"), "{}", shown.all());

    let wrong = segue(&world, &["delegate", "token", "create", "--application", "Not A Name"]).await?;
    assert_eq!(wrong.code, 3, "{}", wrong.all());
    world.stop().await
}

#[tokio::test]
async fn a_delegate_that_is_asked_to_leave_hands_over_and_leaves() -> anyhow::Result<()> {
    let mut world = world(2).await?;
    let id = start(&world, "1").await?;
    let holder = at_work(&world, &id).await?;
    let asked = segue(&world, &["delegate", "drain", &holder]).await?;
    assert!(asked.code == 0 && asked.all().contains("was asked to leave"), "{}", asked.all());

    let leaving = world.delegates.iter_mut().find(|delegate| delegate.name == holder).context("the holder")?;
    let asked_at = Instant::now();
    while leaving.process.is_running() {
        assert!(asked_at.elapsed() < Duration::from_secs(35), "{}", leaving.process.output());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&ended).as_deref(), Some("succeeded"), "{ended:#}");
    let again = segue(&world, &["delegate", "drain", &holder]).await?;
    assert_eq!((again.code, again.all().contains("is not connected")), (3, true), "{}", again.all());
    let nobody = segue(&world, &["delegate", "drain", "nobody"]).await?;
    assert_eq!((nobody.code, nobody.all().contains("there is no delegate")), (3, true), "{}", nobody.all());
    Ok(())
}

#[tokio::test]
async fn a_revoked_delegate_is_cut_off_within_a_second_and_another_goes_on() -> anyhow::Result<()> {
    let mut world = world(2).await?;
    append_step(&world, "        - wait: 1h\n          name: Hold\n").await?;
    let id = start(&world, "1").await?;
    let holder = at_work(&world, &id).await?;

    // Without a terminal nobody can be asked.
    let unasked = segue(&world, &["delegate", "revoke", &holder]).await?;
    assert_eq!((unasked.code, unasked.all().contains("--yes")), (3, true), "{}", unasked.all());
    let revoked_id = delegate(&world, &holder).await?["id"].as_str().context("an id")?.to_owned();
    let revoked = segue(&world, &["delegate", "revoke", &holder, "--yes"]).await?;
    let revoked_at = Instant::now();
    assert_eq!(revoked.code, 0, "{}", revoked.all());
    while delegate(&world, &revoked_id).await?["connected"] == true {
        assert!(revoked_at.elapsed() < Duration::from_secs(1), "it is still connected");
    }

    // The other one goes on when the lease has ended.
    until(&world, &id, LIMIT, |view| running(view, "Hold")).await?;
    let lines = log(&world, &id).await?;
    assert!(lines.iter().any(|line| line.step == "Upgrade Containers" && line.attempt == 2), "a second attempt");
    assert_eq!(segue(&world, &["deployment", "succeed", &id, "--step", "Hold"]).await?.code, 0);
    let ended = until(&world, &id, LIMIT, |view| outcome(view).is_some()).await?;
    assert_eq!(outcome(&ended).as_deref(), Some("succeeded"), "{ended:#}");

    // It comes again and again, and is let in no more; nor after a restart of the control plane.
    world.kill_server().await?;
    world.restart_server().await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let shown = delegate(&world, &revoked_id).await?;
    assert_eq!((shown["connected"].as_bool(), shown["revokedBy"].as_str()), (Some(false), Some("admin")), "{shown:#}");
    let listed = segue(&world, &["delegate", "list"]).await?;
    assert!(!listed.stdout.contains(&revoked_id), "{}", listed.all());
    let all = segue(&world, &["delegate", "list", "--all"]).await?;
    assert!(all.stdout.contains("revoked"), "{}", all.all());
    let said = world.delegates.iter().find(|delegate| delegate.name == holder).context("the holder")?.process.output();
    assert!(said.contains("was revoked"), "{said}");

    change_and_deploy(&world).await?;
    for one in &mut world.delegates {
        one.process.kill().await?;
    }
    Ok(())
}

/// The rest of the world works on.
async fn change_and_deploy(world: &World) -> anyhow::Result<()> {
    tests::documents::change_workflow(world, ToOwned::to_owned).await?;
    deploy_well(world, "2").await.map(drop)
}
