//! The REST protocol with XML bodies, which Route 53 speaks: the operation is told by method and path.

use std::collections::HashMap;

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Map, Value};

use crate::sim::{error::ApiError, route53::Rest};

/// What stands before every path of Route 53.
pub const PREFIX: &str = "/2013-04-01/";

/// The operation and its members.
///
/// # Errors
/// When there is no such path, or the body is no XML.
pub fn read(parts: &Parts, path: &str, body: &Bytes) -> Result<(String, Rest), ApiError> {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (operation, id) = match (parts.method.as_str(), steps.as_slice()) {
        ("POST", ["hostedzone"]) => ("CreateHostedZone", ""),
        ("GET", ["hostedzone"]) => ("ListHostedZones", ""),
        ("GET", ["hostedzonesbyname"]) => ("ListHostedZonesByName", ""),
        ("GET", ["hostedzone", id]) => ("GetHostedZone", *id),
        ("DELETE", ["hostedzone", id]) => ("DeleteHostedZone", *id),
        ("POST", ["hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", *id),
        ("GET", ["hostedzone", id, "rrset"]) => ("ListResourceRecordSets", *id),
        ("GET", ["change", id]) => ("GetChange", *id),
        _ => {
            let message = format!("the simulator knows no route53 operation {} {path}", parts.method);
            return Err(ApiError::new("InvalidAction", message).status(404));
        }
    };
    let query: HashMap<String, String> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let body = if body.is_empty() { Map::new() } else { members(body)? };
    Ok((operation.to_owned(), Rest { id: id.to_owned(), query, body }))
}

/// The members of the root element.
fn members(body: &Bytes) -> Result<Map<String, Value>, ApiError> {
    let malformed = |error: &dyn std::fmt::Display| ApiError::new("MalformedInput", format!("the body is no XML: {error}"));
    let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
    let document = roxmltree::Document::parse(text).map_err(|error| malformed(&error))?;
    match value(document.root_element()) {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

/// Elements of lists: they come as lists even when they come alone.
const LISTED: [&str; 2] = ["Change", "ResourceRecord"];

fn value(node: roxmltree::Node<'_, '_>) -> Value {
    let children: Vec<_> = node.children().filter(roxmltree::Node::is_element).collect();
    if children.is_empty() {
        return node.text().unwrap_or_default().trim().into();
    }
    let mut members = Map::new();
    for child in children {
        let name = child.tag_name().name();
        if LISTED.contains(&name) {
            let list = members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(value(child));
            }
        } else {
            members.insert(name.to_owned(), value(child));
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_of_one_is_a_list() {
        let body = Bytes::from_static(
            b"<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Comment/>\
              <Changes><Change><Action>UPSERT</Action></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
        );
        let read = members(&body).expect("XML");
        assert_eq!(json!(read), json!({"ChangeBatch": {"Comment": "", "Changes": {"Change": [{"Action": "UPSERT"}]}}}));
        assert_eq!(members(&Bytes::from_static(b"<a")).expect_err("cut off").code, "MalformedInput");
    }
}
