//! What steps hand on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ApprovalOutput, HttpCheckOutput, PrometheusCheckOutput, SetupOutput, ShiftOutput, SwapOutput, UpgradeOutput, WeightsOutput,
};

/// What a step that succeeded hands to later steps and to `${steps.*}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepOutput {
    /// Of the setups.
    Setup(Box<SetupOutput>),
    /// Of *Upgrade Containers*.
    Upgrade(UpgradeOutput),
    /// Of *Shift Traffic*.
    Shift(ShiftOutput),
    /// Of *Swap Target Groups*.
    Swap(Box<SwapOutput>),
    /// Of *Change Route 53 Weights*.
    Weights(Box<WeightsOutput>),
    /// Of *HTTP Check*.
    HttpCheck(HttpCheckOutput),
    /// Of *Approval*.
    Approval(ApprovalOutput),
    /// Of *Prometheus Check*.
    PrometheusCheck(PrometheusCheckOutput),
    /// Of steps that hand on nothing, and of every undo.
    Nothing,
}

impl StepOutput {
    /// The outputs by the names that expressions use.
    pub fn values(&self) -> BTreeMap<&'static str, String> {
        match self {
            Self::Setup(output) => output.values(),
            Self::Upgrade(output) => output.values(),
            Self::Shift(output) => output.values(),
            Self::Swap(output) => output.values(),
            Self::Weights(output) => output.values(),
            Self::HttpCheck(output) => output.values(),
            Self::Approval(output) => output.values(),
            Self::PrometheusCheck(output) => output.values(),
            Self::Nothing => BTreeMap::new(),
        }
    }
}
