//! From an infrastructure to AWS clients: AWS's default credential chain, the infrastructure's role assumed on top of it, its
//! region, and our limits. Made when first asked for (a delegate that has nothing to do holds no client) and kept.
//!
//! Endpoints of every service can be replaced through the SDK's own environment variables and profile settings
//! (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_ECS` ...).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, sts::AssumeRoleProvider};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use domain::{failure::Failure, infrastructure::InfrastructureSpec};
use runtime::chance::Chance;
use tokio::sync::OnceCell;

use super::{
    auto_scaling::ApplicationAutoScaling, cloud_map::CloudMap, cloudwatch::CloudWatch, ecs::SdkEcs, elbv2::SdkLoadBalancing,
    limits::CallLimits, logs::Logs, route53::Route53, sts::Sts,
};
use crate::aws::{
    budget::{self, Budget, Budgets},
    ports::{Aws, AwsAccess},
};

/// Connections are kept by what makes them different.
type Key = (String, Option<String>, Option<String>);

/// AWS through the SDK.
pub struct SdkAccess {
    session_name: String,
    limits: CallLimits,
    budgets: Budgets,
    fixed: Option<Fixed>,
    http: Option<SharedHttpClient>,
    connections: Mutex<HashMap<Key, Arc<OnceCell<Aws>>>>,
}

/// An endpoint and credentials that stand in for the environment's.
struct Fixed {
    endpoint: String,
    credentials: Credentials,
}

/// Connections kept at once. More infrastructures than that take turns.
const MOST_CONNECTIONS: usize = 256;

impl SdkAccess {
    /// Access with the credentials of AWS's default chain, within these budgets. Roles are assumed in sessions called
    /// `segue-<delegate>`.
    pub fn new(delegate: &str, limits: CallLimits, budgets: Budgets) -> Self {
        Self { session_name: session_name(delegate), limits, budgets, fixed: None, http: None, connections: Mutex::default() }
    }

    /// With this HTTP client instead of the SDK's own, if there is one.
    #[must_use]
    pub fn over(self, http: Option<SharedHttpClient>) -> Self {
        Self { http, ..self }
    }

    /// Access to this endpoint with these credentials, whatever the environment says: for tests and for programs that bring their
    /// own AWS.
    pub fn fixed(delegate: &str, limits: CallLimits, budgets: Budgets, endpoint: &str, credentials: Credentials) -> Self {
        let fixed = Fixed { endpoint: endpoint.to_owned(), credentials };
        Self { fixed: Some(fixed), ..Self::new(delegate, limits, budgets) }
    }

    async fn make(&self, infrastructure: &InfrastructureSpec) -> Aws {
        let region = Region::new(infrastructure.region.clone());
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region.clone());
        if let Some(fixed) = &self.fixed {
            loader = loader.endpoint_url(&fixed.endpoint).credentials_provider(fixed.credentials.clone());
        }
        if let Some(http) = &self.http {
            loader = loader.http_client(http.clone());
        }
        let base = loader.timeout_config(self.limits.read_timeouts()).retry_config(CallLimits::no_retries()).load().await;
        let config = match &infrastructure.assume_role {
            None => base,
            Some(role) => {
                let mut provider =
                    AssumeRoleProvider::builder(&role.arn).session_name(&self.session_name).region(region).configure(&base);
                if let Some(external_id) = &role.external_id {
                    provider = provider.external_id(external_id);
                }
                let provider = match base.credentials_provider() {
                    Some(credentials) => provider.build_from_provider(credentials).await,
                    None => provider.build().await,
                };
                base.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
            }
        };
        let cloudwatch = Arc::new(CloudWatch::new(&config));
        let budget = self.budgets.of(infrastructure.assume_role.as_ref().map(|role| role.arn.as_str()), &infrastructure.region);
        let aws = Aws {
            ecs: Arc::new(SdkEcs::new(&config, self.limits)),
            load_balancing: Arc::new(SdkLoadBalancing::new(&config, self.limits)),
            registries: Arc::new(CloudMap::new(&config)),
            records: Arc::new(Route53::new(&config, self.limits)),
            scaling: Arc::new(ApplicationAutoScaling::new(&config, self.limits)),
            logs: Arc::new(Logs::new(&config)),
            alarms: cloudwatch.clone(),
            metrics: cloudwatch,
            identity: Arc::new(Sts::new(aws_sdk_sts::Client::new(&config))),
            budget: Budget::default(),
        };
        budget::paced(aws, budget, self.limits.read, Chance::from_machine())
    }
}

#[async_trait]
impl AwsAccess for SdkAccess {
    async fn connect(&self, infrastructure: &InfrastructureSpec) -> Result<Aws, Failure> {
        let role = infrastructure.assume_role.as_ref();
        let key =
            (infrastructure.region.clone(), role.map(|role| role.arn.clone()), role.and_then(|role| role.external_id.clone()));
        let connection = {
            let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
            if connections.len() >= MOST_CONNECTIONS && !connections.contains_key(&key) {
                connections.clear();
            }
            connections.entry(key).or_default().clone()
        };
        Ok(connection.get_or_init(|| self.make(infrastructure)).await.clone())
    }
}

/// A role session's name: 2 to 64 of `A-Za-z0-9_+=,.@-`.
fn session_name(delegate: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' };
    format!("segue-{delegate}").chars().map(allowed).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_name_is_one_that_aws_takes() {
        assert_eq!(session_name("dlg_01/eu west"), "segue-dlg_01-eu-west");
        assert_eq!(session_name(&"x".repeat(100)).len(), 64);
    }
}
