//! Conditions of rules: what AWS takes, and the form in which it gives them back.

use std::net::IpAddr;

use winterbaume_elasticloadbalancingv2::model as wire;

use super::api::invalid;
use crate::sim::error::ApiError;

/// AWS's kinds, and whether a rule may have several of one.
const KINDS: [(&str, bool); 6] = [
    ("http-header", true),
    ("http-request-method", false),
    ("host-header", false),
    ("query-string", true),
    ("source-ip", false),
    ("path-pattern", false),
];

/// Checks conditions, and brings them into the form in which AWS describes them.
pub(super) fn normalised(mut conditions: wire::RuleConditionList) -> Result<wire::RuleConditionList, ApiError> {
    both_forms(&mut conditions);
    for (index, condition) in conditions.items.iter().enumerate() {
        let field = condition.field.as_deref().unwrap_or_default();
        let Some((_, several)) = KINDS.into_iter().find(|(kind, _)| *kind == field) else {
            let known = KINDS.map(|(kind, _)| kind).join(", ");
            return Err(invalid(format!("Condition field '{field}' must be one of '[{known}]'")));
        };
        if !several && conditions.items[..index].iter().any(|other| other.field.as_deref() == Some(field)) {
            return Err(invalid(format!("A rule can only have one '{field}' condition")));
        }
        check(field, condition)?;
    }
    Ok(conditions)
}

fn check(field: &str, condition: &wire::RuleCondition) -> Result<(), ApiError> {
    let regexes = [
        condition.regex_values.is_some(),
        condition.path_pattern_config.as_ref().is_some_and(|config| config.regex_values.is_some()),
        condition.host_header_config.as_ref().is_some_and(|config| config.regex_values.is_some()),
        condition.http_header_config.as_ref().is_some_and(|config| config.regex_values.is_some()),
    ];
    if regexes.contains(&true) {
        return Err(invalid("Conditions with regular expressions are not known to the simulator"));
    }
    let listed =
        |values: Option<&wire::ListOfString>| -> Vec<String> { values.map(|list| list.items.clone()).unwrap_or_default() };
    let values = match field {
        "http-header" => {
            let config = condition.http_header_config.as_ref();
            let name = config.and_then(|config| config.http_header_name.as_deref()).unwrap_or_default();
            if name.is_empty() || name.len() > 40 || http::HeaderName::try_from(name).is_err() {
                return Err(invalid(format!("The HTTP header name '{name}' is not valid")));
            }
            if name.eq_ignore_ascii_case("host") {
                return Err(invalid("Use a host-header condition for the header 'Host'"));
            }
            listed(config.and_then(|config| config.values.as_ref()))
        }
        "http-request-method" => {
            let methods = listed(condition.http_request_method_config.as_ref().and_then(|config| config.values.as_ref()));
            let fits = |method: &String| method.len() <= 40 && method.chars().all(|c| c.is_ascii_uppercase() || "-_".contains(c));
            if let Some(wrong) = methods.iter().find(|method| !fits(method)) {
                return Err(invalid(format!("The HTTP request method '{wrong}' is not valid: A-Z, - and _ are")));
            }
            methods
        }
        "source-ip" => {
            let blocks = listed(condition.source_ip_config.as_ref().and_then(|config| config.values.as_ref()));
            if let Some(wrong) = blocks.iter().find(|block| !is_block(block)) {
                return Err(invalid(format!("The source IP '{wrong}' must be in CIDR format")));
            }
            blocks
        }
        "query-string" => {
            let pairs = condition.query_string_config.as_ref().and_then(|config| config.values.as_ref());
            let pairs = pairs.map_or(&[][..], |pairs| &pairs.items);
            pairs.iter().map(|pair| pair.value.clone().unwrap_or_default()).collect()
        }
        _ => listed(condition.values.as_ref()),
    };
    if values.is_empty() || values.iter().any(String::is_empty) {
        return Err(invalid(format!("A condition value must be specified for the field '{field}'")));
    }
    match values.iter().find(|value| value.len() > 128) {
        Some(long) => Err(invalid(format!("The condition value '{long}' is longer than 128 characters"))),
        None => Ok(()),
    }
}

fn is_block(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

/// A path or host condition is described in both of its forms, whichever it was given in.
fn both_forms(conditions: &mut wire::RuleConditionList) {
    for condition in &mut conditions.items {
        let values = condition.values.clone();
        match condition.field.as_deref() {
            Some("path-pattern") => {
                let config = condition.path_pattern_config.get_or_insert_with(Default::default);
                config.values = config.values.take().or(values);
                condition.values = config.values.clone();
            }
            Some("host-header") => {
                let config = condition.host_header_config.get_or_insert_with(Default::default);
                config.values = config.values.take().or(values);
                condition.values = config.values.clone();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn checked(conditions: &Value) -> Result<Value, String> {
        let list = serde_json::from_value(json!({"member": conditions})).expect("conditions");
        normalised(list).map(|list| serde_json::to_value(list).expect("JSON")).map_err(|error| error.message)
    }

    #[test]
    fn each_kind_is_taken_and_paths_have_both_forms() {
        let path = json!({"Field": "path-pattern", "Values": {"member": ["/a"]}});
        let told = checked(&json!([path])).expect("taken");
        assert_eq!(told["member"][0]["PathPatternConfig"], json!({"Values": {"member": ["/a"]}}));
        for taken in [
            json!({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": {"member": ["*"]}}}),
            json!({"Field": "source-ip", "SourceIpConfig": {"Values": {"member": ["10.0.0.0/8", "::1/128"]}}}),
            json!({"Field": "query-string", "QueryStringConfig": {"Values": {"member": [{"Value": "x"}]}}}),
        ] {
            assert!(checked(&json!([taken])).is_ok(), "{taken}");
        }
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let path = json!({"Field": "path-pattern", "Values": {"member": ["/a"]}});
        for (conditions, told) in [
            (json!([path, path]), "only have one 'path-pattern'"),
            (json!([{"Field": "colour"}]), "must be one of"),
            (json!([{"Field": "host-header"}]), "A condition value must be specified"),
            (json!([{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "a b"}}]), "header name"),
            (json!([{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": {"member": ["get"]}}}]), "'get'"),
            (json!([{"Field": "source-ip", "SourceIpConfig": {"Values": {"member": ["10.0.0.1"]}}}]), "CIDR"),
            (json!([{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": {"member": ["a"]}}}]), "regular"),
        ] {
            let error = checked(&conditions).expect_err("refused");
            assert!(error.contains(told), "{error}");
        }
    }
}
