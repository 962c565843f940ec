//! Auto scaling: production never without it while it serves, a version at 0 never with it, and what is put back is what was there.

use domain::{
    step::AutoScaling,
    task::{Direction, TaskReport},
};
use serde_json::json;

use super::{
    fake_aws::{FakeAws, Fault, World},
    rig::{FAMILY, Rig},
};

const OLD: &str = "ecs__blue__green__elb__17";
const NEW: &str = "ecs__blue__green__elb__18";

fn scaling() -> AutoScaling {
    AutoScaling::new(
        &json!({"MinCapacity": 2, "MaxCapacity": 8, "RoleARN": "arn:role", "SuspendedState": {
            "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": true, "ScheduledScalingSuspended": false}}),
        &[json!({"PolicyName": "requests", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 100.0, "ScaleInCooldown": 60, "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": "app/lb/1/tg/target2"}}})],
    )
}

/// The old version is scaled, and has been scaled out to 5.
fn scaled_out() -> Rig {
    let mut world = World::with_past(FAMILY);
    world.services.get_mut(OLD).expect("it is there").desired = 5;
    world.settle(OLD);
    world.scaling.insert(OLD.into(), scaling());
    Rig::new(FakeAws::new(world))
}

#[tokio::test]
async fn a_scaled_out_version_is_followed_by_as_many_scaled_as_it_was() {
    let mut rig = scaled_out();
    let setup = rig.perform(0).await;
    assert!(setup.lines.iter().any(|line| *line == format!("Found Auto-scalar config of {OLD}: 2 to 8 tasks, 1 policy")));
    setup.output();
    assert_eq!(rig.aws.world().scaling.len(), 1, "a version without tasks is not scaled");
    rig.perform(1).await.output();
    let both = rig.aws.world();
    assert_eq!(both.services[NEW].running, 5);
    assert_eq!(both.scaling.keys().collect::<Vec<_>>(), [OLD, NEW], "production keeps its own until it is downsized");
    rig.perform(2).await.output();
    let world = rig.aws.world();
    assert_eq!((world.services[OLD].desired, world.services[NEW].desired), (0, 5));
    assert_eq!(world.scaling.keys().collect::<Vec<_>>(), [NEW], "nothing scales the old one up again");
    let label =
        &world.scaling[NEW].scaling_policies[0]["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"];
    assert_eq!(label["ResourceLabel"], "app/lb/1/tg/target1", "requests are counted on its own group");
    assert_eq!(world.scaling[NEW].scalable_target, scaling().scalable_target);
}

#[tokio::test]
async fn what_a_workflow_says_comes_before_what_the_old_version_had() {
    let mut rig = scaled_out();
    rig.setup.version.auto_scaling = Some(AutoScaling::new(&json!({"minCapacity": 1, "maxCapacity": 9}), &[]));
    rig.deploy().await;
    let world = rig.aws.world();
    assert_eq!(world.scaling[NEW].bounds(), Some((1, 9)));
    assert!(world.scaling[NEW].scaling_policies.is_empty());
}

#[tokio::test]
async fn a_rollback_ends_with_the_old_policies_as_they_were_wherever_it_began() {
    let mut rig = scaled_out();
    rig.deploy().await;
    let calls = rig.aws.calls.lock().expect("no panic").len();
    for at in 0..calls {
        for fault in [Fault::LostBefore, Fault::LostAfter] {
            let mut rig = scaled_out();
            *rig.aws.fault.lock().expect("no panic") = Some((at, fault));
            let mut stopped = 2;
            for step in 0..3 {
                if matches!(rig.perform(step).await.report, TaskReport::Failed { .. }) {
                    stopped = step;
                    break;
                }
            }
            for step in (0..=stopped).rev() {
                for attempt in 0.. {
                    match rig.attempt(step, Direction::Undo).await.report {
                        TaskReport::Succeeded { .. } => break,
                        TaskReport::Failed { ref failure } if failure.transient && attempt < 3 => {}
                        ref other => panic!("call {at}, {fault:?}: {other:?}"),
                    }
                }
            }
            let world = rig.aws.world();
            assert_eq!(world.scaling, [(OLD.to_owned(), scaling())].into(), "call {at}, {fault:?}");
            assert_eq!(world.services[OLD].running, 5, "call {at}, {fault:?}");
        }
    }
}
