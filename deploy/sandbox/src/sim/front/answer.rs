//! Answers in the wire form of their service. Every one bears a request id and a date: the SDKs read the one, and correct their
//! clocks by the other.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{request::Service, xml};
use crate::sim::{
    cloudwatch::{self, Wire},
    error::ApiError,
};

/// An HTTP answer.
pub type Answer = Response<Full<Bytes>>;

/// A JSON service's success.
pub fn json(value: &Value) -> Answer {
    answer(200, "application/x-amz-json-1.1", value.to_string().into())
}

/// A query service's success.
pub fn xml(service: Service, operation: &str, result: &Value, request_id: &str) -> Answer {
    answer(200, "text/xml", xml::success(namespace(service), operation, result, request_id).into())
}

/// A REST service's success. What was made is told with 201, and where it is.
pub fn rest(operation: &str, result: &Value) -> Answer {
    let made = operation.starts_with("Create");
    let body = xml::rest(ROUTE53, operation, result);
    let mut response = answer(if made { 201 } else { 200 }, "text/xml", body.into());
    if let Some(id) = result["HostedZone"]["Id"].as_str().filter(|_| made)
        && let Ok(place) = format!("https://route53.amazonaws.com/2013-04-01{id}").parse()
    {
        response.headers_mut().insert("location", place);
    }
    response
}

const ROUTE53: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// A refusal, in the service's form.
pub fn error(service: Service, error: &ApiError, request_id: &str) -> Answer {
    if let Service::CloudWatch(wire @ (Wire::Json | Wire::Cbor)) = service {
        return monitoring_error(wire, error);
    }
    if service.is_json() {
        let body = json!({"__type": error.code, "message": error.message});
        return answer(error.status, "application/x-amz-json-1.1", body.to_string().into());
    }
    let kind = if error.status >= 500 { "Receiver" } else { "Sender" };
    let body = xml::error(namespace(service), kind, &error.code, &error.message, request_id);
    answer(error.status, "text/xml", body.into())
}

/// CloudWatch's success; nothing: the operation has no output.
pub fn monitoring(wire: Wire, value: Option<&Value>) -> Answer {
    match (wire, value) {
        (Wire::Cbor, None) => {
            let mut answer = answer(200, "application/cbor", Bytes::new());
            answer.headers_mut().remove("content-type");
            rpc(answer)
        }
        (Wire::Cbor, Some(value)) => rpc(answer(200, "application/cbor", cloudwatch::write_cbor(value).into())),
        (_, value) => {
            let body = value.map_or_else(|| "{}".to_owned(), Value::to_string);
            answer(200, "application/x-amz-json-1.0", body.into())
        }
    }
}

/// CloudWatch's refusal in JSON or CBOR: it names the error's shape in its body, and the query protocol's code in a header.
fn monitoring_error(wire: Wire, error: &ApiError) -> Answer {
    let shape = cloudwatch::error_shape(&error.code);
    let body = json!({"__type": format!("com.amazonaws.cloudwatch#{shape}"), "message": error.message});
    let mut answer = match wire {
        Wire::Cbor => rpc(answer(error.status, "application/cbor", cloudwatch::write_cbor(&body).into())),
        _ => answer(error.status, "application/x-amz-json-1.0", body.to_string().into()),
    };
    let kind = if error.status >= 500 { "Receiver" } else { "Sender" };
    if let Ok(value) = format!("{};{kind}", error.code).parse() {
        answer.headers_mut().insert("x-amzn-query-error", value);
    }
    answer
}

/// What each answer of RPC v2 bears.
fn rpc(mut answer: Answer) -> Answer {
    answer.headers_mut().insert("smithy-protocol", http::HeaderValue::from_static("rpc-v2-cbor"));
    answer
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Route53 => ROUTE53,
        Service::CloudWatch(_) => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        Service::CloudMap | Service::Elb | Service::Autoscaling | Service::Ecs | Service::Logs => {
            "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
        }
    }
}

/// Adds what every answer has.
pub fn stamped(mut answer: Answer, request_id: &str) -> Answer {
    if let Ok(value) = request_id.parse() {
        answer.headers_mut().insert("x-amzn-requestid", value);
    }
    answer
}

/// An answer of the control endpoints.
pub fn plain(status: u16, value: &Value) -> Answer {
    answer(status, "application/json", value.to_string().into())
}

/// A certificate.
pub fn pem(text: &str) -> Answer {
    answer(200, "application/x-pem-file", text.to_owned().into())
}

fn answer(status: u16, content_type: &'static str, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(content_type));
    response
}
