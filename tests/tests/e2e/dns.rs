//! Blue/green by weighted DNS records: the first, second and third deployment, and the way back from each, whether it failed or had
//! succeeded.

use sandbox::world::{Switch, World, WorldSettings};
use tests::{
    deployments::{WORKFLOW, deploy_well, newest, outcome, segue},
    documents::{append_step, change_workflow},
    programs::programs,
    standing::{Standing, StandingService, standing},
};

/// What a workflow has at its end whose deployments fail after the records were changed.
const FAILS: &str = "        - httpCheck: {url: \"http://127.0.0.1:9/\", within: 500ms, interval: 100ms}\n";

async fn world() -> anyhow::Result<World> {
    World::start(programs(), WorldSettings { delegates: 1, switch: Switch::Dns, ..WorldSettings::default() }).await
}

fn service(number: u8, desired: i32, colour: &str) -> StandingService {
    StandingService { name: format!("ecs_bg_dns__{number}"), desired, colour: colour.to_owned() }
}

/// The records, and the services in their order.
fn is(standing: &Standing, forwards: [&str; 2], services: &[StandingService]) {
    assert_eq!((standing.forwards.each_ref().map(String::as_str), &standing.services[..]), (forwards, services));
}

/// Deploys what fails after its records were changed.
async fn fails(world: &World, tag: &str) -> anyhow::Result<()> {
    append_step(world, FAILS).await?;
    let ended = segue(world, &["deploy", WORKFLOW, "--artifact-tag", tag]).await?;
    assert_eq!(ended.code, 10, "{}", ended.all());
    assert!(ended.all().contains("Upserting parent record"), "the records had been changed:\n{}", ended.all());
    assert_eq!(outcome(&newest(world).await?).as_deref(), Some("rolledBack"));
    change_workflow(world, ToOwned::to_owned).await
}

#[tokio::test]
async fn each_deployment_and_the_way_back_from_it() -> anyhow::Result<()> {
    let world = world().await?;
    let [one, two] = ["service1.shop.internal", "service2.shop.internal"];
    let (only_one, lead_one) = ([format!("{one} 100"), "nothing".to_owned()], [format!("{one} 100"), format!("{two} 0")]);
    let lead_two = [format!("{two} 100"), format!("{one} 0")];
    let told = |forwards: &[String; 2]| forwards.clone();

    // A first one that fails leaves no record, and its service without tasks.
    fails(&world, "1").await?;
    is(&standing(&world).await?, ["nothing", "nothing"], &[service(1, 0, "GREEN")]);

    // A first one that succeeds has one record, and nothing to go back to.
    deploy_well(&world, "2").await?;
    let first = standing(&world).await?;
    assert_eq!((told(&first.forwards), &first.services[..]), (only_one.clone(), &[service(2, 2, "BLUE")][..]));
    let refused = segue(&world, &["rollback", "--yes"]).await?;
    assert_eq!(refused.code, 3, "{}", refused.all());
    assert!(refused.all().contains("was the first of its line"), "{}", refused.all());

    // A second one that fails: the record alone again, at its weight.
    fails(&world, "3").await?;
    let back = standing(&world).await?;
    assert_eq!((told(&back.forwards), &back.services[..]), (only_one, &[service(2, 2, "BLUE"), service(3, 0, "GREEN")][..]));

    // A second one that succeeds, and is taken back.
    deploy_well(&world, "4").await?;
    let second = standing(&world).await?;
    assert_eq!(
        (told(&second.forwards), &second.services[..]),
        (lead_two.clone(), &[service(2, 0, "GREEN"), service(4, 2, "BLUE")][..])
    );
    let rolled = segue(&world, &["rollback", "--yes"]).await?;
    assert_eq!(rolled.code, 0, "{}", rolled.all());
    let back = standing(&world).await?;
    assert_eq!((told(&back.forwards), &back.services[..]), (lead_one, &[service(2, 2, "BLUE"), service(4, 0, "GREEN")][..]));

    // A third one, and the way back from it.
    deploy_well(&world, "5").await?;
    let third = standing(&world).await?;
    assert_eq!((told(&third.forwards), &third.services[..]), (lead_two, &[service(2, 0, "GREEN"), service(5, 2, "BLUE")][..]));
    fails(&world, "6").await?;
    let back = standing(&world).await?;
    assert_eq!((back.forwards, &back.services[0]), (third.forwards, &service(5, 2, "BLUE")));
    world.stop().await
}
