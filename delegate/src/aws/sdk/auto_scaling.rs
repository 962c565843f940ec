//! Application Auto Scaling over the SDK. Targets and policies pass through whole, as JSON: what is put back has to be what was there.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_applicationautoscaling::{
    Client,
    config::Builder,
    types::{ScalableDimension, ServiceNamespace},
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::{failure::Failure, step::AutoScaling};
use serde_json::{Value, json};

use super::{
    body,
    failure::{Call, failure},
    limits::CallLimits,
    request_ids::RequestIds,
    whole_answer::WholeAnswer,
};
use crate::aws::ports::Scaling;

/// The scaling service: one client for reads, one for writes, over the same connections.
pub(super) struct ApplicationAutoScaling {
    reads: Client,
    writes: Client,
}

impl ApplicationAutoScaling {
    pub(super) fn new(config: &SdkConfig, limits: CallLimits) -> Self {
        let configured = || Builder::from(config).interceptor(RequestIds("application-autoscaling"));
        let writes = configured().timeout_config(limits.write_timeouts()).retry_config(CallLimits::no_retries());
        Self { reads: Client::from_conf(configured().build()), writes: Client::from_conf(writes.build()) }
    }

    async fn policies(&self, resource: &str) -> Result<Vec<Value>, Failure> {
        let what = format!("read the scaling policies of {resource}");
        let call = Call { operation: "application-autoscaling:DescribeScalingPolicies", writes: false, what: &what };
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let whole = WholeAnswer::default();
            let request = self.reads.describe_scaling_policies().service_namespace(ServiceNamespace::Ecs).resource_id(resource);
            let request = request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount).set_next_token(token);
            let answer = request.customize().interceptor(whole.clone()).send().await.map_err(|error| failure(call, &error))?;
            found.extend(whole.take()["ScalingPolicies"].as_array().into_iter().flatten().cloned());
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}

/// A document with the members that name the service.
fn named(document: &Value, resource: &str) -> Value {
    let mut named = document.clone();
    named["ServiceNamespace"] = json!("ecs");
    named["ResourceId"] = json!(resource);
    named["ScalableDimension"] = json!("ecs:service:DesiredCount");
    named
}

#[async_trait]
impl Scaling for ApplicationAutoScaling {
    async fn of(&self, resource: &str) -> Result<Option<AutoScaling>, Failure> {
        let what = format!("read the scalable target {resource}");
        let call = Call { operation: "application-autoscaling:DescribeScalableTargets", writes: false, what: &what };
        let whole = WholeAnswer::default();
        let request = self.reads.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs).resource_ids(resource);
        let request = request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        request.customize().interceptor(whole.clone()).send().await.map_err(|error| failure(call, &error))?;
        match whole.take().pointer("/ScalableTargets/0") {
            Some(target) => Ok(Some(AutoScaling::new(target, &self.policies(resource).await?))),
            None => Ok(None),
        }
    }

    async fn register(&self, resource: &str, target: &Value) -> Result<(), Failure> {
        let what = format!("register the scalable target {resource}");
        let call = Call { operation: "application-autoscaling:RegisterScalableTarget", writes: true, what: &what };
        let request = self.writes.register_scalable_target().service_namespace(ServiceNamespace::Ecs).resource_id(resource);
        let request = request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        let request = request.customize().mutate_request(body::replaced_by(&named(target, resource)));
        request.send().await.map(drop).map_err(|error| failure(call, &error))
    }

    async fn put_policy(&self, resource: &str, policy: &Value) -> Result<(), Failure> {
        let name = policy["PolicyName"].as_str().unwrap_or_default();
        let what = format!("put the scaling policy {name} of {resource}");
        let call = Call { operation: "application-autoscaling:PutScalingPolicy", writes: true, what: &what };
        let request = self.writes.put_scaling_policy().policy_name(name).service_namespace(ServiceNamespace::Ecs);
        let request = request.resource_id(resource).scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        let request = request.customize().mutate_request(body::replaced_by(&named(policy, resource)));
        request.send().await.map(drop).map_err(|error| failure(call, &error))
    }

    async fn delete_policy(&self, resource: &str, name: &str) -> Result<(), Failure> {
        let what = format!("delete the scaling policy {name} of {resource}");
        let call = Call { operation: "application-autoscaling:DeleteScalingPolicy", writes: true, what: &what };
        let request = self.writes.delete_scaling_policy().policy_name(name).service_namespace(ServiceNamespace::Ecs);
        let request = request.resource_id(resource).scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ObjectNotFoundException") => Ok(()),
            Err(error) => Err(failure(call, &error)),
        }
    }

    async fn deregister(&self, resource: &str) -> Result<(), Failure> {
        let what = format!("deregister the scalable target {resource}");
        let call = Call { operation: "application-autoscaling:DeregisterScalableTarget", writes: true, what: &what };
        let request = self.writes.deregister_scalable_target().service_namespace(ServiceNamespace::Ecs).resource_id(resource);
        match request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount).send().await {
            Ok(_) => Ok(()),
            // It went with its service, or with our own first try.
            Err(error) if error.code() == Some("ObjectNotFoundException") => Ok(()),
            Err(error) => Err(failure(call, &error)),
        }
    }
}
