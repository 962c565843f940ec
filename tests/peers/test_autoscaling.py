"""Application Auto Scaling: what it keeps and refuses, and services that really grow and shrink with what their tasks are asked."""

import re
import threading
from contextlib import contextmanager

import pytest

from conftest import Simulator
from refusals import refused
from worlds import World, until

DIMENSION = "ecs:service:DesiredCount"
CPU = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}


class Scaled:
    """A service behind production, and Application Auto Scaling's view of it."""

    def __init__(self, world: World, scaling):
        self.world, self.scaling = world, scaling
        world.service("web", world.definition(), world.groups[0], desired=2)
        world.steady("web")
        self.resource = f"service/{world.cluster}/web"
        self.named = {"ServiceNamespace": "ecs", "ResourceId": self.resource, "ScalableDimension": DIMENSION}

    def register(self, low: int, high: int, **more) -> str:
        return self.scaling.register_scalable_target(**self.named, MinCapacity=low, MaxCapacity=high, **more)["ScalableTargetARN"]

    def track(self, name: str, target: float, metric: dict = CPU, **more) -> dict:
        configuration = {"TargetValue": target, "PredefinedMetricSpecification": metric, **more}
        return self.scaling.put_scaling_policy(**self.named, PolicyName=name, PolicyType="TargetTrackingScaling",
                                               TargetTrackingScalingPolicyConfiguration=configuration)

    @property
    def desired(self) -> int:
        return self.world.described("web")["desiredCount"]

    def activities(self) -> list[str]:
        told = self.scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId=self.resource)["ScalingActivities"]
        assert {activity["StatusCode"] for activity in told} <= {"Successful"}
        return [activity["Description"] for activity in told]

    @contextmanager
    def load(self, threads: int = 4):
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                self.world.get(8080)
        running = [threading.Thread(target=ask) for _ in range(threads)]
        for thread in running:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in running:
                thread.join()


@pytest.fixture
def scaled(world: World, simulator, region, checks) -> Scaled:
    return Scaled(world, simulator.client("application-autoscaling", region, checks))


@pytest.fixture(scope="module")
def fast_simulator(tmp_path_factory):
    """One on whose clock AWS's minute is 0.6 s: alarms look back for many of them."""
    running = Simulator(tmp_path_factory.mktemp("fast"), clock_factor=100.0)
    yield running
    assert running.stop() == 0 and "panicked" not in running.errors, running.errors


@pytest.fixture
def fast(fast_simulator, region, checks) -> Scaled:
    client = lambda service: fast_simulator.client(service, region, checks)
    scaled = Scaled(World(fast_simulator, client("ecs"), client("elbv2")), client("application-autoscaling"))
    scaled.cloudwatch = client("cloudwatch")
    return scaled


def test_a_target_is_registered_changed_and_told(scaled: Scaled, region):
    arn = scaled.register(1, 4, Tags={"team": "shop"}, SuspendedState={"ScheduledScalingSuspended": True})
    assert re.fullmatch(rf"arn:aws:application-autoscaling:{region}:123456789012:scalable-target/[0-9a-f]{{36}}", arn)
    assert scaled.register(2, 5, SuspendedState={"DynamicScalingInSuspended": True}) == arn
    # What is left out of a change stays.
    scaled.scaling.register_scalable_target(**scaled.named, MaxCapacity=6)
    [target] = scaled.scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[scaled.resource])["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableTargetARN"]) == (2, 6, arn)
    assert target["SuspendedState"] == {"DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": False,
                                        "ScheduledScalingSuspended": True}
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_ECSService")
    scaled.scaling.tag_resource(ResourceARN=arn, Tags={"tier": "web"})
    assert scaled.scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "shop", "tier": "web"}
    scaled.scaling.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert scaled.scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"tier": "web"}
    assert scaled.scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=["service/x/y"])["ScalableTargets"] == []


def test_bounds_take_the_desired_count_with_them_unless_suspended(scaled: Scaled):
    scaled.register(3, 5, SuspendedState={"DynamicScalingOutSuspended": True})
    assert scaled.desired == 2
    scaled.register(3, 5, SuspendedState={"DynamicScalingOutSuspended": False})
    assert scaled.desired == 3
    scaled.register(1, 1)
    assert scaled.desired == 1
    assert scaled.activities() == ["Setting desired count to 1.", "Setting desired count to 3."]
    scaled.world.steady("web")


def test_policies_have_alarms_and_go_with_their_target(scaled: Scaled):
    scaled.register(1, 4)
    put = scaled.track("cpu", 50.0, ScaleInCooldown=60)
    assert re.fullmatch(rf"arn:aws:autoscaling:[^:]+:123456789012:scalingPolicy:[0-9a-f-]{{36}}:resource/ecs/{scaled.resource}:policyName/cpu",
                        put["PolicyARN"])
    high, low = put["Alarms"]
    assert re.fullmatch(rf"TargetTracking-{scaled.resource}-AlarmHigh-[0-9a-f-]{{36}}", high["AlarmName"])
    assert re.fullmatch(rf"TargetTracking-{scaled.resource}-AlarmLow-[0-9a-f-]{{36}}", low["AlarmName"])
    assert high["AlarmARN"].endswith(":alarm:" + high["AlarmName"])
    again = scaled.track("cpu", 60.0)
    assert again == {**put, "ResponseMetadata": again["ResponseMetadata"]}
    scaled.scaling.put_scaling_policy(
        **scaled.named, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity", "Cooldown": 30,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]})
    told = scaled.scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=scaled.resource)["ScalingPolicies"]
    assert [(policy["PolicyName"], policy["PolicyType"], len(policy["Alarms"])) for policy in told] == [
        ("cpu", "TargetTrackingScaling", 2), ("steps", "StepScaling", 0)]
    assert told[0]["TargetTrackingScalingPolicyConfiguration"] == {"TargetValue": 60.0, "PredefinedMetricSpecification": CPU}
    scaled.scaling.delete_scaling_policy(**scaled.named, PolicyName="steps")
    scaled.scaling.deregister_scalable_target(**scaled.named)
    assert scaled.scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    with refused("ObjectNotFoundException", "No scalable target registered for service namespace: ecs"):
        scaled.scaling.deregister_scalable_target(**scaled.named)


def test_cpu_grows_and_shrinks_the_service(fast):
    scaled = fast
    scaled.register(1, 4)
    # A task at rest uses 1 %, and 10 % more for each request of one of AWS's seconds, of which 100 are one here.
    scaled.track("cpu", 2.0, ScaleOutCooldown=60, ScaleInCooldown=60)
    with scaled.load():
        until("a grown service", lambda: scaled.desired > 2, 60)
        until("its tasks", lambda: len(scaled.world.tasks("web")) > 2, 60)
    assert scaled.activities()[-1].startswith("Setting desired count to ")
    # A new target, at which a quarter of them is enough without a request.
    scaled.track("cpu", 4.0, ScaleOutCooldown=60, ScaleInCooldown=60)
    until("a small service", lambda: scaled.desired == 1, 90)
    until("one task", lambda: len(scaled.world.tasks("web")) == 1, 60)


def test_requests_per_target_grow_it_and_a_suspended_direction_does_nothing(fast):
    scaled = fast
    scaled.register(1, 5, SuspendedState={"DynamicScalingOutSuspended": True, "DynamicScalingInSuspended": True})
    balancer, group = (arn.split(":", 5)[5].removeprefix("loadbalancer/") for arn in (scaled.world.balancer, scaled.world.groups[0]))
    put = scaled.track("requests", 1.0, {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": f"{balancer}/{group}"})
    with scaled.load():
        alarms = scaled.cloudwatch
        until("the alarm", lambda: alarms.describe_alarms(AlarmNames=[put["Alarms"][0]["AlarmName"]])["MetricAlarms"][0]["StateValue"] == "ALARM", 60)
        assert scaled.desired == 2 and scaled.activities() == []
        scaled.register(1, 5, SuspendedState={"DynamicScalingOutSuspended": False})
        # Far more than the target, and no more than the most.
        until("the most", lambda: scaled.desired == 5, 60)
    scaled.scaling.register_scalable_target(**scaled.named, SuspendedState={"DynamicScalingInSuspended": False})
    until("the least", lambda: scaled.desired == 1, 90)
    told = scaled.scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId=scaled.resource)["ScalingActivities"]
    assert "AlarmLow" in told[0]["Cause"] and "AlarmHigh" in told[-1]["Cause"]


def test_what_is_refused(scaled: Scaled):
    with refused("ValidationException", "ECS service doesn't exist: service/docs-ecs/none"):
        scaled.scaling.register_scalable_target(**scaled.named | {"ResourceId": "service/docs-ecs/none"}, MinCapacity=1, MaxCapacity=2)
    with refused("ValidationException"):
        scaled.register(3, 2)
    with refused("ValidationException"):
        scaled.scaling.register_scalable_target(**scaled.named, MinCapacity=1)
    with refused("ValidationException", "Unsupported service namespace, resource type or scalable dimension"):
        scaled.scaling.register_scalable_target(**scaled.named | {"ScalableDimension": "rds:cluster:ReadReplicaCount"},
                                                MinCapacity=1, MaxCapacity=2)
    with refused("ObjectNotFoundException", "No scalable target registered"):
        scaled.track("cpu", 50.0)
    scaled.register(1, 2)
    with refused("ValidationException", "Resource label must be specified"):
        scaled.track("requests", 1.0, {"PredefinedMetricType": "ALBRequestCountPerTarget"})
    scaled.track("cpu", 50.0)
    with refused("ValidationException", "Only one TargetTrackingScaling policy"):
        scaled.track("other", 50.0)
    with refused("ObjectNotFoundException", "No scaling policy found"):
        scaled.scaling.delete_scaling_policy(**scaled.named, PolicyName="none")
    with refused("ResourceNotFoundException"):
        scaled.scaling.list_tags_for_resource(
            ResourceARN="arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/0")
