//! The console output of each step against the reference's blocks: those lines, in that order, with names, ids and counts
//! replaced. Segue may say more between them.

use sandbox::world::{Switch, World, WorldSettings};
use tests::{
    deployments::{Line, deploy_well, log},
    programs::programs,
};

/// The reference's block for *ECS Blue Green Load Balancer Setup*.
const SETUP: &[&str] = &[
    "Cluster Name: {cluster}",
    "Docker Image Name: harness/todolist-sample:{tag}",
    "Container Name: harness_todolist-sample_{tag}",
    "Creating task definition ecs__blue__green__elb with container image harness/todolist-sample:{tag}",
    "Deleting Old Service {Green Version}: ecs__blue__green__elb__{n}",
    "Deletion successful",
    "Setting load balancer to service",
    "Creating ECS service ecs__blue__green__elb__{n} in cluster {cluster}",
    "Checking for Auto-Scalar config for existing services",
    "No Auto-scalar config found for existing services",
    "Load Balancer Name: {load balancer}",
    "Target Group ARN: {target group}",
];

/// For *Upgrade Containers*.
const UPGRADE: &[&str] = &[
    "Resize service [ecs__blue__green__elb__{n}] in cluster [{cluster}] from 0 to 2 instances",
    "Waiting for service: ecs__blue__green__elb__{n} to reflect updated desired count: 2",
    "Current service desired count return from aws for Service: ecs__blue__green__elb__{n} is: 2",
    "Service update request successfully submitted.",
    "Waiting for pending tasks to finish. 0/2 running ...",
    "AWS Event: (service ecs__blue__green__elb__{n}) has started 2 tasks: (task {id}) (task {id}).",
    "Waiting for service to be in steady state...",
    "Service has reached a steady state",
    "No Autoscalar config provided.",
    "Container IDs:",
    "  {address} (new)",
    "  {address} (new)",
    "Completed operation",
    "----------",
    "Service [ecs__blue__green__elb__{n}] in cluster [{cluster}] stays at 2 instances",
    "No Autoscalar config provided.",
    "Completed operation",
    "----------",
];

/// For *Swap Target Groups*.
const SWAP: &[&str] = &[
    "Updating ELB Prod Listener to Forward requests to Target group associated with new Service, TargetGroup: {target group}",
    "Updating ELB Stage Listener to Forward requests to Target group associated with new Service, TargetGroup: {target group}",
    "Successfully update Prod and Stage Listeners",
    "Updating service: [ecs__blue__green__elb__{n}] with tag: [BG_VERSION:BLUE]",
    "Tag update successful",
    "Updating service: [ecs__blue__green__elb__{n}] with tag: [BG_VERSION:GREEN]",
    "Tag update successful",
    "Downsizing Green Service: ecs__blue__green__elb__{n}",
    "Waiting for service: ecs__blue__green__elb__{n} to reflect updated desired count: 0",
    "Current service desired count return from aws for Service: ecs__blue__green__elb__{n} is: 0",
    "Waiting: [30] seconds for the downsize to complete ECS services to synchronize",
];

/// For *ECS Blue Green Route 53 Setup*.
const DNS_SETUP: &[&str] = &[
    "Cluster Name: {cluster}",
    "Docker Image Name: harness/todolist-sample:{tag}",
    "Container Name: harness_todolist-sample_{tag}",
    "Creating task definition ecs_bg_dns with container image harness/todolist-sample:{tag}",
    "Current ECS service uses: [{registry}]",
    "Using: [{registry}] for new service.",
    "Creating ECS service ecs_bg_dns__{n} in cluster {cluster}",
    "Checking for Auto-Scalar config for existing services",
    "No Auto-scalar config found for existing services",
];

/// For *Change Route 53 Weights*; the block's zone and registries are the sandbox's.
const WEIGHTS: &[&str] = &[
    "Upserting parent record: [todolist.shop.example.] with CNAME records: [service1.shop.internal:100] and [service2.shop.internal:0]",
    "Swapping ECS tags Blue and Green",
    "Updating service: [ecs_bg_dns__{n}] with tag: [BG_VERSION:BLUE]",
    "Tag update successful",
    "Updating service: [ecs_bg_dns__{n}] with tag: [BG_VERSION:GREEN]",
    "Tag update successful",
    "Downsizing old service if needed",
    "Downsizing Green Service: ecs_bg_dns__{n}",
    "Waiting for service: ecs_bg_dns__{n} to reflect updated desired count: 0",
    "Current service desired count return from aws for Service: ecs_bg_dns__{n} is: 0",
    "Waiting: [30] seconds for the downsize to complete ECS services to synchronize",
];

#[tokio::test]
async fn each_step_by_dns_says_the_reference_s_lines_in_order() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { switch: Switch::Dns, ..WorldSettings::default() }).await?;
    let mut last = serde_json::Value::Null;
    for tag in ["1", "2", "3"] {
        last = deploy_well(&world, tag).await?;
    }
    let lines = log(&world, last["id"].as_str().expect("an id")).await?;
    let upgrade: Vec<_> = UPGRADE.iter().map(|line| line.replace("ecs__blue__green__elb", "ecs_bg_dns")).collect();
    let upgrade: Vec<_> = upgrade.iter().map(String::as_str).collect();
    for (step, block) in
        [("ECS Blue Green Route 53 Setup", DNS_SETUP), ("Upgrade Containers", &upgrade[..]), ("Change Route 53 Weights", WEIGHTS)]
    {
        let said: Vec<String> = lines.iter().filter(|line| line.step == step).map(|line| normal(&line.text)).collect();
        in_order(step, block, &said);
    }
    world.stop().await
}

#[tokio::test]
async fn each_step_says_the_reference_s_lines_in_order() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings::default()).await?;
    // The block shows a third deployment: an old version to delete and one to downsize.
    let mut last = serde_json::Value::Null;
    for tag in ["1", "2", "3"] {
        last = deploy_well(&world, tag).await?;
    }
    let lines = log(&world, last["id"].as_str().expect("an id")).await?;
    for (step, block) in
        [("ECS Blue Green Load Balancer Setup", SETUP), ("Upgrade Containers", UPGRADE), ("Swap Target Groups", SWAP)]
    {
        let said: Vec<String> = lines.iter().filter(|line| line.step == step).map(|line| normal(&line.text)).collect();
        in_order(step, block, &said);
    }
    events_once(&lines);
    world.stop().await
}

/// Each of AWS's events is printed once.
fn events_once(lines: &[Line]) {
    let mut seen = std::collections::BTreeSet::new();
    // "has reached a steady state" is repeated by AWS itself, as an event of its own each time.
    for line in lines.iter().filter(|line| line.text.starts_with("AWS Event: ") && !line.text.contains("steady state")) {
        assert!(seen.insert(&line.text), "printed twice: {}", line.text);
    }
    assert!(
        seen.iter().any(|text| text.contains("registered 2 targets in (target-group arn:aws:elasticloadbalancing:")),
        "{seen:#?}"
    );
}

fn in_order(step: &str, block: &[&str], said: &[String]) {
    let mut rest = said.iter();
    for expected in block {
        assert!(
            rest.any(|line| line == expected),
            "{step} did not say (or not in its place): {expected}\n\nIt said:\n{}",
            said.join("\n")
        );
    }
}

/// A line with everything replaced that differs from run to run.
fn normal(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let bare = word.trim_end_matches(['.', ',', ')', ']']).trim_start_matches(['(', '[']);
        let replaced = if bare.starts_with("arn:aws:elasticloadbalancing:") && bare.contains(":targetgroup/") {
            "{target group}"
        } else if bare.starts_with("arn:aws:servicediscovery:") {
            "{registry}"
        } else if bare == "docs-ecs" {
            "{cluster}"
        } else if bare == "docs-example" {
            "{load balancer}"
        } else if bare.len() == 32 && bare.chars().all(|c| c.is_ascii_hexdigit()) {
            "{id}"
        } else if bare.parse::<std::net::Ipv4Addr>().is_ok() {
            "{address}"
        } else {
            return replace_revision(word);
        };
        word.replacen(bare, replaced, 1)
    });
    words.collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

/// `ecs__blue__green__elb__18` becomes `ecs__blue__green__elb__{n}`, image and container tags become `{tag}`.
fn replace_revision(word: &str) -> String {
    let mut word = word.to_owned();
    for (before, name) in [
        ("ecs__blue__green__elb__", "{n}"),
        ("ecs_bg_dns__", "{n}"),
        ("harness/todolist-sample:", "{tag}"),
        ("harness_todolist-sample_", "{tag}"),
    ] {
        if let Some(at) = word.find(before).map(|at| at + before.len()) {
            let digits = word[at..].chars().take_while(char::is_ascii_digit).count();
            if digits > 0 {
                word.replace_range(at..at + digits, name);
            }
        }
    }
    word
}
