//! The steps: for each kind what it is told to do, the facts it may not lose, and what it hands to later steps.
//!
//! An action is stored in the plan with every expression resolved except `${steps.*}` (known only when the step runs, see
//! [`crate::task::Assignment::resolved_action`]) and `${secrets.*}` (known only to the delegate).

mod checkpoint;
mod http_check;
mod setup;
mod swap;
mod upgrade;
mod wait;

use std::collections::BTreeMap;

pub use checkpoint::Checkpoint;
pub use http_check::{HttpCheck, HttpCheckOutput, HttpTarget};
use serde::{Deserialize, Serialize};
pub use setup::{DesiredCount, LoadBalancerSetup, OldService, SetupOutput};
pub use swap::{ListenerSnapshot, SwapOutput, SwapTargetGroups};
pub use upgrade::{InstanceCount, UpgradeContainers, UpgradeOutput};
pub use wait::{Note, Wait};

/// What a step does. Closed: a delegate that does not know a kind is not offered it (see [`StepKind`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepAction {
    /// ECS Blue Green Load Balancer Setup.
    BlueGreenLoadBalancerSetup(Box<LoadBalancerSetup>),
    /// Upgrade Containers.
    UpgradeContainers(UpgradeContainers),
    /// Swap Target Groups.
    SwapTargetGroups(SwapTargetGroups),
    /// HTTP Check.
    HttpCheck(HttpCheck),
    /// A line for the log, through a delegate.
    Note(Note),
    /// A pause, kept by the engine's own timer.
    Wait(Wait),
}

/// The kind of a step without its inputs: what a delegate says it supports, and what documents name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepKind {
    /// ECS Blue Green Load Balancer Setup.
    BlueGreenLoadBalancerSetup,
    /// Upgrade Containers.
    UpgradeContainers,
    /// Swap Target Groups.
    SwapTargetGroups,
    /// HTTP Check.
    HttpCheck,
    /// A line for the log.
    Note,
    /// A pause.
    Wait,
}

impl StepKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::BlueGreenLoadBalancerSetup,
        Self::UpgradeContainers,
        Self::SwapTargetGroups,
        Self::HttpCheck,
        Self::Note,
        Self::Wait,
    ];

    /// The key in a workflow document and the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BlueGreenLoadBalancerSetup => "blueGreenLoadBalancerSetup",
            Self::UpgradeContainers => "upgradeContainers",
            Self::SwapTargetGroups => "swapTargetGroups",
            Self::HttpCheck => "httpCheck",
            Self::Note => "note",
            Self::Wait => "wait",
        }
    }

    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The step's name when the document gives none: the words of the reference.
    pub fn title(self) -> &'static str {
        match self {
            Self::BlueGreenLoadBalancerSetup => "ECS Blue Green Load Balancer Setup",
            Self::UpgradeContainers => "Upgrade Containers",
            Self::SwapTargetGroups => "Swap Target Groups",
            Self::HttpCheck => "HTTP Check",
            Self::Note => "Note",
            Self::Wait => "Wait",
        }
    }

    /// The section of the phase under which the step is shown.
    pub fn section(self) -> &'static str {
        match self {
            Self::BlueGreenLoadBalancerSetup => "Set up",
            Self::UpgradeContainers => "Deploy",
            Self::HttpCheck => "Verify Service",
            Self::SwapTargetGroups => "Swap Target Groups",
            Self::Note | Self::Wait => "Wrap up",
        }
    }

    /// The name of the step's undo, for kinds that change something.
    pub fn undo_title(self) -> Option<&'static str> {
        match self {
            Self::BlueGreenLoadBalancerSetup => Some("Rollback Setup"),
            Self::UpgradeContainers => Some("Rollback Containers"),
            Self::SwapTargetGroups => Some("Rollback Swap Target Groups"),
            Self::HttpCheck | Self::Note | Self::Wait => None,
        }
    }

    /// Names of the outputs that `${steps.<step>.<output>}` may ask for.
    pub fn output_names(self) -> &'static [&'static str] {
        match self {
            Self::BlueGreenLoadBalancerSetup => &SetupOutput::NAMES,
            Self::UpgradeContainers => &UpgradeOutput::NAMES,
            Self::SwapTargetGroups => &SwapOutput::NAMES,
            Self::HttpCheck => &HttpCheckOutput::NAMES,
            Self::Note | Self::Wait => &[],
        }
    }
}

impl StepAction {
    /// The kind of this action.
    pub fn kind(&self) -> StepKind {
        match self {
            Self::BlueGreenLoadBalancerSetup(_) => StepKind::BlueGreenLoadBalancerSetup,
            Self::UpgradeContainers(_) => StepKind::UpgradeContainers,
            Self::SwapTargetGroups(_) => StepKind::SwapTargetGroups,
            Self::HttpCheck(_) => StepKind::HttpCheck,
            Self::Note(_) => StepKind::Note,
            Self::Wait(_) => StepKind::Wait,
        }
    }
}

/// What a step that succeeded hands to later steps and to `${steps.*}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepOutput {
    /// Of *ECS Blue Green Load Balancer Setup*.
    Setup(Box<SetupOutput>),
    /// Of *Upgrade Containers*.
    Upgrade(UpgradeOutput),
    /// Of *Swap Target Groups*.
    Swap(Box<SwapOutput>),
    /// Of *HTTP Check*.
    HttpCheck(HttpCheckOutput),
    /// Of steps that hand on nothing, and of every undo.
    Nothing,
}

impl StepOutput {
    /// The outputs by the names that expressions use.
    pub fn values(&self) -> BTreeMap<&'static str, String> {
        match self {
            Self::Setup(output) => output.values(),
            Self::Upgrade(output) => output.values(),
            Self::Swap(output) => output.values(),
            Self::HttpCheck(output) => output.values(),
            Self::Nothing => BTreeMap::new(),
        }
    }
}
