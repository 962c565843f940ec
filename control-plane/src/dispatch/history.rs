//! What was done on a line before: which deployment a rollback after success takes back, and why there may be none.

use std::sync::Arc;

use domain::{
    deployment::{DeploymentStatus, DeploymentView},
    ids::DeploymentId,
    outcome::Outcome,
};
use engine::Deployment;

use super::{Dispatch, DispatchError, queue::Lane};

/// Which deployment a person wants to have rolled back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToRollBack {
    /// This one. None: the last that succeeded.
    pub deployment: Option<DeploymentId>,
    /// Of this application, if one is named.
    pub application: Option<String>,
    /// On this infrastructure.
    pub infrastructure: Option<String>,
    /// Of this service.
    pub service: Option<String>,
}

/// Why nothing can be rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRollback {
    /// There is nothing there.
    #[error("no deployment has succeeded there, so there is nothing to roll back")]
    NothingSucceeded,
    /// Several lines fit.
    #[error("several services were deployed; say which is meant:\n{}", .0.join("\n"))]
    Ambiguous(Vec<String>),
    /// One runs, or waits for its turn.
    #[error("{0} runs on this service or waits for its turn; a rollback after success is refused meanwhile")]
    Open(DeploymentId),
    /// A later one succeeded.
    #[error("{newer} succeeded after {id}: what {id} left is not what serves now")]
    Newer {
        /// The one that was to be rolled back.
        id: DeploymentId,
        /// The later one.
        newer: DeploymentId,
    },
    /// It did not succeed in the first place.
    #[error("{id} {how}, so there is nothing of it to roll back")]
    NotSucceeded {
        /// Which.
        id: DeploymentId,
        /// How it ended, as a verb.
        how: String,
    },
    /// It was rolled back before.
    #[error("{id} was rolled back already, by {by}")]
    Before {
        /// Which.
        id: DeploymentId,
        /// The rollback.
        by: DeploymentId,
    },
    /// A later one ended with things left as they stood: what serves now is not known.
    #[error("{id} {how} after the last success: how it left the service is not known here")]
    Unclear {
        /// Which.
        id: DeploymentId,
        /// How it ended, as a verb.
        how: String,
    },
}

impl NoRollback {
    /// What to do instead.
    pub fn hint(&self) -> String {
        match self {
            Self::NothingSucceeded => "segue deployment list".to_owned(),
            Self::Ambiguous(_) => "name the deployment, or --infrastructure and --service".to_owned(),
            Self::Open(id) => format!("segue deployment rollback {id}, or wait: segue deployment watch {id}"),
            Self::Newer { newer, .. } => format!("segue rollback {newer}, or deploy the version that is wanted"),
            Self::NotSucceeded { id, .. } => format!("segue deployment show {id}"),
            Self::Before { by, .. } => {
                format!("segue deployment show {by}; to go forward again, deploy the version that is wanted")
            }
            Self::Unclear { id, .. } => format!("segue deployment show {id}; then deploy the version that is wanted"),
        }
    }
}

impl Dispatch {
    /// The deployment that a rollback after success takes back: the last that succeeded on its line, if nothing came after it that
    /// changed anything.
    ///
    /// # Errors
    /// Why there is none, or that the store can't be read.
    pub async fn to_roll_back(&self, wanted: &ToRollBack) -> Result<Deployment, DispatchError> {
        let lane = match wanted.deployment {
            Some(id) => Lane::of(self.stored(id).await?.ok_or(DispatchError::NotFound(id))?.plan()),
            None => self.only_lane(wanted).await?,
        };
        for id in self.records.on_lane(&lane).await? {
            let Some(deployment) = self.stored(id).await? else { continue };
            match deployment.outcome() {
                None => return Err(NoRollback::Open(id).into()),
                Some(Outcome::Succeeded) => return chosen(deployment, wanted.deployment),
                // It left everything as it was, or never began.
                Some(outcome) if !deployment.is_started() || is_harmless(outcome) => {
                    if wanted.deployment == Some(id) {
                        return Err(NoRollback::NotSucceeded { id, how: verb(outcome) }.into());
                    }
                }
                Some(outcome) => return Err(NoRollback::Unclear { id, how: verb(outcome) }.into()),
            }
        }
        Err(NoRollback::NothingSucceeded.into())
    }

    /// The view with what came later: whether it was rolled back after it had succeeded.
    pub(super) async fn with_later(self: &Arc<Self>, mut view: DeploymentView) -> Result<DeploymentView, DispatchError> {
        if matches!(view.status, DeploymentStatus::Finished { outcome: Outcome::Succeeded })
            && let Some(by) = self.records.rollback_of(view.id).await?
        {
            let later = self.stored(by).await?;
            view.rolled_back_by = later.filter(|later| later.outcome() == Some(&Outcome::Succeeded)).map(|_| by);
        }
        Ok(view)
    }

    async fn only_lane(&self, wanted: &ToRollBack) -> Result<Lane, DispatchError> {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        let mut lanes = self.records.lanes().await?;
        lanes.retain(|(lane, service)| {
            fits(&wanted.application, &lane.application)
                && fits(&wanted.infrastructure, &lane.infrastructure)
                && fits(&wanted.service, service)
        });
        match lanes.len() {
            0 => Err(NoRollback::NothingSucceeded.into()),
            1 => Ok(lanes.swap_remove(0).0),
            _ => {
                let named = |(lane, service): &(Lane, String)| {
                    format!(
                        "application {}, infrastructure {}, service {service} ({})",
                        lane.application, lane.infrastructure, lane.line
                    )
                };
                Err(NoRollback::Ambiguous(lanes.iter().map(named).collect()).into())
            }
        }
    }

    async fn stored(&self, id: DeploymentId) -> Result<Option<Deployment>, DispatchError> {
        Ok(self.records.load(id).await?)
    }
}

/// The last success, if it is the one that was named.
fn chosen(last: Deployment, named: Option<DeploymentId>) -> Result<Deployment, DispatchError> {
    let newer = last.id();
    if let Some(id) = last.plan().rolls_back
        && named.is_none_or(|named| named == id || named == newer)
    {
        return Err(NoRollback::Before { id, by: newer }.into());
    }
    match named {
        Some(id) if id != newer => Err(NoRollback::Newer { id, newer }.into()),
        _ => Ok(last),
    }
}

/// Whether the deployment left everything as it was before it.
fn is_harmless(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::RolledBack | Outcome::Rejected => true,
        Outcome::Succeeded | Outcome::NeedsOperator(_) | Outcome::Aborted => false,
    }
}

fn verb(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::RolledBack => "was rolled back",
        Outcome::NeedsOperator(_) => "needed an operator",
        Outcome::Aborted => "was aborted",
        Outcome::Rejected => "was rejected",
    }
    .to_owned()
}
