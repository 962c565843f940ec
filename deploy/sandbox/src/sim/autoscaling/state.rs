//! What Application Auto Scaling remembers in one account and region.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value, json};

/// Activities that are remembered.
const MOST_ACTIVITIES: usize = 1_000;

/// One account and region. Everything by its resource id, `service/CLUSTER/SERVICE`.
#[derive(Debug, Default)]
pub struct Autoscaling {
    /// Scalable targets.
    pub(super) targets: BTreeMap<String, ScalableTarget>,
    /// Policies, by resource id and name.
    pub(super) policies: BTreeMap<(String, String), Policy>,
    /// What was done, newest first.
    pub(super) activities: VecDeque<Activity>,
    /// When policies were last looked at, in AWS's time.
    pub(super) looked: f64,
}

/// A scalable target.
#[derive(Debug)]
pub(super) struct ScalableTarget {
    /// Its ARN.
    pub arn: String,
    /// Its bounds.
    pub min: u32,
    /// Its bounds.
    pub max: u32,
    /// What is suspended.
    pub suspended: Suspended,
    /// The role it was registered with.
    pub role: String,
    /// Seconds since 1970.
    pub created_at: f64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What is suspended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suspended {
    /// Scaling in by policies.
    pub into: bool,
    /// Scaling out by policies.
    pub out: bool,
    /// Scheduled actions.
    pub scheduled: bool,
}

/// A scaling policy.
#[derive(Debug)]
pub(super) struct Policy {
    /// Its ARN.
    pub arn: String,
    /// `TargetTrackingScaling` or `StepScaling`.
    pub kind: Kind,
    /// Its configuration, as it was given.
    pub configuration: Map<String, Value>,
    /// Names of the alarms that were made for it: high, low.
    pub alarms: Vec<String>,
    /// Seconds since 1970.
    pub created_at: f64,
    /// When it last scaled out and in, in AWS's time.
    pub scaled_out: Option<f64>,
    /// When it last scaled out and in, in AWS's time.
    pub scaled_in: Option<f64>,
}

impl Policy {
    /// When it last scaled, in AWS's time.
    pub fn scaled(&self) -> Option<f64> {
        self.scaled_out.into_iter().chain(self.scaled_in).reduce(f64::max)
    }
}

/// What kind of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Keeps a metric at a value.
    Tracking,
    /// Adjusts by steps when an alarm says so.
    Steps,
}

impl Kind {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tracking => "TargetTrackingScaling",
            Self::Steps => "StepScaling",
        }
    }

    /// The member that holds its configuration.
    pub fn member(self) -> &'static str {
        match self {
            Self::Tracking => "TargetTrackingScalingPolicyConfiguration",
            Self::Steps => "StepScalingPolicyConfiguration",
        }
    }
}

/// Something that was done.
#[derive(Debug)]
pub(super) struct Activity {
    /// A UUID.
    pub id: String,
    /// What it was done to.
    pub resource: String,
    /// What was done.
    pub description: String,
    /// Why.
    pub cause: String,
    /// What came of it.
    pub message: String,
    /// Seconds since 1970.
    pub at: f64,
}

impl Autoscaling {
    /// Targets and policies, without clocks and counters.
    pub fn shapes(&self) -> Value {
        let targets: Map<String, Value> = self
            .targets
            .iter()
            .map(|(resource, target)| {
                let Suspended { into, out, scheduled } = target.suspended;
                let shape = json!({
                    "min": target.min, "max": target.max, "tags": target.tags,
                    "suspended": {"in": into, "out": out, "scheduled": scheduled},
                });
                (resource.clone(), shape)
            })
            .collect();
        let policies: Map<String, Value> = self
            .policies
            .iter()
            .map(|((resource, name), policy)| {
                (format!("{resource}/{name}"), json!({"type": policy.kind.as_str(), "configuration": policy.configuration}))
            })
            .collect();
        json!({"targets": targets, "policies": policies})
    }

    /// Remembers what was done.
    pub(super) fn note(&mut self, activity: Activity) {
        self.activities.push_front(activity);
        self.activities.truncate(MOST_ACTIVITIES);
    }
}
