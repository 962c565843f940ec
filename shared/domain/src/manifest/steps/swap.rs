//! `swapTargetGroups`.

use crate::manifest::{
    fields::Element,
    template::Template,
    written::{Duration, UrlPath, YesNo},
};

/// *Swap Target Groups* as a document says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SwapDocument {
    /// Bring the old service to 0 after the swap. None: yes.
    pub downsize_old: Option<Template<YesNo>>,
    /// How long to leave the old service running after the swap. None: not at all.
    pub delay: Option<Template<Duration>>,
    /// A path that production must answer before the old service is brought to 0.
    pub probe: Option<Template<UrlPath>>,
}

impl SwapDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        if element.is_null() {
            return Some(Self::default());
        }
        let fields = element.mapping(&["downsizeOld", "delay", "probe"])?;
        Some(Self {
            downsize_old: fields.optional_template("downsizeOld"),
            delay: fields.optional_template("delay"),
            probe: fields.optional_template("probe"),
        })
    }
}
