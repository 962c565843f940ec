//! The simulator: one state, one clock, a front door, and a data plane that follows the state.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rand::{SeedableRng as _, rngs::StdRng};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    autoscaling::{self, Autoscaling},
    clock::{Clock, Delays},
    cloud_map::CloudMaps,
    cloudwatch::{self, CloudWatch},
    context::{Addresses, Context},
    credentials::{Credential, Credentials},
    dataplane::{self, Authority, CertificateError, Traffic},
    dns,
    ecs::{self, Ecs},
    elbv2::Elb,
    front::{self, Budgets, Faults, Journal},
    logs::Logs,
    route53::Route53,
};

/// The account of the root keys.
pub const ACCOUNT: &str = "123456789012";

/// What kind of AWS.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Access key id that is let in.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// How many times faster than AWS its delays pass.
    pub clock_factor: f64,
    /// Seed of ids and jitter.
    pub seed: u64,
    /// AWS's delays.
    pub delays: Delays,
    /// How long each call takes on its way, in real time.
    pub latency: Duration,
    /// Second byte of the loopback block `127.N.0.0/16` for load balancers and tasks; none: a free one is found.
    pub network: Option<u8>,
    /// Where its name server listens, UDP and TCP; port 0: any.
    pub dns: SocketAddr,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_key: "test".to_owned(),
            secret_key: "test".to_owned(),
            clock_factor: 1.0,
            seed: 1,
            delays: Delays::default(),
            latency: Duration::ZERO,
            network: None,
            dns: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }
}

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No loopback block is free.
    #[error("no free loopback block 127.16.0.0/16 to 127.239.0.0/16 could be claimed{0}")]
    NoNetwork(String),
    /// The listener has no address.
    #[error("the listening socket has no address")]
    Socket(#[from] std::io::Error),
    /// No certificate can be made.
    #[error("the listeners' certificate authority could not be made")]
    Authority(#[from] CertificateError),
}

/// A running simulator. Dropping it ends it.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    dns: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    // Held for as long as the block is ours.
    _claim: std::net::TcpListener,
}

/// Everything that the front door and the data plane share.
pub struct World {
    state: Mutex<State>,
    /// The clock.
    pub clock: Clock,
    /// AWS's delays.
    pub delays: Delays,
    /// How long each call takes on its way.
    pub latency: Duration,
    /// Who was served.
    pub traffic: Traffic,
    /// Who signs what listeners present.
    pub authority: Authority,
    /// Where its name server listens, UDP and TCP.
    pub name_server: SocketAddr,
}

/// What AWS remembers.
pub struct State {
    /// By account and region.
    pub regions: BTreeMap<(String, String), (Ecs, Elb)>,
    /// Scalable targets and policies, by account and region.
    pub autoscaling: BTreeMap<(String, String), Autoscaling>,
    /// Metrics and alarms, by account and region.
    pub cloudwatch: BTreeMap<(String, String), CloudWatch>,
    /// What containers wrote.
    pub logs: Logs,
    /// Where services are registered.
    pub cloud_maps: CloudMaps,
    /// The DNS records.
    pub route53: Route53,
    /// Keys.
    pub credentials: Credentials,
    /// Token buckets.
    pub budgets: Budgets,
    /// Calls.
    pub journal: Journal,
    /// What is to go wrong.
    pub faults: Faults,
    /// What stood before the last write, by account and region; kept only while a fault asks for stale reads.
    kept: BTreeMap<(String, String), (Ecs, Elb)>,
    random: StdRng,
    addresses: Addresses,
}

impl State {
    /// Works on one account and region, which is there from its first use.
    pub fn within<T>(
        &mut self,
        world: &World,
        account: &str,
        region: &str,
        work: impl FnOnce(&mut Context<'_>, &mut Credentials) -> T,
    ) -> T {
        let (ecs, elb) = self.regions.entry((account.to_owned(), region.to_owned())).or_default();
        let mut context = Context {
            ecs,
            elb,
            autoscaling: self.autoscaling.entry((account.to_owned(), region.to_owned())).or_default(),
            cloudwatch: self.cloudwatch.entry((account.to_owned(), region.to_owned())).or_default(),
            logs: &mut self.logs,
            cloud_maps: &mut self.cloud_maps,
            route53: &mut self.route53,
            account,
            region,
            clock: &world.clock,
            delays: &world.delays,
            random: &mut self.random,
            addresses: &mut self.addresses,
        };
        work(&mut context, &mut self.credentials)
    }

    /// A number of the seeded randomness.
    pub fn draw(&mut self) -> u64 {
        rand::Rng::random(&mut self.random)
    }

    /// What stands in one account and region.
    pub fn stands(&self, account: &str, region: &str) -> (Ecs, Elb) {
        self.regions.get(&(account.to_owned(), region.to_owned())).cloned().unwrap_or_default()
    }

    /// Keeps what stood in one account and region before a write; none: nobody is to read what is no more.
    pub fn keep(&mut self, account: &str, region: &str, stood: Option<(Ecs, Elb)>) {
        let key = (account.to_owned(), region.to_owned());
        match stood {
            Some(stood) => drop(self.kept.insert(key, stood)),
            None => drop(self.kept.remove(&key)),
        }
    }

    /// Reads from what was kept, or from what stands if nothing was.
    pub fn within_kept<T>(
        &mut self,
        world: &World,
        account: &str,
        region: &str,
        work: impl FnOnce(&mut Context<'_>, &mut Credentials) -> T,
    ) -> T {
        let key = (account.to_owned(), region.to_owned());
        let Some(kept) = self.kept.get(&key).cloned() else { return self.within(world, account, region, work) };
        let stands = self.regions.insert(key.clone(), kept);
        let answer = self.within(world, account, region, work);
        match stands {
            Some(stands) => self.regions.insert(key, stands),
            None => self.regions.remove(&key),
        };
        answer
    }
}

impl World {
    /// The state. Nobody holds it across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One look of the schedulers at everything.
    pub fn tick(&self) {
        let tallies = self.traffic.take();
        let mut state = self.state();
        let keys: Vec<(String, String)> = state.regions.keys().cloned().collect();
        for (account, region) in keys {
            state.within(self, &account, &region, |context, _| {
                let now = context.clock.now();
                context.elb.tick(now);
                cloudwatch::tick(context, &tallies);
                autoscaling::tick(context);
                ecs::tick(context);
            });
        }
    }
}

impl Simulator {
    /// Starts one behind a listening socket of the caller's.
    ///
    /// # Errors
    /// When no loopback block can be claimed, or no key can be made.
    pub fn start(settings: Settings, listener: TcpListener) -> Result<Self, StartError> {
        let (claim, block) = claim(settings.network, settings.seed)?;
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let authority = Authority::new(since_1970)?;
        let mut credentials = Credentials::default();
        credentials.add(Credential {
            access_key: settings.access_key,
            secret_key: settings.secret_key,
            session_token: None,
            account: ACCOUNT.to_owned(),
            arn: format!("arn:aws:iam::{ACCOUNT}:user/sandbox"),
            expires: None,
        });
        let state = State {
            regions: BTreeMap::new(),
            autoscaling: BTreeMap::new(),
            cloudwatch: BTreeMap::new(),
            logs: Logs::default(),
            cloud_maps: CloudMaps::default(),
            route53: Route53::default(),
            credentials,
            budgets: Budgets::default(),
            journal: Journal::default(),
            faults: Faults::default(),
            kept: BTreeMap::new(),
            random: StdRng::seed_from_u64(settings.seed),
            addresses: Addresses::new(block),
        };
        let sockets = dns::Sockets::bind(settings.dns)?;
        let dns = sockets.address();
        let world = Arc::new(World {
            state: Mutex::new(state),
            clock: Clock::new(settings.clock_factor),
            delays: settings.delays,
            latency: settings.latency,
            traffic: Traffic::default(),
            authority,
            name_server: dns,
        });
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(front::serve(listener, Arc::clone(&world), stop.clone()));
        tasks.spawn(dns::serve(sockets, Arc::clone(&world), stop.clone()));
        tasks.spawn(dataplane::run(world, stop.clone()));
        Ok(Self { address, dns, stop, tasks, _claim: claim })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its name server listens, UDP and TCP.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// Ends it, and waits until all its sockets are closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Claims a loopback block for this process: whoever listens on its guard address owns it.
fn claim(wanted: Option<u8>, seed: u64) -> Result<(std::net::TcpListener, u8), StartError> {
    const GUARD_PORT: u16 = 47_123;
    let first = wanted.unwrap_or_else(|| {
        let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(std::process::id());
        u8::try_from(16 + mixed % 224).unwrap_or(16)
    });
    let candidates = (0..224_u16).map(|step| u8::try_from(16 + (u16::from(first) - 16 + step) % 224).unwrap_or(16));
    let candidates: Vec<u8> = if wanted.is_some() { vec![first] } else { candidates.collect() };
    for block in candidates {
        if let Ok(guard) = std::net::TcpListener::bind((Ipv4Addr::new(127, block, 0, 1), GUARD_PORT)) {
            return Ok((guard, block));
        }
    }
    Err(StartError::NoNetwork(wanted.map(|block| format!(" (asked for 127.{block}.0.0/16)")).unwrap_or_default()))
}
