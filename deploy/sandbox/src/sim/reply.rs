//! What an operation of a query service answers, before it takes its wire form. The generated types know AWS's names; how they are
//! written as XML is `front::xml`'s business, the same for every operation.

use serde::Serialize;
use serde_json::Value;

use super::error::ApiError;

/// An answer's members by AWS's names; lists are `{"member": [...]}`.
pub type Reply = Result<Value, ApiError>;

/// The members of a generated output type.
///
/// # Errors
/// Never for the types it is used with; a type that JSON can't express would be AWS's `InternalFailure`.
pub fn reply(output: &impl Serialize) -> Reply {
    serde_json::to_value(output).map_err(|error| ApiError::new("InternalFailure", error.to_string()).status(500))
}
