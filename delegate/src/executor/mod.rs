//! Running one attempt of one step: the seams to the session ([`hooks`]), what a step may use ([`StepContext`]), and [`run`],
//! which turns an assignment into a report whatever the step does, a panic included.

mod console;
mod context;
pub mod hooks;
mod polling;
mod promise;
mod run;
mod secrets;
mod stop;

pub use console::Console;
pub use context::{Repeat, StepContext, Waiting};
pub use hooks::{CheckpointLog, Hooks, StepLog, WritePermit};
pub use polling::{Pace, Polling, WaitMemory};
pub use run::{Services, run};
pub use secrets::{Secrets, SecretsDirectory};
pub use stop::{Halt, Outcome};
