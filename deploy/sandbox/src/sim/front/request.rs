//! Which service and operation a request is for: the target header says it for JSON, the form for the query
//! protocol, method and path for REST.

use std::collections::HashMap;

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Map, Value};

use super::{operations, rest};
use crate::sim::{
    cloudwatch::{self, Wire},
    error::ApiError,
    route53::Rest,
};

/// A service that is simulated, and its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// JSON 1.1.
    Ecs,
    /// JSON 1.1.
    Autoscaling,
    /// CBOR, JSON 1.0 and query.
    CloudWatch(Wire),
    /// Query, XML answers.
    Elb,
    /// JSON 1.1.
    CloudMap,
    /// JSON 1.1.
    Logs,
    /// REST with XML.
    Route53,
    /// Query, XML answers.
    Sts,
}

impl Service {
    /// The name that IAM actions have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Autoscaling => "application-autoscaling",
            Self::CloudWatch(_) => "cloudwatch",
            Self::Elb => "elasticloadbalancing",
            Self::CloudMap => "servicediscovery",
            Self::Logs => "logs",
            Self::Route53 => "route53",
            Self::Sts => "sts",
        }
    }

    /// The name that signatures have.
    pub fn signing_name(self) -> &'static str {
        match self {
            Self::CloudWatch(_) => "monitoring",
            other => other.as_str(),
        }
    }

    /// Whether it answers in JSON, or in a form of it.
    pub fn is_json(self) -> bool {
        matches!(self, Self::CloudMap | Self::Ecs | Self::Autoscaling | Self::Logs | Self::CloudWatch(Wire::Json | Wire::Cbor))
    }
}

/// A request's members.
#[derive(Debug, Clone)]
pub enum Input {
    /// Of a JSON service.
    Json(Map<String, Value>),
    /// Of a query service.
    Form(HashMap<String, String>),
    /// Of a REST service.
    Rest(Rest),
}

/// A request, understood.
#[derive(Debug, Clone)]
pub struct Call {
    /// The service.
    pub service: Service,
    /// The operation.
    pub operation: String,
    /// Its members.
    pub input: Input,
}

impl Call {
    /// Reads a request.
    ///
    /// # Errors
    /// With the service as far as it is known, so that the error takes its form.
    pub fn read(parts: &Parts, body: &Bytes) -> Result<Self, (Service, ApiError)> {
        if let Some(operation) = parts.uri.path().strip_prefix("/service/GraniteServiceVersion20100801/operation/") {
            let service = Service::CloudWatch(Wire::Cbor);
            let members = cloudwatch::read_cbor(body);
            let members = members.ok_or_else(|| (service, ApiError::new("SerializationException", "the body is no CBOR map")))?;
            return Ok(Self { service, operation: operation.to_owned(), input: Input::Json(members) });
        }
        if let Some(target) = parts.headers.get("x-amz-target") {
            let unknown = |text: &str| (Service::Ecs, ApiError::new("UnknownOperationException", text));
            let target = target.to_str().map_err(|_| unknown("X-Amz-Target is not text"))?;
            let (service, operation) = target.split_once('.').ok_or_else(|| unknown("X-Amz-Target has no operation"))?;
            let service = match service {
                "AmazonEC2ContainerServiceV20141113" => Service::Ecs,
                "GraniteServiceVersion20100801" => Service::CloudWatch(Wire::Json),
                "AnyScaleFrontendService" => Service::Autoscaling,
                "Logs_20140328" => Service::Logs,
                "Route53AutoNaming_v20170314" => Service::CloudMap,
                other => return Err(unknown(&format!("the simulator does not know {other}"))),
            };
            let text: &[u8] = if body.is_empty() { b"{}" } else { body };
            let input = serde_json::from_slice(text)
                .map_err(|error| (service, ApiError::new("SerializationException", error.to_string())))?;
            return Ok(Self { service, operation: operation.to_owned(), input: Input::Json(input) });
        }
        if let Some(path) = parts.uri.path().strip_prefix(rest::PREFIX) {
            let (operation, input) = rest::read(parts, path, body).map_err(|error| (Service::Route53, error))?;
            return Ok(Self { service: Service::Route53, operation, input: Input::Rest(input) });
        }
        let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let service = match form.get("Version").map(String::as_str) {
            Some("2010-08-01") => Service::CloudWatch(Wire::Query),
            Some("2015-12-01") => Service::Elb,
            Some("2011-06-15") => Service::Sts,
            _ => {
                let text = "the simulator knows no such service: of the query protocol Elastic Load Balancing v2 (2015-12-01), CloudWatch (2010-08-01) and STS (2011-06-15)";
                return Err((Service::Elb, ApiError::new("InvalidAction", text)));
            }
        };
        let operation = form.get("Action").cloned().unwrap_or_default();
        Ok(Self { service, operation, input: Input::Form(form) })
    }

    /// Whether it changes anything.
    pub fn is_write(&self) -> bool {
        operations::is_write(&self.operation)
    }

    /// The members as JSON, for the journal, without secrets.
    pub fn members(&self) -> Value {
        match &self.input {
            Input::Json(members) => {
                let mut members = Value::Object(members.clone());
                redact(&mut members);
                members
            }
            Input::Rest(rest) => {
                let mut members = rest.body.clone();
                members.extend(rest.query.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
                if !rest.id.is_empty() {
                    members.insert("Id".to_owned(), rest.id.as_str().into());
                }
                members.into()
            }
            Input::Form(form) => {
                let mut sorted: Vec<_> = form.iter().filter(|(name, _)| *name != "Action" && *name != "Version").collect();
                sorted.sort();
                let shown = |name: &str, value: &str| {
                    let secret = name.rsplit('.').next().is_some_and(|last| SECRETS.contains(&last));
                    Value::from(if secret { HIDDEN } else { value })
                };
                sorted.into_iter().map(|(name, value)| (name.clone(), shown(name, value))).collect::<Map<_, _>>().into()
            }
        }
    }
}

/// Members whose values the journal never holds.
const SECRETS: [&str; 6] = ["ClientSecret", "ExternalId", "Password", "SecretAccessKey", "TokenCode", "WebIdentityToken"];
/// What it holds instead.
const HIDDEN: &str = "(hidden)";

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
                    *value = HIDDEN.into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_holds_no_secret() {
        let form = [("Action", "AssumeRole"), ("RoleArn", "r"), ("ExternalId", "e"), ("A.member.1.Config.ClientSecret", "s")];
        let form = form.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let call = Call { service: Service::Sts, operation: "AssumeRole".to_owned(), input: Input::Form(form) };
        let told = call.members();
        assert_eq!(told, serde_json::json!({"RoleArn": "r", "ExternalId": HIDDEN, "A.member.1.Config.ClientSecret": HIDDEN}));
        let members = serde_json::json!({"list": [{"password": "p", "name": "n"}]});
        let Value::Object(members) = members else { unreachable!("an object") };
        let call = Call { service: Service::Ecs, operation: "X".to_owned(), input: Input::Json(members) };
        assert_eq!(call.members(), serde_json::json!({"list": [{"password": HIDDEN, "name": "n"}]}));
    }
}
