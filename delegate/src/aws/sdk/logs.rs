//! CloudWatch Logs over the SDK.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::{
    Client,
    config::{Builder, Region},
};
use domain::failure::Failure;

use super::{
    failure::{Call, failure},
    request_ids::RequestIds,
};
use crate::aws::ports::ContainerLogs;

/// The log service.
pub(super) struct Logs {
    client: Client,
}

impl Logs {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::from_conf(Builder::from(config).interceptor(RequestIds("logs")).build()) }
    }
}

#[async_trait]
impl ContainerLogs for Logs {
    async fn last_lines(&self, group: &str, stream: &str, region: Option<&str>, limit: u16) -> Result<Vec<String>, Failure> {
        let what = format!("read the log stream {stream} of log group {group}");
        let call = Call { operation: "logs:GetLogEvents", writes: false, what: &what };
        let request = self.client.get_log_events().log_group_name(group).log_stream_name(stream);
        let request = request.start_from_head(false).limit(i32::from(limit)).customize();
        let request = match region {
            Some(region) => request.config_override(Builder::default().region(Region::new(region.to_owned()))),
            None => request,
        };
        let answer = request.send().await.map_err(|error| failure(call, &error))?;
        Ok(answer.events().iter().filter_map(|event| event.message().map(str::to_owned)).collect())
    }
}
