//! CloudWatch's alarms over the SDK.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cloudwatch::{
    Client,
    config::Builder,
    types::{AlarmType, StateValue},
};
use domain::failure::Failure;

use super::{
    failure::{Call, failure},
    request_ids::RequestIds,
};
use crate::aws::alarms::{Alarm, AlarmState, Alarms};

/// Alarms on one page, at most: what AWS allows.
const PAGE: i32 = 100;

/// CloudWatch.
pub(super) struct CloudWatch {
    client: Client,
}

impl CloudWatch {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::from_conf(Builder::from(config).interceptor(RequestIds("cloudwatch")).build()) }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

#[async_trait]
impl Alarms for CloudWatch {
    async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, Failure> {
        let call = Call { operation: "cloudwatch:DescribeAlarms", writes: false, what: "look at the CloudWatch alarms" };
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let request = self.client.describe_alarms().set_alarm_names(Some(names.to_vec())).max_records(PAGE);
            // Without the types AWS leaves composite alarms out.
            let request = request.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
            let answer = request.set_next_token(token).send().await.map_err(|error| failure(call, &error))?;
            let metric = answer.metric_alarms().iter().map(|one| alarm(one.alarm_name(), one.state_value(), one.state_reason()));
            let composite =
                answer.composite_alarms().iter().map(|one| alarm(one.alarm_name(), one.state_value(), one.state_reason()));
            found.extend(metric.chain(composite));
            token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}

fn alarm(name: Option<&str>, state: Option<&StateValue>, reason: Option<&str>) -> Alarm {
    let state = match state {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        Some(StateValue::InsufficientData) => AlarmState::InsufficientData,
        Some(other) => AlarmState::Other(other.as_str().to_owned()),
        None => AlarmState::Other("no state".to_owned()),
    };
    Alarm { name: name.unwrap_or_default().to_owned(), state, reason: reason.unwrap_or_default().to_owned() }
}
