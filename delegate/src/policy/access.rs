//! The way to AWS with the policy in front of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::{failure::Failure, infrastructure::InfrastructureSpec};

use super::{Policy, guard::Guard};
use crate::aws::ports::{Aws, AwsAccess};

/// Regions and roles whose account is remembered: more than a delegate ever has.
const REMEMBERED: usize = 10_000;

/// Opens only what the policy allows.
pub struct PolicyAccess {
    inner: Arc<dyn AwsAccess>,
    policy: Arc<Policy>,
    /// By region and role: their account was found to be allowed.
    accounts: Mutex<BTreeSet<(String, Option<String>)>>,
}

impl PolicyAccess {
    /// `inner` under this policy.
    pub fn new(inner: Arc<dyn AwsAccess>, policy: Arc<Policy>) -> Self {
        Self { inner, policy, accounts: Mutex::default() }
    }

    /// The account is one that the policy names. Asked once for each region and role.
    async fn account(&self, infrastructure: &InfrastructureSpec, aws: &Aws) -> Result<(), Failure> {
        let key = (infrastructure.region.clone(), infrastructure.assume_role.as_ref().map(|role| role.arn.clone()));
        if !self.policy.names_accounts() || self.accounts.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return Ok(());
        }
        self.policy.account(&aws.identity.caller().await?.account)?;
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= REMEMBERED {
            accounts.clear();
        }
        accounts.insert(key);
        Ok(())
    }
}

#[async_trait]
impl AwsAccess for PolicyAccess {
    async fn connect(&self, infrastructure: &InfrastructureSpec) -> Result<Aws, Failure> {
        self.policy.region(&infrastructure.region)?;
        self.policy.cluster(&infrastructure.cluster)?;
        if let Some(role) = &infrastructure.assume_role {
            self.policy.role(&role.arn)?;
        }
        let aws = self.inner.connect(infrastructure).await?;
        self.account(infrastructure, &aws).await?;
        let guard = Arc::new(Guard { policy: self.policy.clone(), aws: aws.clone() });
        Ok(Aws { ecs: guard.clone(), load_balancing: guard.clone(), records: guard.clone(), scaling: guard, ..aws })
    }
}
