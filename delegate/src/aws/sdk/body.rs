//! Sending the user's JSON whole.
//!
//! The SDK's builders know the members of their own version and drop the rest. What the user wrote must reach AWS all the same, so
//! a request is built with what the SDK insists on, and its body is replaced by the whole document before it is signed.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

/// A change to a request: this document as its body. For `.customize().mutate_request(..)`, which runs before signing.
pub(super) fn replaced_by(document: &Value) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
    let body = document.to_string();
    move |request| {
        *request.body_mut() = SdkBody::from(body.clone());
        request.headers_mut().insert("content-length", body.len().to_string());
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_body_is_the_document_with_its_length() {
        let mut request = HttpRequest::new(SdkBody::from("{}"));
        request.headers_mut().insert("content-length", "2");
        let document = json!({"family": "todo", "memberOfTomorrow": {"kept": ["ü", 1.5, null]}});
        replaced_by(&document)(&mut request);
        let body = request.body().bytes().expect("in memory");
        assert_eq!(serde_json::from_slice::<Value>(body).expect("JSON"), document);
        assert_eq!(request.headers().get("content-length"), Some(body.len().to_string().as_str()));
        assert_eq!(request.headers().get_all("content-length").count(), 1);
    }
}
