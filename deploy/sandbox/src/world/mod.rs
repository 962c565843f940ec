//! A whole world on one machine: the simulated AWS, a control plane and its delegates as processes of their own, and what they need
//! to know of each other.
//!
//! The demonstration, `up` and the end-to-end tests all stand on this. Nothing here is a short cut: the world is seeded through
//! AWS's API, delegates join with one-time tokens, and documents are applied over the wire.

mod client;
mod manifests;
mod port;
mod process;
mod program;
mod seed;
mod seed_dns;
mod seed_lines;
mod setup;

pub use client::AwsControl;
pub use manifests::{Manifests, Workload};
pub use process::Process;
pub use program::Programs;
pub use seed::{LoadBalancerSeed, Seed, Seeded, aws_config, seed};
pub use seed_dns::SeededDns;
pub use seed_lines::{SeededLine, seed_lines};
pub use setup::{DelegateHandle, DelegateOptions, Switch, World, WorldSettings};
