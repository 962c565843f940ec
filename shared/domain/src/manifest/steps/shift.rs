//! `shiftTraffic`, and `shift`: shares of the traffic in between, before all of it.

use crate::manifest::{
    fields::{Element, Mapping},
    template::Template,
    written::{Duration, Share, Whole, Words},
};

/// *Shift Traffic* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftTrafficDocument {
    /// The new version's share, in percent.
    pub weight: Template<Share>,
    /// With DNS: TTL of the records, in seconds. None: 60.
    pub ttl: Option<Template<Whole>>,
    /// With DNS: what the set identifiers begin with. None: `Harness`.
    pub identifier_prefix: Option<Template<Words>>,
}

impl ShiftTrafficDocument {
    /// `shiftTraffic: 25`, or a mapping that says more.
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        if !element.is_mapping() {
            return Some(Self { weight: element.template()?, ttl: None, identifier_prefix: None });
        }
        let fields = element.mapping(&["weight", "ttl", "identifierPrefix"])?;
        let weight = fields.template("weight");
        let (ttl, identifier_prefix) = (fields.optional_template("ttl"), fields.optional_template("identifierPrefix"));
        Some(Self { weight: weight?, ttl, identifier_prefix })
    }
}

/// One step of a gradual shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftDocument {
    /// The new version's share, in percent.
    pub weight: Template<Share>,
    /// How long it stays so.
    pub wait: Template<Duration>,
}

impl ShiftDocument {
    /// The field `shift`; empty where there is none.
    pub(super) fn list(fields: &Mapping<'_>) -> Vec<Self> {
        let list = fields.optional("shift").and_then(|list| list.list()).unwrap_or_default();
        list.iter().filter_map(Self::read).collect()
    }

    fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["weight", "wait"])?;
        let (weight, wait) = (fields.template("weight"), fields.template("wait"));
        Some(Self { weight: weight?, wait: wait? })
    }
}
