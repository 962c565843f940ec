//! The steps: for each kind what it is told to do, the facts it may not lose, and what it hands to later steps.
//!
//! An action is stored in the plan with every expression resolved except `${steps.*}` (known only when the step runs, see
//! [`crate::task::Assignment::resolved_action`]) and `${secrets.*}` (known only to the delegate).

mod action;
mod alarms;
mod approval;
mod checkpoint;
mod dns;
mod http_check;
mod kind;
mod notify;
mod number;
mod output;
mod previous;
mod prometheus;
mod scaling;
mod setup;
mod shell_script;
mod shift;
mod swap;
mod traffic;
mod upgrade;
mod wait;

pub use action::StepAction;
pub use alarms::{CloudWatchAlarms, InsufficientData};
pub use approval::{Approval, ApprovalOutput};
pub use checkpoint::Checkpoint;
pub use dns::{ChangeWeights, DnsSetup, DnsTarget, DnsTraffic, ServiceRegistry, WeightedRecord, WeightsOutput};
pub use http_check::{HttpCheck, HttpCheckOutput, HttpTarget};
pub use kind::StepKind;
pub use notify::Notify;
pub use number::{InvalidNumber, Number};
pub use output::StepOutput;
pub use previous::{PreviousVersion, PreviousVersionSetup};
pub use prometheus::{Bound, PrometheusCheck, PrometheusCheckOutput};
pub use scaling::AutoScaling;
pub use setup::{DesiredCount, LoadBalancerSetup, NewVersion, OldService, SetupOutput, WantedPair};
pub use shell_script::ShellScript;
pub use shift::{ShiftOutput, ShiftTraffic};
pub use swap::{Bake, PairSnapshot, RouteSnapshot, SwapOutput, SwapTargetGroups};
pub use traffic::{Route, RoutePair, RouteRule, Traffic};
pub use upgrade::{InstanceCount, UpgradeContainers, UpgradeOutput};
pub use wait::{Note, Wait};
