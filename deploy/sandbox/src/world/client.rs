//! The simulated AWS's own control endpoints (`/_sandbox/...`): what was called, what stands, who was served.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;

/// A client of the control endpoints.
#[derive(Debug, Clone)]
pub struct AwsControl {
    endpoint: String,
}

impl AwsControl {
    /// A client for the simulator at `endpoint` (`http://127.0.0.1:4566`).
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into() }
    }

    /// Where the simulator listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether it answers.
    pub async fn is_up(&self) -> bool {
        self.get("health").await.is_ok()
    }

    /// Everything a deployer can change in the simulated AWS, in a form that compares.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn state(&self) -> anyhow::Result<Value> {
        self.get("state").await
    }

    /// The journal of calls: `{"counts": {...}, "log": [...]}`.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn calls(&self) -> anyhow::Result<Value> {
        self.get("calls").await
    }

    /// Calls per operation, as `ecs:CreateService`.
    ///
    /// # Errors
    /// When the simulator does not answer, or without counts.
    pub async fn counts(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let calls = self.calls().await?;
        serde_json::from_value(calls["counts"].clone()).context("the simulator's journal has no counts")
    }

    /// Forgets the journal of calls.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn forget_calls(&self) -> anyhow::Result<()> {
        self.request(http::Method::DELETE, "calls").await.map(|_| ())
    }

    /// The rules of what is to go wrong, with how often each has fired.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn faults(&self) -> anyhow::Result<Value> {
        Ok(self.get("faults").await?["faults"].take())
    }

    /// Lets something go wrong from now on: a rule as the table of faults takes it, or a list of rules.
    ///
    /// # Errors
    /// When the simulator does not answer, or does not understand the rule.
    pub async fn add_fault(&self, rule: &Value) -> anyhow::Result<()> {
        self.send(http::Method::POST, "faults", rule.to_string().into()).await.map(|_| ())
    }

    /// How many calls each rule has befallen, in the order in which the rules were added.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn fired(&self) -> anyhow::Result<Vec<u64>> {
        let faults = self.get("faults").await?;
        let rules = faults["faults"].as_array().context("the simulator did not list its faults")?;
        Ok(rules.iter().map(|rule| rule["fired"].as_u64().unwrap_or(0)).collect())
    }

    /// Lets everything go well again.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn clear_faults(&self) -> anyhow::Result<()> {
        self.request(http::Method::DELETE, "faults").await.map(|_| ())
    }

    /// The authority that signs what listeners present: a certificate, PEM.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn authority(&self) -> anyhow::Result<Bytes> {
        self.request(http::Method::GET, "ca").await
    }

    async fn get(&self, what: &str) -> anyhow::Result<Value> {
        let body = self.request(http::Method::GET, what).await?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| format!("/_sandbox/{what} did not answer in JSON"))
    }

    async fn request(&self, method: http::Method, what: &str) -> anyhow::Result<Bytes> {
        self.send(method, what, Bytes::new()).await
    }

    async fn send(&self, method: http::Method, what: &str, body: Bytes) -> anyhow::Result<Bytes> {
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let uri = format!("{}/_sandbox/{what}", self.endpoint);
        let request = http::Request::builder().method(method).uri(&uri).body(Full::new(body))?;
        let exchange = async {
            let response = client.request(request).await.with_context(|| format!("cannot reach {uri}"))?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            if !status.is_success() {
                bail!("{uri} answered {status}: {}", String::from_utf8_lossy(&body));
            }
            Ok(body)
        };
        tokio::time::timeout(Duration::from_secs(10), exchange).await.with_context(|| format!("{uri} gave no answer"))?
    }
}
