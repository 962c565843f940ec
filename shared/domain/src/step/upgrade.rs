//! Upgrade Containers: inputs and output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many of the setup's tasks a phase runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InstanceCount {
    /// This many.
    Count(u32),
    /// This part of the setup's desired count, in percent (0 to 100).
    Percent(u32),
}

impl InstanceCount {
    /// The number of tasks out of `total`. Halves round up; a percentage above 0 is never less than one task.
    pub fn of(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(0) => 0,
            Self::Percent(percent) => {
                let rounded = (u64::from(total) * u64::from(percent) + 50) / 100;
                u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
            }
        }
    }

    /// Reads `3` or `50%`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().strip_suffix('%') {
            Some(percent) => percent.trim().parse().ok().filter(|p| *p <= 100).map(Self::Percent),
            None => text.trim().parse().ok().map(Self::Count),
        }
    }
}

/// Inputs of *Upgrade Containers*. The service, its cluster and its target group come from the setup's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeContainers {
    /// How many tasks to run after this step: a count, or a percentage of the setup's.
    pub desired: String,
}

/// What *Upgrade Containers* hands on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeOutput {
    /// The service that was resized.
    pub service: String,
    /// Its desired count now.
    pub desired_count: u32,
    /// Addresses of its tasks.
    pub addresses: Vec<String>,
}

impl UpgradeOutput {
    /// The names that [`UpgradeOutput::values`] yields.
    pub const NAMES: [&'static str; 3] = ["service", "desiredCount", "addresses"];

    pub(super) fn values(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("service", self.service.clone()),
            ("desiredCount", self.desired_count.to_string()),
            ("addresses", self.addresses.join(",")),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_up_and_some_is_never_none() {
        assert_eq!(InstanceCount::Percent(50).of(2), 1);
        assert_eq!(InstanceCount::Percent(50).of(3), 2);
        assert_eq!(InstanceCount::Percent(25).of(2), 1);
        assert_eq!(InstanceCount::Percent(1).of(10), 1);
        assert_eq!(InstanceCount::Percent(0).of(10), 0);
        assert_eq!(InstanceCount::Percent(100).of(7), 7);
        assert_eq!(InstanceCount::Count(4).of(2), 4);
    }

    #[test]
    fn counts_and_percentages_are_read() {
        assert_eq!(InstanceCount::parse("3"), Some(InstanceCount::Count(3)));
        assert_eq!(InstanceCount::parse(" 50 % "), Some(InstanceCount::Percent(50)));
        assert_eq!(InstanceCount::parse("101%"), None);
        assert_eq!(InstanceCount::parse("-1"), None);
        assert_eq!(InstanceCount::parse("half"), None);
    }
}
