//! Puts the world together, process by process, and takes it apart again.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::{
    AwsControl, LoadBalancerSeed, Manifests, Process, Programs, Seed, Seeded, SeededDns, Workload, port::free_port, seed,
    seed_dns::seed_dns,
};
use crate::demo::Load;

/// How long a process may take until it is ready.
const READY: Duration = Duration::from_secs(30);

/// What kind of world.
#[derive(Debug, Clone)]
pub struct WorldSettings {
    /// How many times faster than AWS the simulated AWS is.
    pub clock_factor: f64,
    /// How many delegates join.
    pub delegates: usize,
    /// Where the control plane listens.
    pub address: IpAddr,
    /// Where the world's files go; none: a folder of its own under the system's temporary folder, removed at the end.
    pub dir: Option<PathBuf>,
    /// How long a heartbeat is good for.
    pub lease: Duration,
    /// What is deployed.
    pub workload: Workload,
    /// What leads production's traffic from one version to the next.
    pub switch: Switch,
    /// Port of the target groups, when it is to differ from the container's.
    pub target_port: Option<u16>,
    /// Seed of the simulator's jitter.
    pub seed: u64,
    /// Further arguments of `segue-sandbox aws`.
    pub aws_arguments: Vec<String>,
    /// Rules by which delegates join with an AWS identity, as a YAML list. None: nobody does.
    pub aws_join: Option<String>,
    /// Further arguments of each delegate.
    pub delegate_arguments: Vec<String>,
    /// AWS endpoint to use instead of the simulated AWS (another emulator); it must be seeded by the caller.
    pub foreign_aws: Option<String>,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            clock_factor: 20.0,
            delegates: 2,
            address: Ipv4Addr::LOCALHOST.into(),
            dir: None,
            lease: Duration::from_secs(6),
            workload: Workload {
                image: "harness/todolist-sample".to_owned(),
                container_port: 8080,
                desired: 2,
                delay_seconds: 1,
            },
            switch: Switch::LoadBalancer,
            target_port: None,
            seed: 1,
            aws_arguments: Vec::new(),
            aws_join: None,
            delegate_arguments: Vec::new(),
            foreign_aws: None,
        }
    }
}

/// What leads production's traffic from one version to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// The listeners of a load balancer.
    LoadBalancer,
    /// Weighted records of a name.
    Dns,
}

/// A delegate of the world.
#[derive(Debug)]
pub struct DelegateHandle {
    /// `delegate-1` ...
    pub name: String,
    /// Its process.
    pub process: Process,
    state_dir: PathBuf,
    options: DelegateOptions,
}

/// How one delegate of a world differs from the others.
#[derive(Debug, Clone, Default)]
pub struct DelegateOptions {
    /// Where it finds the control plane, as `https://127.0.0.1:7000`. None: where it is.
    pub gateway: Option<String>,
    /// Further variables of its environment, by name and value.
    pub environment: Vec<(String, String)>,
    /// Further arguments of `segue delegate token create`.
    pub token_arguments: Vec<String>,
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// Folder of its files.
    pub dir: PathBuf,
    /// Control of the simulated AWS.
    pub aws: AwsControl,
    /// What stands in it from the start.
    pub seeded: Option<Seeded>,
    /// What stands in it for a switch by DNS.
    pub dns: Option<SeededDns>,
    /// The control plane.
    pub server: Process,
    /// The delegates.
    pub delegates: Vec<DelegateHandle>,
    /// What it was made from.
    pub settings: WorldSettings,
    /// AWS keys and names.
    pub seed: Seed,
    /// The documents.
    pub manifests: Manifests,
    programs: Programs,
    aws_process: Option<Process>,
    ports: Ports,
    // Dropped last: the processes above still write into it.
    _temporary: Option<TempDir>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    aws: u16,
    dns: u16,
    api: u16,
    gateway: u16,
}

impl World {
    /// Starts everything: the simulated AWS, seeded; a control plane; its delegates, enrolled and connected; the documents applied.
    ///
    /// # Errors
    /// When a process does not come up, with its last words.
    pub async fn start(programs: Programs, settings: WorldSettings) -> anyhow::Result<Self> {
        let (dir, temporary) = match &settings.dir {
            Some(dir) => (dir.clone(), None),
            None => {
                let temporary = tempfile::Builder::new().prefix("segue-").tempdir()?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let ports = Ports { aws: free_port()?, dns: free_port()?, api: free_port()?, gateway: free_port()? };
        let seed = seed_for(&settings, ports);

        let mut aws_process = None;
        let mut seeded = None;
        if settings.foreign_aws.is_none() {
            aws_process = Some(start_aws(&programs, &settings, &seed, ports, &dir).await?);
            seeded = Some(seed::seed(&seed).await.context("the simulated AWS could not be seeded")?);
        }
        let dns = match settings.switch {
            Switch::Dns => Some(seed_dns(&seed).await.context("the simulated AWS's DNS could not be seeded")?),
            Switch::LoadBalancer => None,
        };
        let server = start_server(&programs, &settings, ports, &dir).await?;
        let balancer = &seed.load_balancer;
        let manifests = Manifests::todolist(
            &settings.workload,
            &seed.region,
            &seed.cluster,
            &balancer.name,
            balancer.prod_port,
            balancer.stage_port,
        );
        let manifests = match &dns {
            Some(dns) => manifests.by_dns(&settings.workload, dns),
            None => manifests,
        };
        let mut world = Self {
            aws: AwsControl::new(&seed.endpoint),
            dir,
            seeded,
            dns,
            server,
            delegates: Vec::new(),
            settings,
            seed,
            manifests,
            programs,
            aws_process,
            ports,
            _temporary: temporary,
        };
        for _ in 0..world.settings.delegates {
            world.add_delegate().await?;
        }
        world.manifests.write(&world.dir.join("manifests"))?;
        world.segue(&["apply", "-f", &world.dir.join("manifests").to_string_lossy()]).await?;
        Ok(world)
    }

    /// The CLI's context for this world, with the administrator's token: a file to point `SEGUE_CONTEXT` at.
    pub fn context_file(&self) -> PathBuf {
        self.dir.join("control-plane").join("admin-context.yaml")
    }

    /// The URL at which production answers.
    pub fn prod_url(&self) -> anyhow::Result<String> {
        if let Some(dns) = &self.dns {
            return Ok(format!("http://{}:{}/", dns.alias, self.settings.workload.container_port));
        }
        let seeded = self.seeded.as_ref().context("this world has no load balancer of its own")?;
        Ok(format!("http://{}:{}/", seeded.dns_name, self.seed.load_balancer.prod_port))
    }

    /// Where the simulated name server listens.
    pub fn name_server(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.dns))
    }

    /// Requests at a fixed rate to where production answers, names asked of the simulated name server where DNS leads the traffic.
    ///
    /// # Errors
    /// When the world has nowhere to ask.
    pub fn load(&self, rate: u32) -> anyhow::Result<Load> {
        let url = self.prod_url()?;
        Ok(match &self.dns {
            Some(_) => Load::start_by_dns(url, rate, self.name_server()),
            None => Load::start(url, rate),
        })
    }

    /// The programs of this world.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// A `segue` command with this world's context.
    pub fn segue_command(&self) -> tokio::process::Command {
        let mut command = self.programs.segue();
        command.env("SEGUE_CONTEXT", self.context_file());
        command
    }

    /// Runs `segue` to its end and gives its standard output.
    ///
    /// # Errors
    /// When it ends with anything but 0, with what it said.
    pub async fn segue(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.segue_command().args(arguments).output().await?;
        if !output.status.success() {
            bail!(
                "segue {} ended with {}:\n{}{}",
                arguments.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Enrols and starts one more delegate and waits until it is connected.
    ///
    /// # Errors
    /// When it does not join.
    pub async fn add_delegate(&mut self) -> anyhow::Result<()> {
        self.add_delegate_with(DelegateOptions::default()).await
    }

    /// [`World::add_delegate`], but for these options.
    ///
    /// # Errors
    /// When it does not join.
    pub async fn add_delegate_with(&mut self, options: DelegateOptions) -> anyhow::Result<()> {
        let name = format!("delegate-{}", self.delegates.len() + 1);
        let mut create = vec!["delegate", "token", "create", "-o", "json"];
        create.extend(options.token_arguments.iter().map(String::as_str));
        let created: serde_json::Value = serde_json::from_str(&self.segue(&create).await?)?;
        let token = created["token"].as_str().context("no join token was printed")?;
        let state_dir = self.dir.join(&name);
        std::fs::create_dir_all(&state_dir)?;
        let authorities = self.dir.join("authorities.pem");
        std::fs::write(&authorities, created["authorities"].as_str().context("no authorities were printed")?)?;
        let process = self.start_delegate(&name, &state_dir, Some(token), &options)?;
        self.delegates.push(DelegateHandle { name: name.clone(), process, state_dir, options });
        self.connected(&name).await
    }

    /// Starts a delegate again after it was stopped or killed. It needs no token: it has its certificate.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn restart_delegate(&mut self, index: usize) -> anyhow::Result<()> {
        let DelegateHandle { name, state_dir, options, .. } = &self.delegates[index];
        self.delegates[index].process = self.start_delegate(name, state_dir, None, options)?;
        Ok(())
    }

    /// Waits until the delegate of that name is connected.
    ///
    /// # Errors
    /// When it is not in time, with its last words.
    pub async fn connected(&mut self, name: &str) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + READY;
        loop {
            let listed: serde_json::Value = serde_json::from_str(&self.segue(&["delegate", "list", "-o", "json"]).await?)?;
            let connected =
                listed.as_array().into_iter().flatten().any(|delegate| delegate["name"] == name && delegate["connected"] == true);
            if connected {
                return Ok(());
            }
            let delegate = self.delegates.iter_mut().find(|delegate| delegate.name == name).context("no such delegate")?;
            if !delegate.process.is_running() || tokio::time::Instant::now() > deadline {
                bail!("{name} did not connect; its last words:\n{}", delegate.process.last_words());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Where delegates connect.
    pub fn gateway_url(&self) -> String {
        format!("https://{}", SocketAddr::new(self.settings.address, self.ports.gateway))
    }

    /// Kills the control plane.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill_server(&mut self) -> anyhow::Result<()> {
        self.server.kill().await
    }

    /// Starts the control plane again over the same data and ports.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart_server(&mut self) -> anyhow::Result<()> {
        self.server = start_server(&self.programs, &self.settings, self.ports, &self.dir).await?;
        Ok(())
    }

    /// Stops everything in order: delegates drain, then the control plane, then AWS.
    ///
    /// # Errors
    /// When something does not stop by itself; it is killed then.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let limit = Duration::from_secs(20);
        for delegate in &mut self.delegates {
            delegate.process.stop(limit).await?;
        }
        self.server.stop(limit).await?;
        if let Some(aws) = &mut self.aws_process {
            aws.stop(limit).await?;
        }
        Ok(())
    }

    fn start_delegate(
        &self,
        name: &str,
        state_dir: &Path,
        token: Option<&str>,
        options: &DelegateOptions,
    ) -> anyhow::Result<Process> {
        let mut command = self.programs.delegate();
        command
            .arg("--control-plane")
            .arg(options.gateway.clone().unwrap_or_else(|| self.gateway_url()))
            .arg("--authorities")
            .arg(self.dir.join("authorities.pem"))
            .arg("--state-dir")
            .arg(state_dir)
            .arg("--name")
            .arg(name)
            .arg("--poll-interval-ms")
            .arg(poll_interval(self.settings.clock_factor))
            // The simulated AWS's token buckets fill as much faster as its clock runs.
            .arg("--aws-call-rate")
            .arg(self.settings.clock_factor.to_string())
            .args(&self.settings.delegate_arguments)
            .env("AWS_ENDPOINT_URL", &self.seed.endpoint)
            .env("AWS_REGION", &self.seed.region)
            .env("AWS_ACCESS_KEY_ID", &self.seed.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.seed.secret_key)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(options.environment.iter().map(|(name, value)| (name, value)));
        if let Some(token) = token {
            // In the environment, not among the arguments: those stand in every process list.
            command.env("SEGUE_JOIN_TOKEN", token);
        }
        Process::start(name, command, &self.dir)
    }
}

/// Poll intervals as far below AWS's as the simulated clock is faster: 1 to 5 s at factor 1.
fn poll_interval(clock_factor: f64) -> String {
    let scaled = |ms: f64| (ms / clock_factor).max(20.0).round();
    format!("{}..{}", scaled(1_000.0), scaled(5_000.0))
}

fn seed_for(settings: &WorldSettings, ports: Ports) -> Seed {
    Seed {
        endpoint: settings.foreign_aws.clone().unwrap_or_else(|| format!("http://127.0.0.1:{}", ports.aws)),
        region: "us-west-1".to_owned(),
        access_key: "AKIASANDBOX000000001".to_owned(),
        secret_key: "sandbox-secret-key-for-loopback-only".to_owned(),
        cluster: "docs-ecs".to_owned(),
        load_balancer: LoadBalancerSeed {
            name: "docs-example".to_owned(),
            prod_port: 8080,
            stage_port: 8081,
            target_port: settings.target_port.unwrap_or(settings.workload.container_port),
            health_check_seconds: 5,
            deregistration_delay_seconds: 20,
        },
    }
}

async fn start_aws(
    programs: &Programs,
    settings: &WorldSettings,
    seed: &Seed,
    ports: Ports,
    dir: &Path,
) -> anyhow::Result<Process> {
    let mut command = programs.aws();
    command
        .arg("--port")
        .arg(ports.aws.to_string())
        .arg("--dns-port")
        .arg(ports.dns.to_string())
        .arg("--access-key")
        .arg(&seed.access_key)
        .arg("--secret-key")
        .arg(&seed.secret_key)
        .arg("--clock-factor")
        .arg(settings.clock_factor.to_string())
        .arg("--seed")
        .arg(settings.seed.to_string())
        .args(&settings.aws_arguments);
    let mut process = Process::start("aws", command, dir)?;
    let control = AwsControl::new(&seed.endpoint);
    process.ready(READY, || control.is_up()).await?;
    Ok(process)
}

async fn start_server(programs: &Programs, settings: &WorldSettings, ports: Ports, dir: &Path) -> anyhow::Result<Process> {
    let mut command = programs.segue();
    command
        .arg("server")
        .arg("--data-dir")
        .arg(dir.join("control-plane"))
        .arg("--listen")
        .arg(SocketAddr::new(settings.address, ports.api).to_string())
        .arg("--delegate-listen")
        .arg(SocketAddr::new(settings.address, ports.gateway).to_string())
        .arg("--lease-ms")
        .arg(settings.lease.as_millis().to_string())
        .arg("--heartbeat-ms")
        .arg((settings.lease.as_millis() / 6).to_string());
    if let Some(rules) = &settings.aws_join {
        let file = dir.join("aws-join.yaml");
        std::fs::write(&file, rules)?;
        command.arg("--aws-join").arg(file).arg("--sts-endpoint").arg(format!("http://127.0.0.1:{}", ports.aws));
    }
    let mut process = Process::start("control-plane", command, dir)?;
    let accepts = async |port| tokio::net::TcpStream::connect((settings.address, port)).await.is_ok();
    let context = dir.join("control-plane").join("admin-context.yaml");
    process
        .ready(READY, || {
            let ready = context.exists();
            async move { ready && accepts(ports.api).await && accepts(ports.gateway).await }
        })
        .await?;
    Ok(process)
}
