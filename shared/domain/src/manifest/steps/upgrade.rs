//! `upgradeContainers`.

use crate::manifest::{fields::Element, template::Template, written::Instances};

/// *Upgrade Containers* as a document says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpgradeDocument {
    /// A count, or a percentage of the setup's desired count. None: 100%.
    pub desired: Option<Template<Instances>>,
}

impl UpgradeDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        if element.is_null() {
            return Some(Self::default());
        }
        Some(Self { desired: element.mapping(&["desired"])?.optional_template("desired") })
    }
}
