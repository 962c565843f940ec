"""What a test can make go wrong in the simulator: each fault as an unmodified client sees it, and what the journal says of it."""

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
    with pytest.raises(ConnectionClosedError):
        world.ecs.create_cluster(clusterName="reset")
    faults("ecs:CreateCluster", {"kind": "lost"}, times=1)
    with pytest.raises(ConnectionClosedError):
        world.ecs.create_cluster(clusterName="lost")
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


def test_a_rule_that_makes_no_sense_is_refused(world: World):
    import urllib.error

    with pytest.raises(urllib.error.HTTPError) as refusal:
        world.sandbox("faults", "POST", {"operation": "ecs:*", "fault": {"kind": "moonshine"}})
    assert refusal.value.code == 400
