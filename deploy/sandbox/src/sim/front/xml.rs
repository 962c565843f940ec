//! XML of the query protocol: `<OpResponse><OpResult>...</OpResult><ResponseMetadata>...`. The result is there even when it is empty,
//! and holds exactly the members of the answer, because both SDKs look for it.

use serde_json::Value;

/// A successful answer.
pub fn success(namespace: &str, operation: &str, result: &Value, request_id: &str) -> String {
    let mut text = format!("<{operation}Response xmlns=\"{namespace}\"><{operation}Result>");
    members(result, &mut text);
    text.push_str(&format!(
        "</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    ));
    text
}

/// A successful answer of the REST protocol: the members stand in the root itself.
pub fn rest(namespace: &str, operation: &str, result: &Value) -> String {
    let mut text = format!("<?xml version=\"1.0\"?>\n<{operation}Response xmlns=\"{namespace}\">");
    members(result, &mut text);
    text.push_str(&format!("</{operation}Response>"));
    text
}

/// A refusal. `kind` is `Sender` or `Receiver`.
pub fn error(namespace: &str, kind: &str, code: &str, message: &str, request_id: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(code),
        escape(message)
    )
}

/// Members that are maps in AWS's model: they are written as entries of key and value.
const MAPS: [&str; 1] = ["AuthenticationRequestExtraParams"];

fn members(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| member(name, value, text)),
        Value::Null | Value::Array(_) => {}
        Value::String(string) => text.push_str(&escape(string)),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
    }
}

fn member(name: &str, value: &Value, text: &mut String) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| element(name, item, text)),
        Value::Object(entries) if MAPS.contains(&name) => {
            text.push_str(&format!("<{name}>"));
            for (key, value) in entries {
                element("entry", &serde_json::json!({"key": key, "value": value}), text);
            }
            text.push_str(&format!("</{name}>"));
        }
        _ => element(name, value, text),
    }
}

fn element(name: &str, value: &Value, text: &mut String) {
    text.push_str(&format!("<{name}>"));
    members(value, text);
    text.push_str(&format!("</{name}>"));
}

/// Text of an element; what XML 1.0 can't hold at all is left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(c),
            c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_result_is_still_there() {
        let text = success("n", "AddTags", &json!({}), "r");
        assert_eq!(
            text,
            "<AddTagsResponse xmlns=\"n\"><AddTagsResult></AddTagsResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AddTagsResponse>"
        );
    }

    #[test]
    fn lists_maps_and_texts_take_aws_s_form() {
        let result = json!({
            "Tags": {"member": [{"Key": "a<b", "Value": "&\u{1}"}, {"Key": "c", "Value": null}]},
            "Config": {"AuthenticationRequestExtraParams": {"display": "page"}},
            "Port": 80, "Enabled": false, "None": {"member": []},
        });
        let text = success("n", "X", &result, "r");
        for part in [
            "<Tags><member><Key>a&lt;b</Key><Value>&amp;</Value></member><member><Key>c</Key></member></Tags>",
            "<AuthenticationRequestExtraParams><entry><key>display</key><value>page</value></entry></AuthenticationRequestExtraParams>",
            "<Port>80</Port>",
            "<Enabled>false</Enabled>",
            "<None></None>",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }
}
