//! What each kind of step is told in a workflow document.

mod alarms;
mod approval;
mod dns;
mod http_check;
mod notify;
mod prometheus;
mod setup;
mod shape;
mod shell_script;
mod shift;
mod step;
mod swap;
mod upgrade;

pub use alarms::{AlarmName, AlarmsDocument, DataChoice};
pub use approval::ApprovalDocument;
pub use dns::{DnsSetupDocument, RegistryDocument, WeightsDocument};
pub use http_check::{HttpCheckDocument, HttpTargetDocument};
pub use notify::NotifyDocument;
pub use prometheus::{BoundDocument, Decimal, PrometheusDocument};
pub use setup::{AutoScalingDocument, DesiredCountDocument, PairDocument, SetupDocument, VersionDocument};
pub(super) use shape::{Switch, check_shape, name_steps};
pub use shell_script::ScriptDocument;
pub use shift::{ShiftDocument, ShiftTrafficDocument};
pub use step::{ActionDocument, RetryDocument, StepDocument};
pub use swap::{BakeDocument, SwapDocument};
pub use upgrade::UpgradeDocument;
