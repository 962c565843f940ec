//! The simulated AWS: its control plane on AWS's own wire protocols, and a data plane that really carries traffic.
//!
//! ```text
//!   SDK, AWS CLI -> front (signature, budget, journal) -> ecs | elbv2 | logs | route53 | cloud_map | sts   change the state, and nothing else
//!                                                            state
//!   requests ----> dataplane (listeners, forward)  <-- a while later --+--> schedulers, every few milliseconds
//!                  tasks, health checks -----------------------------> state
//! ```

mod autoscaling;
mod clock;
mod cloud_map;
mod cloudwatch;
mod context;
mod credentials;
mod dataplane;
mod dns;
mod ecs;
mod elbv2;
mod error;
mod front;
mod logs;
mod reply;
mod route53;
mod simulator;
mod sts;

pub use clock::Delays;
pub use front::{Problem, Rule, fault_kinds, read_fault};
pub use simulator::{ACCOUNT, Settings, Simulator, StartError};
