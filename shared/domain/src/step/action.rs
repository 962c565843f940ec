//! What a step does, with everything that it is told.

use serde::{Deserialize, Serialize};

use super::{
    Approval, ChangeWeights, CloudWatchAlarms, DnsSetup, HttpCheck, LoadBalancerSetup, Note, Notify, PreviousVersionSetup,
    PrometheusCheck, ShellScript, ShiftTraffic, StepKind, SwapTargetGroups, UpgradeContainers, Wait,
};

/// What a step does. Closed: a delegate that does not know a kind is not offered it (see [`StepKind`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepAction {
    /// ECS Blue Green Load Balancer Setup.
    BlueGreenLoadBalancerSetup(Box<LoadBalancerSetup>),
    /// ECS Blue Green Route 53 Setup.
    BlueGreenRoute53Setup(Box<DnsSetup>),
    /// Previous Version Setup: of a rollback after success, never of a document.
    PreviousVersionSetup(Box<PreviousVersionSetup>),
    /// Upgrade Containers.
    UpgradeContainers(UpgradeContainers),
    /// Swap Target Groups.
    SwapTargetGroups(SwapTargetGroups),
    /// Shift Traffic.
    ShiftTraffic(ShiftTraffic),
    /// Change Route 53 Weights.
    ChangeRoute53Weights(ChangeWeights),
    /// HTTP Check.
    HttpCheck(HttpCheck),
    /// A line for the log, through a delegate.
    Note(Note),
    /// A pause, kept by the engine's own timer.
    Wait(Wait),
    /// People's word, kept by the engine.
    Approval(Approval),
    /// Prometheus Check.
    PrometheusCheck(Box<PrometheusCheck>),
    /// CloudWatch Alarms.
    CloudWatchAlarms(CloudWatchAlarms),
    /// Shell Script.
    ShellScript(ShellScript),
    /// Notify.
    Notify(Notify),
}

impl StepAction {
    /// The kind of this action.
    pub fn kind(&self) -> StepKind {
        match self {
            Self::BlueGreenLoadBalancerSetup(_) => StepKind::BlueGreenLoadBalancerSetup,
            Self::BlueGreenRoute53Setup(_) => StepKind::BlueGreenRoute53Setup,
            Self::PreviousVersionSetup(_) => StepKind::PreviousVersionSetup,
            Self::UpgradeContainers(_) => StepKind::UpgradeContainers,
            Self::SwapTargetGroups(_) => StepKind::SwapTargetGroups,
            Self::ShiftTraffic(_) => StepKind::ShiftTraffic,
            Self::ChangeRoute53Weights(_) => StepKind::ChangeRoute53Weights,
            Self::HttpCheck(_) => StepKind::HttpCheck,
            Self::Note(_) => StepKind::Note,
            Self::Wait(_) => StepKind::Wait,
            Self::Approval(_) => StepKind::Approval,
            Self::PrometheusCheck(_) => StepKind::PrometheusCheck,
            Self::CloudWatchAlarms(_) => StepKind::CloudWatchAlarms,
            Self::ShellScript(_) => StepKind::ShellScript,
            Self::Notify(_) => StepKind::Notify,
        }
    }
}
