//! `segue-sandbox up`: the demonstration's world, left running for a person to play in.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::Context as _;

use crate::world::{Programs, Switch, World, WorldSettings};

/// What kind of world, and where.
#[derive(Debug, Clone)]
pub struct UpOptions {
    /// Where its files go; none: a folder of its own, removed at the end.
    pub dir: Option<PathBuf>,
    /// How many times faster than AWS the simulated AWS is.
    pub clock_factor: f64,
    /// How many delegates join.
    pub delegates: usize,
    /// What leads production's traffic from one version to the next.
    pub switch: Switch,
}

/// Starts the world, prints how to use it, and keeps it until `stop` resolves.
///
/// # Errors
/// When the world does not come up, or something in it does not stop by itself.
pub async fn run(options: UpOptions, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let settings = WorldSettings {
        dir: options.dir,
        clock_factor: options.clock_factor,
        delegates: options.delegates,
        switch: options.switch,
        ..WorldSettings::default()
    };
    let world = World::start(Programs::own()?, settings).await?;
    let authority = authority_file(&world);
    std::fs::write(&authority, world.aws.authority().await?).with_context(|| format!("cannot write {}", authority.display()))?;
    println!("{}", guide(&world)?);
    stop.await;
    println!("Stopping ...");
    world.stop().await
}

/// What clients of HTTPS listeners trust.
fn authority_file(world: &World) -> PathBuf {
    world.dir.join("aws-ca.pem")
}

/// Lines to copy into another terminal.
fn guide(world: &World) -> anyhow::Result<String> {
    let mut text = String::new();
    let program = world.programs().path().display();
    let seed = &world.seed;
    writeln!(text, "A simulated AWS, a control plane and {} delegates are running. Ctrl-C ends it all.", world.delegates.len())?;
    writeln!(text, "\nIn another terminal:\n")?;
    writeln!(text, "  export SEGUE_CONTEXT={}", world.context_file().display())?;
    writeln!(text, "  segue() {{ {program} as segue \"$@\"; }}")?;
    writeln!(text, "  segue get")?;
    writeln!(text, "  segue discover load-balancers --infrastructure prod-ecs")?;
    writeln!(text, "  segue deploy todolist-blue-green --artifact-tag 1")?;
    match &world.dns {
        Some(dns) => {
            let server = world.name_server();
            writeln!(text, "  dig @{} -p {} {} A", server.ip(), server.port(), dns.alias)?;
        }
        None => writeln!(text, "  curl {}", world.prod_url()?)?,
    }
    writeln!(text, "  segue deploy todolist-blue-green --artifact-tag 2-crash   # goes wrong, and is undone")?;
    writeln!(
        text,
        "\nThe documents are in {} (change them and `segue apply -f` the folder).",
        world.dir.join("manifests").display()
    )?;
    writeln!(text, "\nThe simulated AWS, for the AWS CLI and any SDK:\n")?;
    writeln!(text, "  export AWS_ENDPOINT_URL={} AWS_REGION={}", seed.endpoint, seed.region)?;
    writeln!(text, "  export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}", seed.access_key, seed.secret_key)?;
    writeln!(text, "  aws ecs list-services --cluster {}", seed.cluster)?;
    writeln!(text, "  {program} faults add --operation ecs:DescribeServices --kind throttle --times 20")?;
    writeln!(text, "  # An HTTPS listener's certificate is signed by {}", authority_file(world).display())?;
    write!(
        text,
        "  aws elbv2 describe-listeners --load-balancer-arn {}",
        world.seeded.as_ref().map_or("", |s| s.load_balancer.as_str())
    )?;
    Ok(text)
}
