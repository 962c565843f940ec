//! Which operation is answered where. Requests are REST: path and query are told beside the body's members.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{batch, records, state::Account, zones};
use crate::sim::{context::Context, error::ApiError};

/// A request, taken apart.
#[derive(Debug, Clone, Default)]
pub struct Rest {
    /// The id in the path, without what stands before it.
    pub id: String,
    /// The query.
    pub query: HashMap<String, String>,
    /// The body's members by AWS's names; lists are `{"Change": [...]}`.
    pub body: Map<String, Value>,
}

/// An answer's members.
pub(super) type Answer = Result<Value, ApiError>;

/// Answers one operation.
///
/// # Errors
/// AWS's refusal.
pub fn handle(operation: &str, input: &Rest, context: &mut Context<'_>) -> Answer {
    match operation {
        "CreateHostedZone" => zones::create(input, context),
        "GetHostedZone" => zones::get(input, context),
        "ListHostedZones" => zones::list(input, context),
        "ListHostedZonesByName" => zones::by_name(input, context),
        "DeleteHostedZone" => zones::delete(input, context),
        "ChangeResourceRecordSets" => batch::change(input, context),
        "ListResourceRecordSets" => records::list(input, context),
        "GetChange" => zones::change(input, context),
        other => Err(ApiError::new("InvalidAction", format!("the simulator does not know route53:{other}"))),
    }
}

/// The caller's account.
pub(super) fn here<'a>(context: &'a mut Context<'_>) -> &'a mut Account {
    context.route53.of(context.account)
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInput", message)
}

pub(super) fn no_zone(id: &str) -> ApiError {
    ApiError::new("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")).status(404)
}

/// A page's size: the query's, at most 100 (300 for records).
pub(super) fn size(input: &Rest, name: &str, most: usize) -> Result<usize, ApiError> {
    match input.query.get(name) {
        None => Ok(most),
        Some(given) => {
            given.parse().map(|size: usize| size.clamp(1, most)).map_err(|_| invalid(format!("{name} is not a number")))
        }
    }
}
