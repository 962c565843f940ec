"""What a test can make go wrong in the simulator: each fault as an unmodified client sees it, and what the journal says of it."""

import json
import time
import urllib.error
from http.client import RemoteDisconnected

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from refusals import refused
from worlds import World


@pytest.fixture
def faults(world: World):
    """Adds a rule; all are gone after the test."""
    def add(operation: str, fault: dict, **more) -> None:
        world.sandbox("faults", "POST", {"operation": operation, "fault": fault} | more)

    yield add
    world.sandbox("faults", "DELETE")


def clusters(world: World) -> list[str]:
    return [arn.rsplit("/")[-1] for arn in world.ecs.list_clusters()["clusterArns"]]


def last_call(world: World, operation: str) -> dict:
    return [call for call in world.sandbox("calls")["log"] if f"{call['service']}:{call['operation']}" == operation][-1]


def socket_error(raised) -> type:
    """What the socket itself told the client."""
    told = raised.value.kwargs["error"].args[1]
    return type(told)


def test_without_a_rule_nothing_goes_wrong(world: World):
    assert world.sandbox("faults") == {"faults": []}
    assert last_call(world, "ecs:CreateCluster")["fault"] is None


def test_throttled_refused_and_failed_calls_have_no_effect(world: World, faults):
    faults("ecs:CreateCluster", {"kind": "throttle"}, times=1)
    with refused("ThrottlingException", "Rate exceeded"):
        world.ecs.create_cluster(clusterName="one")
    faults("ecs:CreateCluster", {"kind": "refuse", "code": "AccessDeniedException", "message": "not you"}, times=1)
    with refused("AccessDeniedException", "not you"):
        world.ecs.create_cluster(clusterName="one")
    faults("ecs:CreateCluster", {"kind": "fail"}, times=1)
    with refused("ServerException"):
        world.ecs.create_cluster(clusterName="one")
    faults("elasticloadbalancing:*", {"kind": "fail", "status": 503}, times=1)
    with refused("ServiceUnavailable"):
        world.elb.describe_load_balancers()
    assert clusters(world) == ["docs-ecs"]
    world.ecs.create_cluster(clusterName="one")
    assert sorted(clusters(world)) == ["docs-ecs", "one"]
    assert [rule["fired"] for rule in world.sandbox("faults")["faults"]] == [1, 1, 1, 1]


def test_a_reset_call_did_not_happen_and_a_lost_one_did(world: World, faults):
    faults("ecs:CreateCluster", {"kind": "reset"}, times=1)
    with pytest.raises(ConnectionClosedError) as reset:
        world.ecs.create_cluster(clusterName="reset")
    assert socket_error(reset) is ConnectionResetError, "RST, as from a peer that crashed"
    faults("ecs:CreateCluster", {"kind": "lost"}, times=1)
    with pytest.raises(ConnectionClosedError) as lost:
        world.ecs.create_cluster(clusterName="lost")
    assert socket_error(lost) is RemoteDisconnected, "FIN, as from a peer that closes"
    assert last_call(world, "ecs:CreateCluster")["status"] == 200
    assert sorted(clusters(world)) == ["docs-ecs", "lost"]


def test_a_silent_call_took_effect(simulator, world: World, faults, region, checks):
    faults("ecs:CreateCluster", {"kind": "silent", "delayMs": 3_000}, times=1)
    impatient = simulator.client("ecs", region, checks, read_timeout=1)
    with pytest.raises(ReadTimeoutError):
        impatient.create_cluster(clusterName="silent")
    assert sorted(clusters(world)) == ["docs-ecs", "silent"]


def test_the_first_calls_can_pass(world: World, faults):
    faults("ecs:ListClusters", {"kind": "throttle"}, after=2, times=1)
    clusters(world)
    clusters(world)
    with refused("ThrottlingException"):
        clusters(world)
    clusters(world)


def test_a_stale_read_tells_what_stood_before_the_last_write(world: World, faults):
    action = lambda: world.elb.describe_listeners(ListenerArns=world.listeners[:1])["Listeners"][0]["DefaultActions"][0]["TargetGroupArn"]
    faults("elasticloadbalancing:DescribeListeners", {"kind": "stale"}, times=2)
    assert action() == world.groups[0], "nothing was written yet"
    world.elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=[{"Type": "forward", "TargetGroupArn": world.groups[1]}])
    assert action() == world.groups[0], "the old listener"
    assert action() == world.groups[1], "the new one"


def test_a_stale_read_of_a_service_and_a_write_that_was_refused(world: World, faults):
    world.service("web", world.definition(), None, desired=0)
    faults("ecs:DescribeServices", {"kind": "stale"}, times=3)
    world.ecs.update_service(cluster=world.cluster, service="web", desiredCount=1)
    with refused("ServiceNotFoundException"):
        world.ecs.update_service(cluster=world.cluster, service="none", desiredCount=1)
    assert world.described("web")["desiredCount"] == 0, "the refused call was no write"
    world.ecs.update_service(cluster=world.cluster, service="web", desiredCount=2)
    assert world.described("web")["desiredCount"] == 1
    world.ecs.delete_service(cluster=world.cluster, service="web", force=True)
    assert world.described("web")["status"] == "ACTIVE", "the last of the three"
    assert world.described("web")["status"] == "DRAINING"


def test_a_later_rule_does_not_bring_back_an_old_state(world: World, faults):
    world.service("web", world.definition(), None, desired=0)
    faults("ecs:DescribeServices", {"kind": "stale"}, times=1)
    world.ecs.update_service(cluster=world.cluster, service="web", desiredCount=1)
    assert world.described("web")["desiredCount"] == 0
    world.ecs.update_service(cluster=world.cluster, service="web", desiredCount=2)
    faults("ecs:DescribeServices", {"kind": "stale"}, times=1)
    assert world.described("web")["desiredCount"] == 2, "what stood two writes ago is nobody's to read"


def test_a_slow_call_takes_its_time_and_goes_well(world: World, faults):
    faults("ecs:CreateCluster", {"kind": "slow", "delayMs": 700}, times=1)
    started = time.monotonic()
    world.ecs.create_cluster(clusterName="slow")
    assert time.monotonic() - started >= 0.7
    assert "slow" in clusters(world)


def test_a_list_of_rules_is_taken_whole_or_not_at_all(world: World, faults):
    good = {"operation": "ecs:*", "fault": {"kind": "throttle"}}
    with pytest.raises(urllib.error.HTTPError) as refusal:
        world.sandbox("faults", "POST", [good, {"operation": "ecs:CreateServise", "fault": {"kind": "silent"}}])
    errors = json.loads(refusal.value.read())["errors"]
    assert [(error["rule"], error["place"]) for error in errors] == [(2, "operation"), (2, "fault.delayMs")]
    assert errors[0]["error"].endswith("did you mean ecs:CreateService?")
    assert world.sandbox("faults") == {"faults": []}
    world.sandbox("faults", "POST", [good, good | {"times": 1}])
    assert len(world.sandbox("faults")["faults"]) == 2


def test_an_operation_that_the_simulator_lacks_is_refused(world: World):
    with refused("UnknownOperationException"):
        world.ecs.list_attributes(cluster=world.cluster, targetType="container-instance")
    with refused("InvalidAction"):
        world.elb.describe_account_limits()


def test_a_rule_that_makes_no_sense_is_refused(world: World):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        world.sandbox("faults", "POST", {"operation": "ecs:*", "fault": {"kind": "moonshine"}})
    assert refusal.value.code == 400
