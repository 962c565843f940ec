//! Many deployments at once in one cluster, each of a line of its own, and the calls to AWS that they took.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use cli::client::Client;
use proto::api;
use sandbox::world::{SeededLine, World, seed_lines};
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;

/// What came of them.
#[derive(Debug)]
pub struct AtOnce {
    /// How many were begun.
    pub deployments: usize,
    /// Those that did not succeed: which, and how they ended.
    pub failed: Vec<String>,
    /// From the first start to the last end.
    pub took: Duration,
    /// How long each took from its own start, shortest first.
    pub each: Vec<Duration>,
    /// What AWS was asked.
    pub calls: Calls,
}

/// Calls to AWS.
#[derive(Debug, Default)]
pub struct Calls {
    /// By operation, as `ecs:DescribeServices`, the throttled ones included.
    pub by_operation: BTreeMap<String, u64>,
    /// Those that AWS throttled.
    pub throttled: u64,
}

/// Questions that are asked again and again while a step waits.
const POLLS: [&str; 4] =
    ["ecs:DescribeServices", "elasticloadbalancing:DescribeTargetHealth", "ecs:ListTasks", "ecs:DescribeTasks"];

impl Calls {
    /// What this world's simulated AWS was asked since it last forgot.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn of(world: &World) -> anyhow::Result<Self> {
        let calls = world.aws.calls().await?;
        let by_operation = serde_json::from_value(calls["counts"].clone()).context("a journal has counts")?;
        let throttled = |call: &&serde_json::Value| {
            call["error_code"].as_str().is_some_and(|code| code == "ThrottlingException" || code == "Throttling")
        };
        let throttled = calls["log"].as_array().into_iter().flatten().filter(throttled).count();
        Ok(Self { by_operation, throttled: u64::try_from(throttled)? })
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.by_operation.values().sum()
    }

    /// Those that are asked again and again.
    pub fn polls(&self) -> u64 {
        POLLS.iter().filter_map(|operation| self.by_operation.get(*operation)).sum()
    }

    /// Those to Elastic Load Balancing.
    pub fn load_balancing(&self) -> u64 {
        let of_elb = |(operation, _): &(&String, &u64)| operation.starts_with("elasticloadbalancing:");
        self.by_operation.iter().filter(of_elb).map(|(_, calls)| calls).sum()
    }
}

/// Makes so many lines in AWS, and a workflow `line-N` for each.
///
/// # Errors
/// When AWS or the control plane refuses something.
pub async fn lines(world: &World, count: usize) -> anyhow::Result<()> {
    let lines = seed_lines(&world.seed, count, world.settings.clock_factor).await?;
    let file = world.dir.join("lines.yaml");
    std::fs::write(&file, documents(world, &lines))?;
    world.segue(&["apply", "-f", &file.to_string_lossy()]).await?;
    Ok(())
}

/// Each line has an infrastructure of its own: deployments of one service and infrastructure wait for each other.
fn documents(world: &World, lines: &[SeededLine]) -> String {
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            r#"---
kind: Infrastructure
name: line-{number}
application: shop
spec:
  environment: prod
  region: {region}
  cluster: {cluster}
  launchType: FARGATE
  subnets: [subnet-0aaaaaaaaaaaaaaa1, subnet-0bbbbbbbbbbbbbbb2]
  securityGroups: [sg-0cccccccccccccccc]
  executionRole: arn:aws:iam::123456789012:role/ecsTaskExecutionRole
---
kind: Workflow
name: line-{number}
application: shop
spec:
  type: blueGreen
  switch: loadBalancer
  service: todolist
  environment: prod
  infrastructure: line-{number}
  phases:
    - name: Phase 1
      steps:
        - blueGreenLoadBalancerSetup:
            serviceName: line{number}
            desiredCount:
              fixed: 1
            loadBalancer: {balancer}
            prodListener: {prod}
            stageListener: {stage}
        - upgradeContainers:
            desired: 100%
        - swapTargetGroups:
            downsizeOld: true
            delay: 0s
"#,
            region = world.seed.region,
            cluster = world.seed.cluster,
            balancer = line.load_balancer,
            prod = line.prod_port,
            stage = line.stage_port,
        );
    }
    text
}

/// Deploys this tag to the first `count` lines at once, and waits for all of them, at most so long.
///
/// # Errors
/// When one is not accepted or not over by then.
pub async fn deploy(world: &World, count: usize, tag: &str, limit: Duration) -> anyhow::Result<AtOnce> {
    let client = Client::new(&cli::context::Context::read(&world.context_file())?)?;
    world.aws.forget_calls().await?;
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for line in 0..count {
        let (client, tag) = (client.clone(), tag.to_owned());
        running.spawn(async move {
            let begun = Instant::now();
            let id = start(&client, &format!("line-{line}"), &tag).await?;
            let outcome = finished(&client, &id, limit).await?;
            anyhow::Ok((line, id, outcome, begun.elapsed()))
        });
    }
    let (mut failed, mut each) = (Vec::new(), Vec::with_capacity(count));
    while let Some(done) = running.join_next().await {
        let (line, id, outcome, took) = done??;
        each.push(took);
        if outcome != "succeeded" {
            failed.push(format!("line {line}, deployment {id}: {outcome}"));
        }
    }
    let took = begun.elapsed();
    each.sort_unstable();
    Ok(AtOnce { deployments: count, failed, took, each, calls: Calls::of(world).await? })
}

/// Begins a deployment of a workflow of the application `shop`, and says its id.
///
/// # Errors
/// When it is not accepted.
pub async fn start(client: &Client, workflow: &str, tag: &str) -> anyhow::Result<String> {
    let request = api::StartRequest {
        application: "shop".to_owned(),
        workflow: workflow.to_owned(),
        artifact_tag: tag.to_owned(),
        ..api::StartRequest::default()
    };
    let started = client.deployments().start(request).await?.into_inner();
    if let Some(finding) = started.diagnostics.first() {
        bail!("{}: {}", finding.field, finding.message);
    }
    Ok(started.deployment_id)
}

/// Waits for a deployment's end, at most so long, and says how it ended.
///
/// # Errors
/// When it is not over by then.
pub async fn finished(client: &Client, id: &str, limit: Duration) -> anyhow::Result<String> {
    let request = api::GetDeploymentRequest { deployment_id: id.to_owned() };
    let watching = async {
        let mut views = client.deployments().watch(request).await?.into_inner();
        while let Some(view) = views.next().await {
            if let Some(api::status::State::Finished(finished)) = view?.status.and_then(|status| status.state) {
                return Ok(finished.outcome);
            }
        }
        bail!("the watch ended before {id}")
    };
    tokio::time::timeout(limit, watching).await.with_context(|| format!("deployment {id} was not over in time"))?
}
