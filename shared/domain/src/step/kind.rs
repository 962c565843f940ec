//! The kinds of steps, by the names that documents, output and delegates use.

use serde::{Deserialize, Serialize};

use super::{
    ApprovalOutput, HttpCheckOutput, PrometheusCheckOutput, SetupOutput, ShiftOutput, SwapOutput, UpgradeOutput, WeightsOutput,
};

/// The kind of a step without its inputs: what a delegate says it supports, and what documents name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepKind {
    /// ECS Blue Green Load Balancer Setup.
    BlueGreenLoadBalancerSetup,
    /// ECS Blue Green Route 53 Setup.
    BlueGreenRoute53Setup,
    /// Previous Version Setup.
    PreviousVersionSetup,
    /// Upgrade Containers.
    UpgradeContainers,
    /// Shift Traffic.
    ShiftTraffic,
    /// Swap Target Groups.
    SwapTargetGroups,
    /// Change Route 53 Weights.
    ChangeRoute53Weights,
    /// HTTP Check.
    HttpCheck,
    /// A line for the log.
    Note,
    /// A pause.
    Wait,
    /// People's word.
    Approval,
    /// Prometheus Check.
    PrometheusCheck,
    /// CloudWatch Alarms.
    CloudWatchAlarms,
    /// Shell Script.
    ShellScript,
    /// Notify.
    Notify,
}

impl StepKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::BlueGreenLoadBalancerSetup,
        Self::BlueGreenRoute53Setup,
        Self::PreviousVersionSetup,
        Self::UpgradeContainers,
        Self::ShiftTraffic,
        Self::SwapTargetGroups,
        Self::ChangeRoute53Weights,
        Self::HttpCheck,
        Self::Note,
        Self::Wait,
        Self::Approval,
        Self::PrometheusCheck,
        Self::CloudWatchAlarms,
        Self::ShellScript,
        Self::Notify,
    ];

    /// The key in a workflow document and the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BlueGreenLoadBalancerSetup => "blueGreenLoadBalancerSetup",
            Self::BlueGreenRoute53Setup => "blueGreenRoute53Setup",
            Self::PreviousVersionSetup => "previousVersionSetup",
            Self::UpgradeContainers => "upgradeContainers",
            Self::ShiftTraffic => "shiftTraffic",
            Self::SwapTargetGroups => "swapTargetGroups",
            Self::ChangeRoute53Weights => "changeRoute53Weights",
            Self::HttpCheck => "httpCheck",
            Self::Note => "note",
            Self::Wait => "wait",
            Self::Approval => "approval",
            Self::PrometheusCheck => "prometheusCheck",
            Self::CloudWatchAlarms => "cloudWatchAlarms",
            Self::ShellScript => "shellScript",
            Self::Notify => "notify",
        }
    }

    /// The kinds that a workflow document may name.
    pub fn of_documents() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| *kind != Self::PreviousVersionSetup)
    }

    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The step's name when the document gives none: the words of the reference.
    pub fn title(self) -> &'static str {
        match self {
            Self::BlueGreenLoadBalancerSetup => "ECS Blue Green Load Balancer Setup",
            Self::BlueGreenRoute53Setup => "ECS Blue Green Route 53 Setup",
            Self::PreviousVersionSetup => "Previous Version Setup",
            Self::UpgradeContainers => "Upgrade Containers",
            Self::ShiftTraffic => "Shift Traffic",
            Self::SwapTargetGroups => "Swap Target Groups",
            Self::ChangeRoute53Weights => "Change Route 53 Weights",
            Self::HttpCheck => "HTTP Check",
            Self::Note => "Note",
            Self::Wait => "Wait",
            Self::Approval => "Approval",
            Self::PrometheusCheck => "Prometheus Check",
            Self::CloudWatchAlarms => "CloudWatch Alarms",
            Self::ShellScript => "Shell Script",
            Self::Notify => "Notify",
        }
    }

    /// The section of the phase under which the step is shown.
    pub fn section(self) -> &'static str {
        match self {
            Self::BlueGreenLoadBalancerSetup | Self::BlueGreenRoute53Setup | Self::PreviousVersionSetup => "Set up",
            Self::UpgradeContainers => "Deploy",
            Self::HttpCheck => "Verify Service",
            Self::ShiftTraffic => "Shift Traffic",
            Self::SwapTargetGroups => "Swap Target Groups",
            Self::ChangeRoute53Weights => "Change Route 53 Weights",
            Self::PrometheusCheck => "Verify Service",
            Self::CloudWatchAlarms => "Verify Service",
            Self::ShellScript => "Run Script",
            Self::Notify => "Wrap up",
            Self::Note | Self::Wait => "Wrap up",
            Self::Approval => "Approve",
        }
    }

    /// The name of the step's undo, for kinds that change something.
    pub fn undo_title(self) -> Option<&'static str> {
        match self {
            Self::BlueGreenLoadBalancerSetup | Self::BlueGreenRoute53Setup => Some("Rollback Setup"),
            Self::UpgradeContainers => Some("Rollback Containers"),
            Self::ShiftTraffic => Some("Rollback Shift Traffic"),
            Self::SwapTargetGroups => Some("Rollback Swap Target Groups"),
            Self::ChangeRoute53Weights => Some("Rollback Route 53 Weights"),
            // The previous version's setup changes nothing.
            Self::PreviousVersionSetup | Self::HttpCheck | Self::Note | Self::Wait => None,
            Self::PrometheusCheck => None,
            Self::CloudWatchAlarms => None,
            Self::ShellScript => None,
            Self::Notify => None,
            Self::Approval => None,
        }
    }

    /// Whether the engine itself carries it out, so that no delegate gets a task of it.
    pub fn is_engines_own(self) -> bool {
        matches!(self, Self::Wait | Self::Approval)
    }

    /// Names of the outputs that `${steps.<step>.<output>}` may ask for.
    pub fn output_names(self) -> &'static [&'static str] {
        match self {
            Self::BlueGreenLoadBalancerSetup | Self::BlueGreenRoute53Setup | Self::PreviousVersionSetup => &SetupOutput::NAMES,
            Self::UpgradeContainers => &UpgradeOutput::NAMES,
            Self::ShiftTraffic => &ShiftOutput::NAMES,
            Self::SwapTargetGroups => &SwapOutput::NAMES,
            Self::ChangeRoute53Weights => &WeightsOutput::NAMES,
            Self::HttpCheck => &HttpCheckOutput::NAMES,
            Self::PrometheusCheck => &PrometheusCheckOutput::NAMES,
            Self::CloudWatchAlarms => &[],
            Self::ShellScript => &[],
            Self::Notify => &[],
            Self::Note | Self::Wait => &[],
            Self::Approval => &ApprovalOutput::NAMES,
        }
    }
}
