//! The journal of calls: what was asked of AWS, in order, and how it answered. Tests and the demonstration read it.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::faults::Fault;

/// How many calls are kept in full.
const KEPT: usize = 50_000;

/// All calls.
#[derive(Debug, Default)]
pub struct Journal {
    counts: BTreeMap<String, u64>,
    log: VecDeque<Value>,
    next: u64,
}

/// One call.
pub struct Entry<'a> {
    /// `ecs` ...
    pub service: &'static str,
    /// `CreateService` ...
    pub operation: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Error code, if it was refused.
    pub error: Option<&'a str>,
    /// The fault that befell it, if a test asked for one.
    pub fault: Option<&'a Fault>,
    /// Whose key it was; none if unsigned.
    pub access_key: Option<&'a str>,
    /// The request's id.
    pub request_id: &'a str,
    /// Its members.
    pub request: Value,
    /// Seconds since 1970.
    pub at: f64,
}

impl Journal {
    /// Adds a call.
    pub fn add(&mut self, entry: Entry<'_>) {
        *self.counts.entry(format!("{}:{}", entry.service, entry.operation)).or_default() += 1;
        self.next += 1;
        self.log.push_back(json!({
            "seq": self.next,
            "at": entry.at,
            "service": entry.service,
            "operation": entry.operation,
            "status": entry.status,
            "error_code": entry.error,
            "fault": entry.fault,
            "access_key": entry.access_key,
            "request_id": entry.request_id,
            "request": entry.request,
        }));
        if self.log.len() > KEPT {
            self.log.pop_front();
        }
    }

    /// All of it.
    pub fn all(&self) -> Value {
        json!({"counts": self.counts, "log": self.log})
    }

    /// Forgets it.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.log.clear();
    }
}
