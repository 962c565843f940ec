//! `segue-sandbox demo`: three versions deployed one after another behind a load balancer while requests never stop.

mod load;
mod resolving;
mod run;
mod summary;

pub use load::{Load, Traffic};
pub use run::{DemoOptions, run};
pub use summary::{DeploymentSummary, StepSummary, Summary};
