//! `notify`.

use crate::manifest::{
    fields::Element,
    template::Template,
    written::{FreeText, Url, YesNo},
};

/// *Notify* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyDocument {
    /// Where the JSON is sent.
    pub webhook: Template<Url>,
    /// What is told.
    pub message: Template<FreeText>,
    /// Whether the deployment fails when it can't be told. None: no.
    pub required: Option<Template<YesNo>>,
}

impl NotifyDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["webhook", "message", "required"])?;
        let (webhook, message) = (fields.template("webhook"), fields.template("message"));
        let required = fields.optional_template("required");
        // Only now: everything that is wrong was found.
        Some(Self { webhook: webhook?, message: message?, required })
    }
}
