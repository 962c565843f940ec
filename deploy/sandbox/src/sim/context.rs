//! What an operation works on: one account and region of the state, the clock, and what has to be drawn.

use std::net::Ipv4Addr;

use rand::{Rng, rngs::StdRng};

use super::{
    autoscaling::Autoscaling,
    clock::{Clock, Delays},
    cloud_map::CloudMaps,
    cloudwatch::CloudWatch,
    ecs::Ecs,
    elbv2::Elb,
    logs::Logs,
    route53::Route53,
};

/// One account and region, under the state's lock.
pub struct Context<'a> {
    /// Its container service.
    pub ecs: &'a mut Ecs,
    /// Its load balancers.
    pub elb: &'a mut Elb,
    /// Its scalable targets and policies.
    pub autoscaling: &'a mut Autoscaling,
    /// Its metrics and alarms.
    pub cloudwatch: &'a mut CloudWatch,
    /// What containers wrote, of every account and region: a container may log to another region.
    pub logs: &'a mut Logs,
    /// Where services are registered.
    pub cloud_maps: &'a mut CloudMaps,
    /// The DNS records; they are global.
    pub route53: &'a mut Route53,
    /// The account, 12 digits.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
    /// The clock.
    pub clock: &'a Clock,
    /// AWS's delays.
    pub delays: &'a Delays,
    /// Seeded randomness.
    pub random: &'a mut StdRng,
    /// Addresses for tasks and load balancers.
    pub addresses: &'a mut Addresses,
}

impl Context<'_> {
    /// `digits` random hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(self.random.random_range(0..16), 16).unwrap_or('0')).collect()
    }

    /// A UUID's text, seeded.
    pub fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.random.random()).into_uuid().to_string()
    }

    /// A delay with a jitter of a fifth to either side.
    pub fn jittered(&mut self, seconds: f64) -> f64 {
        seconds * self.random.random_range(0.8..1.2)
    }

    /// An ARN of this account and region.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }
}

/// Loopback addresses of one simulator: those of its block, each given out once.
#[derive(Debug)]
pub struct Addresses {
    block: u8,
    next: u16,
}

impl Addresses {
    /// Addresses `127.<block>.0.2` and on.
    pub fn new(block: u8) -> Self {
        Self { block, next: 2 }
    }

    /// The next address.
    pub fn take(&mut self) -> Ipv4Addr {
        let [high, low] = self.next.to_be_bytes();
        self.next = if self.next >= 0xfffd { 2 } else { self.next + 1 };
        Ipv4Addr::new(127, self.block, high, low)
    }
}
