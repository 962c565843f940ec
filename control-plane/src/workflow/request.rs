//! What a person asks for when a deployment is started.

use std::collections::BTreeMap;

/// A wish to deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRequest {
    /// Application of the workflow. Empty: the only one there is.
    pub application: String,
    /// Name of the workflow.
    pub workflow: String,
    /// Tag of the image.
    pub tag: String,
    /// Variables given at the start, by name.
    pub variables: BTreeMap<String, String>,
    /// Who asks.
    pub triggered_by: String,
}
