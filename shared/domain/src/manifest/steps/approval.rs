//! `approval`.

use crate::manifest::{
    fields::Element,
    template::Template,
    written::{Duration, FreeText, Whole, Words},
};

/// *Approval* as a document says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalDocument {
    /// What people are asked.
    pub message: Template<FreeText>,
    /// Who may answer. Empty: everybody who may use the API.
    pub approvers: Vec<Template<Words>>,
    /// How many different people have to approve. None: one.
    pub count: Option<Template<Whole>>,
    /// How long the answer is waited for. None: an hour.
    pub timeout: Option<Template<Duration>>,
}

impl ApprovalDocument {
    pub(super) fn read(element: &Element<'_>) -> Option<Self> {
        let fields = element.mapping(&["message", "approvers", "count", "timeout"])?;
        let message = fields.template("message");
        let approvers = fields.optional("approvers").map(|list| list.templates()).unwrap_or_default();
        let count = fields.optional_template("count");
        let timeout = fields.optional_template("timeout");
        // Only now: everything that is wrong was found.
        Some(Self { message: message?, approvers, count, timeout })
    }
}
