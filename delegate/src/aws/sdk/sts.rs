//! The token service over the SDK.

use async_trait::async_trait;
use aws_sdk_sts::Client;
use domain::failure::Failure;

use super::failure::{Call, failure};
use crate::aws::{model::CallerIdentity, ports::Identity};

/// The token service.
pub(super) struct Sts {
    client: Client,
}

impl Sts {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Identity for Sts {
    async fn caller(&self) -> Result<CallerIdentity, Failure> {
        let call = Call { operation: "sts:GetCallerIdentity", writes: false, what: "ask AWS who the delegate is" };
        let caller = self.client.get_caller_identity().send().await.map_err(|error| failure(call, &error))?;
        Ok(CallerIdentity {
            account: caller.account().unwrap_or_default().to_owned(),
            arn: caller.arn().unwrap_or_default().to_owned(),
        })
    }
}
