//! Faults on demand: what a test wants to go wrong, call by call. The table stands in front of every operation; with no rule in it,
//! nothing goes wrong.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request::Service;
use crate::sim::error::ApiError;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Fault {
    /// Refused as beyond the rate; nothing happens.
    Throttle,
    /// Refused with a code of the test's choice; nothing happens.
    Refuse {
        /// The error code on the wire.
        code: String,
        /// Its text.
        #[serde(default = "refusal")]
        message: String,
        /// HTTP status.
        #[serde(default = "client_error")]
        status: u16,
    },
    /// The service fails with a 500 or 503; nothing happens.
    Fail {
        /// HTTP status.
        #[serde(default = "server_error")]
        status: u16,
    },
    /// The connection ends without an answer; nothing happens.
    Reset,
    /// The call takes effect, and the connection ends without an answer.
    Lost,
    /// The call takes effect, and the answer never comes: the connection stays open for that long, then ends.
    #[serde(rename_all = "camelCase")]
    Silent {
        /// How long, in real milliseconds.
        delay_ms: u64,
    },
    /// The call waits, then goes on as usual.
    #[serde(rename_all = "camelCase")]
    Slow {
        /// How long, in real milliseconds.
        delay_ms: u64,
    },
    /// A read answers with what stood before the last write.
    Stale,
}

fn refusal() -> String {
    "The simulator was asked to refuse this call.".to_owned()
}

fn client_error() -> u16 {
    400
}

fn server_error() -> u16 {
    500
}

/// Which calls a fault befalls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// `ecs:CreateService`, `ecs:*` or `*`.
    pub operation: String,
    /// What befalls them.
    pub fault: Fault,
    /// How many matching calls pass unharmed first.
    #[serde(default)]
    pub after: u32,
    /// How many calls it befalls; none: all that come.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many calls it has befallen.
    #[serde(default, skip_deserializing)]
    pub fired: u32,
}

/// All rules, in the order in which they were given: the first that is due decides.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
}

impl Faults {
    /// Adds a rule.
    pub fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// All rules, with how often each has fired.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether stale reads are asked for and still to come, so that what stood before a write must be kept.
    pub fn keeps_history(&self) -> bool {
        self.rules.iter().any(|rule| rule.fault == Fault::Stale && rule.times.is_none_or(|times| rule.fired < times))
    }

    /// What befalls the next call of an operation.
    pub fn next(&mut self, service: Service, operation: &str) -> Option<Fault> {
        let matching = |rule: &&mut Rule| match rule.operation.split_once(':') {
            None => rule.operation == "*",
            Some((of, "*")) => of == service.as_str(),
            Some((of, named)) => of == service.as_str() && named == operation,
        };
        for rule in self.rules.iter_mut().filter(matching) {
            if rule.after > 0 {
                rule.after -= 1;
            } else if rule.times.is_none_or(|times| rule.fired < times) {
                rule.fired += 1;
                return Some(rule.fault.clone());
            }
        }
        None
    }
}

impl Fault {
    /// The refusal that it is, if it is one.
    pub fn refusal(&self, service: Service) -> Option<ApiError> {
        match self {
            Self::Throttle => Some(throttled(service)),
            Self::Refuse { code, message, status } => Some(ApiError::new(code, message).status(*status)),
            Self::Fail { status } => {
                let code = match (service, *status) {
                    (Service::Ecs | Service::Logs, 503) => "ServiceUnavailableException",
                    (Service::Ecs, _) => "ServerException",
                    (_, 503) => "ServiceUnavailable",
                    _ => "InternalFailure",
                };
                Some(ApiError::new(code, "An internal error has occurred.").status(*status))
            }
            _ => None,
        }
    }

    /// How long the call waits before anything happens.
    pub fn wait(&self) -> Duration {
        match self {
            Self::Slow { delay_ms } => Duration::from_millis(*delay_ms),
            _ => Duration::ZERO,
        }
    }
}

/// A call beyond its budget, in the code of the service's protocol.
pub fn throttled(service: Service) -> ApiError {
    ApiError::new(if service.is_json() { "ThrottlingException" } else { "Throttling" }, "Rate exceeded")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(operation: &str, after: u32, times: Option<u32>) -> Rule {
        Rule { operation: operation.to_owned(), fault: Fault::Throttle, after, times, fired: 0 }
    }

    #[test]
    fn a_rule_waits_fires_and_is_spent() {
        let mut faults = Faults::default();
        faults.add(rule("ecs:CreateService", 1, Some(2)));
        let mut fires = |operation: &str| faults.next(Service::Ecs, operation).is_some();
        assert!(!fires("CreateService"), "the first call passes");
        assert!(!fires("UpdateService"), "another operation is none of its business");
        assert!(fires("CreateService") && fires("CreateService"));
        assert!(!fires("CreateService"), "it is spent");
        assert_eq!(faults.rules()[0].fired, 2);
    }

    #[test]
    fn a_star_means_all_of_a_service_or_all_there_is() {
        let mut faults = Faults::default();
        faults.add(rule("elasticloadbalancing:*", 0, None));
        assert!(faults.next(Service::Elb, "DescribeRules").is_some());
        assert!(faults.next(Service::Ecs, "ListClusters").is_none());
        faults.clear();
        faults.add(rule("*", 0, None));
        assert!(faults.next(Service::Sts, "AssumeRole").is_some());
    }

    #[test]
    fn a_rule_is_read_as_it_is_documented() {
        let text = r#"{"operation": "ecs:CreateService", "fault": {"kind": "silent", "delayMs": 5}, "times": 1}"#;
        let read: Rule = serde_json::from_str(text).expect("a rule");
        assert_eq!(read.fault, Fault::Silent { delay_ms: 5 });
        assert_eq!((read.after, read.times), (0, Some(1)));
        let refuse: Fault = serde_json::from_str(r#"{"kind": "refuse", "code": "AccessDeniedException"}"#).expect("a fault");
        assert_eq!(refuse.refusal(Service::Ecs).map(|error| error.status), Some(400));
    }
}
