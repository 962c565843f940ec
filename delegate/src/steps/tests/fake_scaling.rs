//! The fake AWS's Application Auto Scaling: it keeps what it is told, and pulls desired counts into the bounds at once.

use async_trait::async_trait;
use domain::{failure::Failure, step::AutoScaling};
use serde_json::Value;

use super::fake_aws::FakeAws;
use crate::aws::ports::Scaling;

#[async_trait]
impl Scaling for FakeAws {
    async fn of(&self, resource: &str) -> Result<Option<AutoScaling>, Failure> {
        self.call("DescribeScalableTargets", |world| Ok(world.scaling.get(name_in(resource)).cloned()))
    }

    async fn register(&self, resource: &str, target: &Value) -> Result<(), Failure> {
        self.call("RegisterScalableTarget", |world| {
            let empty = || AutoScaling { scalable_target: Value::Null, scaling_policies: Vec::new() };
            let scaling = world.scaling.entry(name_in(resource).to_owned()).or_insert_with(empty);
            scaling.scalable_target = target.clone();
            let (min, max) = scaling.bounds().expect("bounds");
            // As AWS does, at once.
            let service = world.services.get_mut(name_in(resource)).expect("a known service");
            let desired = u64::from(service.desired).clamp(min, max);
            service.desired = u32::try_from(desired).expect("small");
            Ok(())
        })
    }

    async fn put_policy(&self, resource: &str, policy: &Value) -> Result<(), Failure> {
        self.call("PutScalingPolicy", |world| {
            let policies = &mut world.scaling.get_mut(name_in(resource)).expect("a target").scaling_policies;
            policies.retain(|known| known["PolicyName"] != policy["PolicyName"]);
            policies.push(policy.clone());
            Ok(())
        })
    }

    async fn delete_policy(&self, resource: &str, name: &str) -> Result<(), Failure> {
        self.call("DeleteScalingPolicy", |world| {
            let policies = &mut world.scaling.get_mut(name_in(resource)).expect("a target").scaling_policies;
            policies.retain(|known| known["PolicyName"] != name);
            Ok(())
        })
    }

    async fn deregister(&self, resource: &str) -> Result<(), Failure> {
        self.call("DeregisterScalableTarget", |world| {
            world.scaling.remove(name_in(resource));
            Ok(())
        })
    }
}

fn name_in(resource: &str) -> &str {
    resource.rsplit('/').next().unwrap_or(resource)
}
