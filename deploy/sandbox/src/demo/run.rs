//! The demonstration itself: the same commands that a person would type, in a world of its own.

use std::process::Stdio;

use anyhow::Context;

use super::{DeploymentSummary, Summary};
use crate::world::{Programs, Switch, World, WorldSettings};

/// What the demonstration is to do.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// Print only one JSON object at the end.
    pub json: bool,
    /// Requests a second through the production listener.
    pub rate: u32,
    /// How many times faster than AWS the simulated AWS is.
    pub clock_factor: f64,
    /// Seed of the simulator's jitter.
    pub seed: u64,
    /// What leads production's traffic from one version to the next.
    pub switch: Switch,
}

/// The tags that are deployed, in order.
const VERSIONS: [&str; 3] = ["1", "2", "3"];

/// Runs it and tells what came of it.
///
/// # Errors
/// When the world does not come up. A deployment that fails is no error here: it is in the summary.
pub async fn run(options: &DemoOptions) -> anyhow::Result<Summary> {
    let say = |text: &str| {
        if !options.json {
            eprintln!("{text}");
        }
    };
    say("Starting a simulated AWS, a control plane and two delegates, each a process of its own ...");
    let settings = WorldSettings {
        clock_factor: options.clock_factor,
        seed: options.seed,
        switch: options.switch,
        ..WorldSettings::default()
    };
    let world = World::start(Programs::own()?, settings).await?;
    world.aws.forget_calls().await?;

    let url = world.prod_url()?;
    say(&format!("Production answers at {url}; {} requests a second go there from the first good answer on.\n", options.rate));
    let load = world.load(options.rate)?;
    let mut deployments = Vec::new();
    for tag in VERSIONS {
        say(&format!("$ segue deploy todolist-blue-green --artifact-tag {tag}"));
        deployments.push(deploy(&world, tag, options.json).await?);
    }
    let traffic = load.stop().await;
    let aws_calls = world.aws.counts().await?;
    world.stop().await?;
    Ok(Summary { deployments, traffic, aws_calls })
}

/// Deploys one tag with the CLI, its output going straight to the person, and reads how it ended.
async fn deploy(world: &World, tag: &str, quiet: bool) -> anyhow::Result<DeploymentSummary> {
    let output = || if quiet { Stdio::null() } else { Stdio::inherit() };
    // The status is not needed: what the control plane says of the deployment is what counts, and it says it below.
    world
        .segue_command()
        .args(["deploy", "todolist-blue-green", "--artifact-tag", tag])
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        .status()
        .await
        .context("cannot run segue deploy")?;
    let listed = world.segue(&["deployment", "list", "-o", "json"]).await?;
    let deployments: serde_json::Value = serde_json::from_str(&listed).context("segue deployment list -o json")?;
    let newest = deployments
        .as_array()
        .into_iter()
        .flatten()
        .find(|deployment| deployment["tag"] == tag)
        .with_context(|| format!("no deployment of tag {tag} was accepted"))?;
    DeploymentSummary::of(newest)
}
