//! The deterministic simulation: a control plane, several delegates, the store and a small AWS in one process, on simulated time and
//! network. The dispatch, the gateway, the agent, the session, the lease and the steps are the real ones, over the real wire
//! format; what is simulated is what they stand on. One seed gives one run, byte for byte.
//!
//! ```text
//! Scenario::of(seed) --events--> World: control plane | delegates | Net | Cloud (AWS) --> Trace, violations
//! ```
//!
//! Why it is deterministic: one thread; tokio's clock is paused and moves only when everybody waits; every random draw comes from
//! the seed; what is chosen by `select!` is biased wherever two things can be ready at once, and tables that are walked are sorted.

pub mod aws;
pub mod clock;
pub mod control_plane;
pub mod delegate_process;
pub mod deployments;
pub mod detail;
pub mod disk;
pub mod many;
pub mod network;
mod people;
pub mod planted;
pub mod run;
pub mod said;
pub mod scenario;
pub mod trace;
pub mod world;

pub use many::{Many, run_many};
pub use planted::Planted;
pub use run::{Run, run, run_in_full, run_scenario};
pub use scenario::Scenario;
