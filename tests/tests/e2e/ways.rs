//! Every way to move traffic, each through real processes with requests all the while; what came of them in one table:
//!
//! ```text
//! cargo test --release --test e2e ways -- --nocapture
//! ```

use anyhow::Context;
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum;
use comfy_table::{Table, presets::NOTHING};
use sandbox::{
    demo::{Load, Traffic},
    world::{Switch, World, WorldSettings},
};
use tests::{
    deployments::{WORKFLOW, deploy_well, newest, outcome, segue},
    documents::change_workflow,
    more_aws::{add_load_balancer, add_tls, lead_by_rules},
    programs::programs,
};

/// Requests a second.
const RATE: u32 = 100;
/// The pair of the world's workflow.
const PAIR: &str = "            prodListener: 8080\n            stageListener: 8081\n";

/// What came of one way.
struct Row {
    way: &'static str,
    deployments: usize,
    traffic: Vec<Traffic>,
}

async fn world(switch: Switch) -> anyhow::Result<World> {
    World::start(programs(), WorldSettings { delegates: 1, switch, ..WorldSettings::default() }).await
}

/// Changes the pair of the workflow.
async fn with_pair(world: &World, pair: &str) -> anyhow::Result<()> {
    change_workflow(world, |text| text.replace(PAIR, pair)).await
}

/// Three versions under these loads.
async fn three(world: World, way: &'static str, loads: Vec<Load>) -> anyhow::Result<Row> {
    for tag in ["1", "2", "3"] {
        deploy_well(&world, tag).await.with_context(|| way.to_owned())?;
    }
    let mut traffic = Vec::new();
    for load in loads {
        let came = load.stop().await;
        assert!(came.by_version.keys().eq(["1", "2", "3"]), "{way}: {came:?}");
        traffic.push(came);
    }
    world.stop().await?;
    Ok(Row { way, deployments: 3, traffic })
}

async fn default_action() -> anyhow::Result<Row> {
    let world = world(Switch::LoadBalancer).await?;
    let load = world.load(RATE)?;
    three(world, "application load balancer, default action", vec![load]).await
}

async fn rules() -> anyhow::Result<Row> {
    let world = world(Switch::LoadBalancer).await?;
    lead_by_rules(&world, 10, 20).await?;
    with_pair(&world, &format!("{PAIR}            prodListenerRule: 10\n            stageListenerRule: 20\n")).await?;
    let load = world.load(RATE)?;
    three(world, "application load balancer, rules", vec![load]).await
}

async fn network() -> anyhow::Result<Row> {
    let world = world(Switch::LoadBalancer).await?;
    let address = add_load_balancer(&world, "net", LoadBalancerTypeEnum::Network, (9000, 9001)).await?;
    change_workflow(&world, |text| {
        let text = text.replace(PAIR, "            prodListener: 9000\n            stageListener: 9001\n");
        text.replace("loadBalancer: docs-example", "loadBalancer: net")
    })
    .await?;
    let load = Load::start(format!("http://{address}:9000/"), RATE);
    three(world, "network load balancer, TCP", vec![load]).await
}

async fn tls() -> anyhow::Result<Row> {
    let world = world(Switch::LoadBalancer).await?;
    add_tls(&world, 8443, 8444).await?;
    let secure = "            additionalPairs:\n              - prodListener: 8443\n                stageListener: 8444\n";
    with_pair(&world, &format!("{PAIR}{secure}")).await?;
    let address = world.seeded.clone().context("seeded")?.dns_name;
    let authority = world.aws.authority().await?;
    let by_tls = Load::start_by_tls(format!("https://{address}:8443/"), RATE, &authority)?;
    let loads = vec![world.load(RATE)?, by_tls];
    three(world, "HTTP and HTTPS, two pairs", loads).await
}

async fn two_load_balancers() -> anyhow::Result<Row> {
    let world = world(Switch::LoadBalancer).await?;
    let address = add_load_balancer(&world, "internal", LoadBalancerTypeEnum::Application, (9000, 9001)).await?;
    let other = "            additionalPairs:\n              - loadBalancer: internal\n                prodListener: 9000\n                stageListener: 9001\n";
    with_pair(&world, &format!("{PAIR}{other}")).await?;
    let loads = vec![world.load(RATE)?, Load::start(format!("http://{address}:9000/"), RATE)];
    three(world, "two load balancers at once", loads).await
}

async fn shift() -> anyhow::Result<Row> {
    let world = world(Switch::LoadBalancer).await?;
    let shifted = "        - swapTargetGroups:\n            shift: [{weight: 10, wait: 1s}, {weight: 50%, wait: 1s}]\n";
    change_workflow(&world, |text| text.replace("        - swapTargetGroups:\n", shifted)).await?;
    let load = world.load(RATE)?;
    deploy_well(&world, "1").await?;
    deploy_well(&world, "2").await?;
    // The third is found wanting at 50 %, and gets nothing any more.
    let at_half = "        - shiftTraffic: 50\n        - wait: 1s\n        - httpCheck: {url: \"http://127.0.0.1:9/\", within: 1s, interval: 200ms}\n        - swapTargetGroups:\n";
    change_workflow(&world, |text| text.replace("        - swapTargetGroups:\n", at_half)).await?;
    let ended = segue(&world, &["deploy", WORKFLOW, "--artifact-tag", "3"]).await?;
    assert_eq!(ended.code, 10, "{}", ended.all());
    assert_eq!(outcome(&newest(&world).await?).as_deref(), Some("rolledBack"));
    let came = load.stop().await;
    assert!(came.by_version.keys().eq(["1", "2", "3"]), "the third got its half for a while: {came:?}");
    // From now on the third gets nothing.
    let after = Load::start(world.prod_url()?, RATE);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let after = after.stop().await;
    assert!(after.by_version.keys().eq(["2"]), "{after:?}");
    world.stop().await?;
    Ok(Row { way: "gradual shift, the third back to 0 at 50 %", deployments: 3, traffic: vec![came, after] })
}

async fn dns() -> anyhow::Result<Row> {
    let world = world(Switch::Dns).await?;
    let load = world.load(RATE)?;
    three(world, "DNS, a resolver that honours TTLs", vec![load]).await
}

#[tokio::test]
async fn no_way_to_move_traffic_drops_a_request() -> anyhow::Result<()> {
    let mut rows = Vec::new();
    // Two worlds at a time: there are two processors.
    let (one, two) = tokio::join!(default_action(), rules());
    rows.extend([one?, two?]);
    let (one, two) = tokio::join!(network(), tls());
    rows.extend([one?, two?]);
    let (one, two) = tokio::join!(two_load_balancers(), dns());
    rows.extend([one?, two?]);
    rows.push(shift().await?);

    let mut table = Table::new();
    table.force_no_tty().load_style(NOTHING).set_header(["way", "deployments", "requests", "failed", "p99 ms"]);
    for row in &rows {
        let requests: u64 = row.traffic.iter().map(|traffic| traffic.requests).sum();
        let failed: u64 = row.traffic.iter().map(|traffic| traffic.failed).sum();
        let slowest = row.traffic.iter().filter_map(|traffic| traffic.latency(0.99)).max().unwrap_or_default();
        table.add_row([
            row.way.to_owned(),
            row.deployments.to_string(),
            requests.to_string(),
            failed.to_string(),
            format!("{:.1}", slowest.as_secs_f64() * 1_000.0),
        ]);
    }
    println!("{table}");
    for row in &rows {
        for traffic in &row.traffic {
            assert_eq!(traffic.failed, 0, "{}: {traffic:?}", row.way);
        }
    }
    Ok(())
}
