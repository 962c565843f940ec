//! Previous Version Setup: what stands in place of the setup when production goes back to the version before. It makes nothing; it
//! finds the version that a deployment left at 0, and hands on a setup in which old and new have changed places, so that the steps
//! that follow are the ones that every deployment has.

use serde::{Deserialize, Serialize};

use super::{AutoScaling, OldService, SetupOutput};
use crate::ids::DeploymentId;

/// Inputs of *Previous Version Setup*. Planned by the control plane, never written in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousVersionSetup {
    /// The deployment that is rolled back.
    pub deployment: DeploymentId,
    /// What its setup handed on.
    pub setup: SetupOutput,
    /// The image that the previous version runs; empty while that is asked for.
    pub image: String,
}

/// What stands where a deployment that is to be rolled back left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousVersion {
    /// Why production can't go back, a sentence each. Empty: it can.
    pub obstacles: Vec<String>,
    /// What is worth knowing and no obstacle.
    pub remarks: Vec<String>,
    /// The image that the previous version's task definition names; empty where that can't be read.
    pub image: String,
    /// Desired count of the service that serves production now.
    pub serving_count: u32,
    /// How many tasks the previous version gets: as many as it had, and no fewer than serve now.
    pub wanted_count: u32,
    /// The serving service's auto scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_scaling: Option<AutoScaling>,
    /// The serving service's colour tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bg_version: Option<String>,
}

impl PreviousVersionSetup {
    /// The setup seen from the other side: the previous version is new, what serves now is old.
    ///
    /// None: the deployment had no previous version.
    pub fn mirrored(&self, standing: &PreviousVersion) -> Option<SetupOutput> {
        let from = &self.setup;
        let previous = from.old.as_ref()?;
        Some(SetupOutput {
            service: previous.name.clone(),
            service_arn: previous.arn.clone(),
            task_definition: previous.task_definition.clone(),
            image: self.image.clone(),
            desired_count: standing.wanted_count,
            // As it was when it last served.
            auto_scaling: previous.auto_scaling.clone(),
            old: Some(OldService {
                name: from.service.clone(),
                arn: from.service_arn.clone(),
                desired_count: standing.serving_count,
                task_definition: from.task_definition.clone(),
                bg_version: standing.bg_version.clone(),
                auto_scaling: standing.auto_scaling.clone(),
            }),
            traffic: from.traffic.mirrored(),
            ..from.clone()
        })
    }
}
