//! What CloudWatch tells a deployment: alarms that are watched in a step and in a bake, and requests of the old version that have to be
//! gone before it is brought to 0. Against the simulated CloudWatch, whose numbers come from the traffic.

use std::time::{Duration, Instant};

use anyhow::Context;
use aws_sdk_cloudwatch::{
    Client,
    types::{ComparisonOperator, Dimension, Statistic},
};
use sandbox::{
    demo::Load,
    world::{World, WorldSettings, aws_config},
};
use tests::{
    deployments::{WORKFLOW, deploy_well, log, newest, segue},
    documents::change_workflow,
    programs::programs,
    standing::standing,
};

async fn world() -> anyhow::Result<World> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    deploy_well(&world, "1").await?;
    Ok(world)
}

/// Puts an alarm that goes off when targets of the world's load balancer answer more than twice with a 5xx within a minute.
async fn put_alarm(world: &World) -> anyhow::Result<()> {
    let cloudwatch = Client::new(&aws_config(&world.seed));
    let arn = world.seeded.clone().context("seeded")?.load_balancer;
    let balancer = arn.split_once(":loadbalancer/").context("an ARN of a load balancer")?.1;
    cloudwatch
        .put_metric_alarm()
        .alarm_name("todolist-5xx")
        .namespace("AWS/ApplicationELB")
        .metric_name("HTTPCode_Target_5XX_Count")
        .dimensions(Dimension::builder().name("LoadBalancer").value(balancer).build())
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(2.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .treat_missing_data("notBreaching")
        .send()
        .await
        .context("PutMetricAlarm")?;
    Ok(())
}

#[tokio::test]
async fn an_alarm_that_customers_errors_set_off_puts_production_back() -> anyhow::Result<()> {
    let world = world().await?;
    let before = standing(&world).await?;
    // Without a probe: nothing but the alarm sees what this version answers to customers.
    let baked = "            bake: {window: 10m, interval: 200ms, alarms: [todolist-5xx]}\n";
    change_workflow(&world, |text| text.replace("            probe: /healthz\n", baked)).await?;
    let missing = segue(&world, &["deploy", WORKFLOW, "--artifact-tag", "2-500"]).await?;
    assert_eq!(missing.code, 10, "{}", missing.all());
    assert!(missing.all().contains("There is no CloudWatch alarm todolist-5xx in us-west-1"), "{}", missing.all());
    assert_eq!(standing(&world).await?.forwards, before.forwards);

    put_alarm(&world).await?;
    let load = Load::start(world.prod_url()?, 100);
    let ended = segue(&world, &["deploy", WORKFLOW, "--artifact-tag", "2-500"]).await?;
    let traffic = load.stop().await;
    assert_eq!(ended.code, 10, "{}", ended.all());
    for expected in ["Breach: Alarm todolist-5xx is in ALARM: Threshold Crossed", "Production was put back to"] {
        assert!(ended.all().contains(expected), "expected {expected:?} in\n{}", ended.all());
    }
    let own = traffic.failures.iter().filter(|(reason, _)| reason.contains("500")).map(|(_, count)| count).sum::<u64>();
    assert_eq!(traffic.failed, own, "{traffic:?}");
    let after = standing(&world).await?;
    assert_eq!((after.forwards, &after.services[0]), (before.forwards, &before.services[0]));
    world.stop().await
}

#[tokio::test]
async fn alarms_are_watched_as_a_step() -> anyhow::Result<()> {
    let world = world().await?;
    put_alarm(&world).await?;
    let step = "        - cloudWatchAlarms: {alarms: [todolist-5xx], for: 8s, interval: 1s}\n";
    change_workflow(&world, |text| format!("{text}{step}")).await?;
    let load = Load::start(world.prod_url()?, 100);
    deploy_well(&world, "2").await?;
    let ended = segue(&world, &["deploy", WORKFLOW, "--artifact-tag", "3-500"]).await?;
    load.stop().await;
    assert_eq!(ended.code, 10, "{}", ended.all());
    assert!(ended.all().contains("Alarm todolist-5xx is in ALARM"), "{}", ended.all());
    world.stop().await
}

#[tokio::test]
async fn the_old_version_goes_when_its_requests_are_gone() -> anyhow::Result<()> {
    let world = world().await?;
    change_workflow(&world, |text| {
        text.replace("            probe: /healthz\n", "            probe: /healthz\n            drain: 10m\n")
    })
    .await?;
    let load = Load::start(world.prod_url()?, 100);
    let started = Instant::now();
    deploy_well(&world, "2").await?;
    let traffic = load.stop().await;
    assert_eq!(traffic.failed, 0, "{traffic:?}");
    // Proof by numbers, long before the drain time is over.
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
    let id = newest(&world).await?["id"].as_str().context("an id")?.to_owned();
    let lines = log(&world, &id).await?;
    let at =
        |text: &str| lines.iter().position(|line| line.text.starts_with(text)).with_context(|| format!("{text} in {lines:#?}"));
    assert!(at("CloudWatch counted a minute without a request for")? < at("Downsizing Green Service")?);
    assert!(world.aws.counts().await?.contains_key("cloudwatch:GetMetricData"), "{:?}", world.aws.counts().await?);

    // Stage leads to the old version: whoever asks there is waited for, but not for ever.
    change_workflow(&world, |text| {
        text.replace("            probe: /healthz\n", "            probe: /healthz\n            drain: 20s\n")
    })
    .await?;
    let stage = Load::start(format!("http://{}:8081/", world.seeded.clone().context("seeded")?.dns_name), 20);
    let prod = Load::start(world.prod_url()?, 100);
    let id = deploy_well(&world, "3").await?["id"].as_str().context("an id")?.to_owned();
    tokio::join!(stage.stop(), prod.stop());
    let lines = log(&world, &id).await?;
    assert!(lines.iter().any(|line| line.text.starts_with("The drain time of 20 s has passed; ")), "{lines:#?}");
    world.stop().await
}
