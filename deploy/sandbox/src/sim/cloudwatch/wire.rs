//! CloudWatch's protocols, as far as the front door has to tell them apart.

use serde_json::{Map, Value};

use super::cbor;

/// The protocol of a request, in which it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Smithy RPC v2, CBOR.
    Cbor,
    /// AWS JSON 1.0.
    Json,
    /// The query protocol, XML answers.
    Query,
}

/// Members of a CBOR body; none: it is not a map.
pub fn read_cbor(body: &[u8]) -> Option<Map<String, Value>> {
    if body.is_empty() {
        return Some(Map::new());
    }
    match cbor::read(body)? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// A CBOR body.
pub fn write_cbor(value: &Value) -> Vec<u8> {
    cbor::write(value)
}

/// The name of an error's shape, which JSON and CBOR bear; the query protocol's code of the same error is often shorter.
pub fn error_shape(code: &str) -> &str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "MissingParameter" => "MissingRequiredParameterException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "InvalidFormat" => "InvalidFormatFault",
        "LimitExceeded" => "LimitExceededFault",
        other => other,
    }
}
