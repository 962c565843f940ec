//! Time in the simulated AWS: real time for what is *reported* (dates, events), scaled time for what is *waited for*.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The simulator's clock.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Instant,
    factor: f64,
}

impl Clock {
    /// A clock on which AWS's delays pass `factor` times faster than in AWS.
    pub fn new(factor: f64) -> Self {
        Self { started: Instant::now(), factor }
    }

    /// Seconds of AWS's time since the start: they pass `factor` times faster than on the wall.
    pub fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * self.factor
    }

    /// How long `seconds` of AWS's time take here.
    pub fn real(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds / self.factor).max(0.0))
    }

    /// How many times faster than AWS.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// Seconds since 1970-01-01 UTC on the wall, as AWS's JSON reports times.
    pub fn epoch(&self) -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| (elapsed.as_secs_f64() * 1_000.0).round() / 1_000.0)
    }

    /// Milliseconds since 1970-01-01 UTC on the wall, as CloudWatch Logs reports times.
    pub fn epoch_ms(&self) -> u64 {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}

/// AWS's delays in seconds, before scaling. Where AWS publishes no figure, an observed or a plausible one.
#[derive(Debug, Clone)]
pub struct Delays {
    /// Load balancer `provisioning` to `active` (AWS: minutes; shortened, nothing of a deployment depends on it).
    pub load_balancer: f64,
    /// A changed listener, rule, target or health state reaches the proxies (AWS publishes nothing; seconds).
    pub propagation: f64,
    /// Task PROVISIONING to PENDING: the network interface.
    pub provisioning: f64,
    /// PENDING to ACTIVATING: the image pull and container start.
    pub pending: f64,
    /// ACTIVATING to RUNNING: targets are registered in it.
    pub activating: f64,
    /// STOPPING to DEPROVISIONING: a well-behaved container's reaction to SIGTERM.
    pub stopping: f64,
    /// DEPROVISIONING to STOPPED: the removal of its interface.
    pub deprovisioning: f64,
    /// The scheduler looks at a service this often.
    pub scheduler: f64,
    /// A deleted service stays DRAINING at least this long.
    pub draining_name: f64,
    /// And is still described as INACTIVE for this long.
    pub inactive: f64,
    /// A service that stays steady says so again this often (AWS: repeated messages come at most every 6 hours).
    pub steady_repeat: f64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            load_balancer: 10.0,
            propagation: 1.0,
            provisioning: 8.0,
            pending: 15.0,
            activating: 3.0,
            stopping: 3.0,
            deprovisioning: 1.0,
            scheduler: 1.0,
            draining_name: 8.0,
            inactive: 3_600.0,
            steady_repeat: 6.0 * 3_600.0,
        }
    }
}
