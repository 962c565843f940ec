"""CloudWatch in each of its three protocols, as botocore speaks them: metrics of what passes the load balancers, and alarms on them."""

import contextlib
from datetime import UTC, datetime, timedelta

import botocore.model
import pytest

from conftest import Simulator
from refusals import refused
from worlds import World, forward, until

PROTOCOLS = ("json", "smithy-rpc-v2-cbor", "query")


@pytest.fixture(params=PROTOCOLS)
def protocol(request, monkeypatch) -> str:
    """botocore takes the first protocol of its list that a service has; here it has no choice for CloudWatch."""
    supported = botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS
    order = (request.param, *(name for name in supported if name != request.param))
    monkeypatch.setattr(botocore.model, "PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", order)
    return request.param


@pytest.fixture
def monitor(protocol, simulator, region, checks):
    client = simulator.client("cloudwatch", region, checks)
    assert client.meta.service_model.resolved_protocol == protocol
    return client


@pytest.fixture(scope="module")
def fast_simulator(tmp_path_factory):
    """One on whose clock AWS's minute is 0.6 s: alarms look at whole minutes."""
    running = Simulator(tmp_path_factory.mktemp("fast"), clock_factor=100.0)
    yield running
    assert running.stop() == 0 and "panicked" not in running.errors, running.errors


def lately() -> dict:
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(minutes=5), "EndTime": now + timedelta(minutes=1)}


ALARM = {"AlarmName": "errors", "Namespace": "Shop", "MetricName": "Errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 2,
         "DatapointsToAlarm": 1, "Threshold": 2.5, "ComparisonOperator": "GreaterThanThreshold",
         "Dimensions": [{"Name": "Tier", "Value": "web"}], "TreatMissingData": "notBreaching", "AlarmDescription": "too many",
         "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:page"], "ActionsEnabled": False, "Unit": "Count"}


def test_an_alarm_comes_back_as_it_was_given(monitor, region):
    def created():
        # Alarms are looked at every now and then, and such a look may come between the two calls.
        monitor.delete_alarms(AlarmNames=["errors"])
        monitor.put_metric_alarm(**ALARM, Tags=[{"Key": "team", "Value": "shop"}])
        [alarm] = monitor.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
        return alarm if alarm["StateReason"] == "Unchecked: Initial alarm creation" else None
    alarm = until("an alarm that was not looked at yet", created)
    assert ALARM.items() <= alarm.items()
    assert alarm["AlarmArn"] == f"arn:aws:cloudwatch:{region}:123456789012:alarm:errors"
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"
    assert abs(alarm["StateUpdatedTimestamp"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert monitor.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "team", "Value": "shop"}]
    monitor.tag_resource(ResourceARN=alarm["AlarmArn"], Tags=[{"Key": "a", "Value": "b"}])
    monitor.untag_resource(ResourceARN=alarm["AlarmArn"], TagKeys=["team"])
    assert monitor.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    found = monitor.describe_alarms_for_metric(Namespace="Shop", MetricName="Errors", Dimensions=ALARM["Dimensions"])["MetricAlarms"]
    assert [each["AlarmName"] for each in found] == ["errors"]
    monitor.put_metric_alarm(**ALARM | {"Threshold": 7.0})
    assert monitor.describe_alarms(AlarmNamePrefix="err")["MetricAlarms"][0]["Threshold"] == 7.0
    monitor.delete_alarms(AlarmNames=["errors"])
    assert monitor.describe_alarms()["MetricAlarms"] == []


def test_alarms_are_paged_and_filtered(monitor):
    for number in range(3):
        monitor.put_metric_alarm(**ALARM | {"AlarmName": f"a{number}"})
    pages = list(monitor.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2}))
    assert [[alarm["AlarmName"] for alarm in page["MetricAlarms"]] for page in pages] == [["a0", "a1"], ["a2"]]
    assert monitor.describe_alarms(StateValue="ALARM")["MetricAlarms"] == []
    assert len(monitor.describe_alarms(ActionPrefix="arn:aws:sns")["MetricAlarms"]) == 3
    assert monitor.describe_alarms(AlarmTypes=["CompositeAlarm"])["MetricAlarms"] == []


def test_a_state_that_is_set_holds_until_the_next_look(monitor):
    monitor.put_metric_alarm(**ALARM)
    told = lambda: monitor.describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]

    def drilled():
        # A look may come between the two calls.
        monitor.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a drill", StateReasonData='{"drill": true}')
        return (told()["StateValue"], told()["StateReason"]) == ("ALARM", "a drill")
    until("the state that was set", drilled)
    until("its own state", lambda: told()["StateValue"] == "OK")


def test_numbers_that_are_put_are_found_by_their_dates(monitor):
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
    dimensions = [{"Name": "Tier", "Value": "web"}]
    monitor.put_metric_data(Namespace="Shop", MetricData=[
        {"MetricName": "Orders", "Dimensions": dimensions, "Timestamp": at, "Value": 3.5, "Unit": "Count"},
        {"MetricName": "Orders", "Dimensions": dimensions, "Timestamp": at, "Values": [1.0, 2.0], "Counts": [2.0, 1.0]},
        {"MetricName": "Orders", "Timestamp": at,
         "StatisticValues": {"SampleCount": 4.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 5.0}}])
    points = monitor.get_metric_statistics(Namespace="Shop", MetricName="Orders", Dimensions=dimensions, Period=60, **lately(),
                                           Statistics=["Sum", "Average", "SampleCount", "Minimum", "Maximum"])
    [point] = points["Datapoints"]
    assert points["Label"] == "Orders" and point["Unit"] == "Count"
    assert point["Timestamp"] == at.replace(second=0)
    assert {name: point[name] for name in ("Sum", "Average", "SampleCount", "Minimum", "Maximum")} == {
        "Sum": 7.5, "Average": 1.875, "SampleCount": 4.0, "Minimum": 1.0, "Maximum": 3.5}
    query = lambda id, stat, dimensions: {"Id": id, "MetricStat": {
        "Metric": {"Namespace": "Shop", "MetricName": "Orders", "Dimensions": dimensions}, "Period": 60, "Stat": stat}}
    got = monitor.get_metric_data(**lately(), MetricDataQueries=[
        query("with", "Sum", dimensions), query("without", "Maximum", []) | {"Label": "bare"},
        query("other", "Sum", [{"Name": "Tier", "Value": "db"}])])["MetricDataResults"]
    assert [(result["Id"], result["Label"], result["Values"], result["StatusCode"]) for result in got] == [
        ("with", "Orders", [7.5], "Complete"), ("without", "bare", [5.0], "Complete"), ("other", "Orders", [], "Complete")]
    assert got[0]["Timestamps"] == [at.replace(second=0)]
    listed = monitor.list_metrics(Namespace="Shop")["Metrics"]
    assert sorted(len(metric["Dimensions"]) for metric in listed) == [0, 1]
    assert len(monitor.list_metrics(Namespace="Shop", Dimensions=[{"Name": "Tier"}])["Metrics"]) == 1


def test_refusals(monitor, protocol):
    with refused("ResourceNotFound"):
        monitor.delete_alarms(AlarmNames=["none"])
    with refused("ResourceNotFound"):
        monitor.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="r")
    monitor.put_metric_alarm(**ALARM)
    with refused("InvalidFormat"):
        monitor.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="r", StateReasonData="{")
    with refused("ValidationError"):
        monitor.put_metric_alarm(**ALARM | {"EvaluationPeriods": 1, "DatapointsToAlarm": 2})
    with refused("InvalidParameterValue"):
        monitor.put_metric_data(Namespace="AWS/Shop", MetricData=[{"MetricName": "m", "Value": 1.0}])
    with refused("MissingParameter"):
        monitor.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "m"}])
    wrong = lately()
    wrong["StartTime"], wrong["EndTime"] = wrong["EndTime"], wrong["StartTime"]
    asked = {"Namespace": "Shop", "MetricName": "m", "Period": 60, "Statistics": ["Sum"]}
    with refused("InvalidParameterValue", "StartTime must be less"):
        monitor.get_metric_statistics(**asked, **wrong)
    with refused("InvalidParameterCombination", "1440"):
        monitor.get_metric_statistics(**asked | {"Period": 1}, StartTime=datetime.now(UTC) - timedelta(hours=1), EndTime=datetime.now(UTC))
    with refused("InvalidNextToken"):
        monitor.describe_alarms(NextToken="x")
    if protocol == "query":
        return
    with pytest.raises(monitor.exceptions.ResourceNotFound):
        monitor.delete_alarms(AlarmNames=["none"])


class TestWhatPassesTheLoadBalancers:
    @pytest.fixture
    def quick(self, fast_simulator, region, checks):
        client = lambda service: fast_simulator.client(service, region, checks)
        world = World(fast_simulator, client("ecs"), client("elbv2"))
        world.monitor = client("cloudwatch")
        return world

    def sums(self, world: World, name: str, dimensions: dict, stat: str = "Sum", namespace: str = "AWS/ApplicationELB") -> float:
        given = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        [result] = world.monitor.get_metric_data(**lately(), MetricDataQueries=[{"Id": "m", "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": given}, "Period": 60, "Stat": stat}}])["MetricDataResults"]
        return sum(result["Values"])

    def names(self, world: World) -> tuple[dict, dict]:
        balancer = {"LoadBalancer": world.balancer.split(":loadbalancer/")[1]}
        return balancer, balancer | {"TargetGroup": world.groups[0].split(":", 5)[5]}

    def test_requests_are_counted(self, quick: World):
        quick.service("web", quick.definition(environment={"SANDBOX_FAIL_SHARE": "0.5"}), quick.groups[0], desired=2)
        quick.steady("web")
        until("a listener that knows a target", lambda: quick.get(8080)[0] in (200, 500))
        balancer, both = self.names(quick)
        until("an end of the counting", lambda: self.sums(quick, "RequestCount", both) > 0)
        before = {name: self.sums(quick, name, both) for name in ("RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_Target_2XX_Count")}
        statuses = [quick.get(8080)[0] for _ in range(20)]
        assert statuses.count(500) == 10
        until("all of them", lambda: self.sums(quick, "RequestCount", both) == before["RequestCount"] + 20)
        assert self.sums(quick, "RequestCount", balancer) == before["RequestCount"] + 20
        assert self.sums(quick, "HTTPCode_Target_5XX_Count", both) == before["HTTPCode_Target_5XX_Count"] + 10
        assert self.sums(quick, "HTTPCode_Target_2XX_Count", both) == before["HTTPCode_Target_2XX_Count"] + 10
        each = self.sums(quick, "RequestCountPerTarget", {"TargetGroup": both["TargetGroup"]})
        assert 10 <= each <= before["RequestCount"] + 20
        assert 0 < self.sums(quick, "TargetResponseTime", both, "Maximum")
        until("hosts that are counted", lambda: self.sums(quick, "HealthyHostCount", both, "Maximum") >= 2)
        service = {"ClusterName": quick.cluster, "ServiceName": "web"}
        until("CPU", lambda: self.sums(quick, "CPUUtilization", service, "Minimum", "AWS/ECS") >= 1)
        assert quick.get(8081)[0] == 503
        until("its own error", lambda: self.sums(quick, "HTTPCode_ELB_5XX_Count", balancer) == 1)
        assert self.sums(quick, "RequestCount", balancer) == before["RequestCount"] + 20

    def test_an_alarm_follows_bad_answers(self, quick: World):
        quick.service("web", quick.definition(environment={"SANDBOX_FAIL_SHARE": "1.0"}), quick.groups[0], desired=1)
        quick.steady("web")
        _, both = self.names(quick)
        quick.monitor.put_metric_alarm(
            AlarmName="bad", Namespace="AWS/ApplicationELB", MetricName="HTTPCode_Target_5XX_Count", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=3, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
            Dimensions=[{"Name": key, "Value": value} for key, value in both.items()])
        state = lambda: quick.monitor.describe_alarms(AlarmNames=["bad"])["MetricAlarms"][0]
        until("all well", lambda: state()["StateValue"] == "OK")

        def alarmed():
            with contextlib.suppress(OSError):
                for _ in range(10):
                    quick.get(8080)
            return state() if state()["StateValue"] == "ALARM" else None
        assert "greater than or equal to the threshold (3)" in until("the alarm", alarmed)["StateReason"]
        quick.elb.modify_listener(ListenerArn=quick.listeners[0], DefaultActions=[forward(quick.groups[1])])
        until("all well again", lambda: state()["StateValue"] == "OK")


def test_an_alarm_of_an_owner_s_own_scales_a_service_by_steps(world: World, simulator, region, checks):
    client = lambda service: simulator.client(service, region, checks)
    scaling, monitor = client("application-autoscaling"), client("cloudwatch")
    world.service("web", world.definition(), world.groups[0], desired=1)
    world.steady("web")
    named = {"ServiceNamespace": "ecs", "ResourceId": f"service/{world.cluster}/web", "ScalableDimension": "ecs:service:DesiredCount"}
    scaling.register_scalable_target(**named, MinCapacity=1, MaxCapacity=10)
    policy = scaling.put_scaling_policy(
        **named, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity", "Cooldown": 600, "StepAdjustments": [
                {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 50.0, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 50.0, "ScalingAdjustment": 3}]})["PolicyARN"]
    monitor.put_metric_alarm(AlarmName="queue", Namespace="Shop", MetricName="Queue", Statistic="Maximum", Period=60, EvaluationPeriods=1,
                             Threshold=100.0, ComparisonOperator="GreaterThanThreshold", AlarmActions=[policy])
    [told] = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in told["Alarms"]] == ["queue"]
    monitor.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Queue", "Value": 170.0}])
    until("three more", lambda: world.described("web")["desiredCount"] == 4)
    [activity] = scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert activity["Cause"] == "monitor alarm queue in state ALARM triggered policy steps"
