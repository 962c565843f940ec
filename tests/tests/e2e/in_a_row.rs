//! Deployment after deployment under load, every third of them bad in another way: what customers see.

use std::{collections::BTreeMap, fmt::Write as _};

use sandbox::{
    demo::{Load, Traffic},
    world::{World, WorldSettings},
};
use tests::{
    deployments::{WORKFLOW, deploy_well, segue},
    documents::change_workflow,
    programs::programs,
};

/// Ways to be bad, as the end of a tag says them. Only the first is seen by nobody before it serves: it passes every check.
const BAD: [&str; 7] = ["-500", "-crash", "-unhealthy", "-missing", "-no-secret", "-no-permission", "-no-capacity"];
/// The one that answers customers badly.
const SERVES_BADLY: &str = "-500";
const RATE: u32 = 200;

/// What came of the versions of one kind.
#[derive(Default)]
struct Kind {
    deployments: u32,
    requests: u64,
    own_bad_answers: u64,
    seconds: f64,
}

async fn in_a_row(count: u32) -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 2, ..WorldSettings::default() }).await?;
    let bake = "            probe: /healthz\n            bake: {window: 1s, interval: 100ms, probe: /}\n";
    change_workflow(&world, |text| text.replace("            probe: /healthz\n", bake)).await?;
    deploy_well(&world, "0").await?;

    let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
    let mut bad = BAD.iter().cycle();
    let mut wrong = Vec::new();
    let mut load = Load::start(world.prod_url()?, RATE);
    for number in 1..=count {
        let kind = if number % 3 == 0 { bad.next().copied().unwrap_or_default() } else { "" };
        let tag = format!("{number}{kind}");
        let begun = std::time::Instant::now();
        let ended = segue(&world, &["deploy", WORKFLOW, "--artifact-tag", &tag]).await?;
        // The next load begins before this one ends: there is no moment without requests.
        let next = Load::start(world.prod_url()?, RATE);
        let traffic = std::mem::replace(&mut load, next).stop().await;

        let expected = if kind.is_empty() { 0 } else { 10 };
        if ended.code != expected {
            wrong.push(format!("{tag} ended with {} instead of {expected}: {}", ended.code, ended.all()));
        }
        let own = if kind == SERVES_BADLY { own_bad_answers(&traffic) } else { 0 };
        if traffic.failed != own {
            wrong.push(format!("{tag}: customers' requests failed: {:?}", traffic.failures));
        }
        let sum = kinds.entry(kind).or_default();
        sum.deployments += 1;
        sum.requests += traffic.requests;
        sum.own_bad_answers += own;
        sum.seconds += begun.elapsed().as_secs_f64();
    }
    load.stop().await;
    println!("{}", told(&kinds));
    anyhow::ensure!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    world.stop().await
}

/// Answers that only the bad version gives: the load balancer's own errors are 502, 503 and 504.
fn own_bad_answers(traffic: &Traffic) -> u64 {
    traffic.failures.iter().filter(|(reason, _)| reason.contains("500")).map(|(_, count)| count).sum()
}

fn told(kinds: &BTreeMap<&str, Kind>) -> String {
    let mut text = String::from("version         deployments  mean s  requests  failed\n");
    for (kind, sum) in kinds {
        let name = if kind.is_empty() { "good" } else { kind };
        let mean = sum.seconds / f64::from(sum.deployments.max(1));
        // Writing into a String cannot fail.
        let _ =
            writeln!(text, "{name:<14}  {:>11}  {mean:>6.1}  {:>8}  {:>6}", sum.deployments, sum.requests, sum.own_bad_answers);
    }
    text + "Failed are the answers of the version that passes every check and answers customers with 500, until the watch over production \
            puts the one before back; nothing else failed."
}

#[tokio::test]
async fn a_third_of_them_bad_and_customers_see_only_what_no_probe_could_know() -> anyhow::Result<()> {
    in_a_row(9).await
}

#[tokio::test]
#[ignore = "a quarter of an hour: ./tests/run --full"]
async fn a_hundred_of_them() -> anyhow::Result<()> {
    in_a_row(100).await
}
