//! How a step fails: of what kind, and whether its effect may stand in AWS.
//!
//! The second is what everything else turns on. A failure that *did not happen* can be tried again as if for the first time; one
//! that *may have happened* (a time-out after the request was sent, a lost answer, a delegate that vanished) has to be looked up
//! before anything is tried again, and is undone as if it had happened.

mod dossier;

use std::fmt;

pub use dossier::{AwsRequest, Change, DOSSIER_BYTES, Dossier, LastLines, SaidEvent, SickTarget, StoppedContainer, StoppedTask};
use serde::{Deserialize, Serialize};

/// What failed, in the words that failure strategies use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureKind {
    /// The application or its configuration: tasks that don't start, a check that finds the world not as it must be.
    Application,
    /// A limit in time ran out.
    Timeout,
    /// AWS or another peer could not be reached, or answered with a fault of its own.
    Connectivity,
    /// AWS refused the credentials or the permission.
    Authorization,
    /// A verification said no.
    Verification,
    /// A person said no.
    ApprovalRejected,
    /// The delegate's own policy, or Segue's, forbids it.
    Policy,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Application,
        Self::Timeout,
        Self::Connectivity,
        Self::Authorization,
        Self::Verification,
        Self::ApprovalRejected,
        Self::Policy,
    ];

    /// The kind as documents and output write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Timeout => "timeout",
            Self::Connectivity => "connectivity",
            Self::Authorization => "authorization",
            Self::Verification => "verification",
            Self::ApprovalRejected => "approvalRejected",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the effect that failed may stand all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Certainly nothing was changed by what failed.
    DidNotHappen,
    /// It may have been carried out although no answer said so.
    MayHaveHappened,
}

/// What AWS (or another peer) said, kept apart from our own words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerAnswer {
    /// Which operation was called, as `ecs:CreateService`.
    pub operation: String,
    /// The error code on the wire, when there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The message, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// AWS's request id, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl fmt::Display for PeerAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, " answered {code}: {message}")?,
            (Some(code), None) => write!(f, " answered {code}")?,
            (None, Some(message)) => write!(f, ": {message}")?,
            (None, None) => write!(f, " gave no answer")?,
        }
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

/// Why one attempt of a step did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct Failure {
    /// What kind of thing failed.
    pub kind: FailureKind,
    /// Whether what failed may stand in AWS.
    pub effect: Effect,
    /// Whether the same attempt may work a little later (throttling, a lost connection), as far as the step can tell.
    pub transient: bool,
    /// What was tried, what is wrong, where. Several findings stand on lines of their own.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What the peer said. Boxed: a failure is the error of nearly everything, and most have no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<PeerAnswer>>,
    /// The evidence, where a version would not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dossier: Option<Box<Dossier>>,
}

impl Failure {
    /// A failure before anything was changed, which would come again if tried again.
    pub fn refused(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            effect: Effect::DidNotHappen,
            transient: false,
            message: message.into(),
            hint: None,
            answer: None,
            dossier: None,
        }
    }

    /// A failure after which the effect may stand.
    pub fn uncertain(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { effect: Effect::MayHaveHappened, ..Self::refused(kind, message) }
    }

    /// The same failure with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
