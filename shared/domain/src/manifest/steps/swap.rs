//! `swapTargetGroups`.

use super::{AlarmName, ShiftDocument, alarms::names};
use crate::manifest::{
    fields::Element,
    template::Template,
    written::{Duration, UrlPath, Whole, YesNo},
};

/// *Swap Target Groups* as a document says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SwapDocument {
    /// Bring the old service to 0 after the swap. None: yes.
    pub downsize_old: Option<Template<YesNo>>,
    /// How long to leave the old service running after the swap. None: not at all.
    pub delay: Option<Template<Duration>>,
    /// How long to wait, at most, until the old service gets no requests. None: they are not looked at.
    pub drain: Option<Template<Duration>>,
    /// A path that production must answer before the old service is brought to 0.
    pub probe: Option<Template<UrlPath>>,
    /// How production is watched after the swap. None: it is not.
    pub bake: Option<BakeDocument>,
    /// Shares of the traffic in between.
    pub shift: Vec<ShiftDocument>,
}

/// `bake`: how production is watched after the swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BakeDocument {
    /// How long.
    pub window: Template<Duration>,
    /// Pause between two probes. None: a second.
    pub interval: Option<Template<Duration>>,
    /// How many failed probes in a row are a breach. None: one.
    pub failures: Option<Template<Whole>>,
    /// The path that is probed. None: the swap's own `probe`.
    pub probe: Option<Template<UrlPath>>,
    /// Names of CloudWatch alarms that are a breach when they go off.
    pub alarms: Vec<Template<AlarmName>>,
}

impl SwapDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        if element.is_null() {
            return Some(Self::default());
        }
        let fields = element.mapping(&["downsizeOld", "delay", "drain", "probe", "bake", "shift"])?;
        Some(Self {
            downsize_old: fields.optional_template("downsizeOld"),
            delay: fields.optional_template("delay"),
            drain: fields.optional_template("drain"),
            probe: fields.optional_template("probe"),
            bake: fields.optional("bake").and_then(|bake| BakeDocument::read(&bake)),
            shift: ShiftDocument::list(&fields),
        })
    }
}

impl BakeDocument {
    /// `bake: 5m`, or a mapping that says more.
    fn read(element: &Element<'_>) -> Option<Self> {
        if !element.is_mapping() {
            let window = element.template()?;
            return Some(Self { window, interval: None, failures: None, probe: None, alarms: Vec::new() });
        }
        let fields = element.mapping(&["window", "interval", "failures", "probe", "alarms"])?;
        let window = fields.template("window");
        let interval = fields.optional_template("interval");
        let failures = fields.optional_template("failures");
        let probe = fields.optional_template("probe");
        let alarms = fields.optional("alarms").map_or(Some(Vec::new()), |list| names(&list));
        // Only now: everything that is wrong was found.
        Some(Self { window: window?, interval, failures, probe, alarms: alarms? })
    }
}
