//! What each kind of step is told in a workflow document.

mod approval;
mod http_check;
mod prometheus;
mod setup;
mod shape;
mod step;
mod swap;
mod upgrade;

pub use approval::ApprovalDocument;
pub use http_check::{HttpCheckDocument, HttpTargetDocument};
pub use prometheus::{BoundDocument, PrometheusDocument};
pub use setup::{DesiredCountDocument, SetupDocument};
pub(super) use shape::{check_shape, name_steps};
pub use step::{ActionDocument, RetryDocument, StepDocument};
pub use swap::{BakeDocument, SwapDocument};
pub use upgrade::UpgradeDocument;
