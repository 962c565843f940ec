"""CloudWatch Logs under boto3: what containers wrote, and how it is found."""

import time

import pytest

from refusals import refused
from worlds import NETWORK, World, until

GROUP = "/shop/web"


@pytest.fixture
def group(logs) -> str:
    logs.create_log_group(logGroupName=GROUP)
    return GROUP


def logging(world: World, tag: str = "1", group: str = GROUP, environment: dict | None = None, ec2: bool = False, **options) -> str:
    """A task definition whose container logs."""
    given = {"awslogs-group": group, "awslogs-stream-prefix": "ecs"} | options
    container = {"name": "web", "image": f"registry.example/shop:{tag}", "memory": 64, "portMappings": [{"containerPort": 8080}],
                 "environment": [{"name": name, "value": value} for name, value in (environment or {}).items()],
                 "logConfiguration": {"logDriver": "awslogs", "options": {k: v for k, v in given.items() if v is not None}}}
    return world.definition(containerDefinitions=[container], **({"requiresCompatibilities": ["EC2"]} if ec2 else {}))


def run(world: World, definition: str, count: int = 1, **more) -> list[str]:
    """Ids of tasks of their own."""
    given = {"cluster": world.cluster, "taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": NETWORK,
             "count": count} | more
    return [task["taskArn"].rsplit("/")[-1] for task in world.ecs.run_task(**given)["tasks"]]


def status(world: World, task: str, wanted: str) -> dict:
    def described():
        [found] = world.ecs.describe_tasks(cluster=world.cluster, tasks=[task])["tasks"]
        return found if found["lastStatus"] == wanted else None
    return until(f"a task that is {wanted}", described)


def messages(logs, task: str, group: str = GROUP, **more) -> list[str]:
    events = logs.get_log_events(logGroupName=group, logStreamName=f"ecs/web/{task}", **more)["events"]
    return [event["message"] for event in events]


def test_a_container_s_life_is_in_its_stream(world: World, logs, group):
    before = int(time.time() * 1000)
    [task] = run(world, logging(world))
    status(world, task, "RUNNING")
    assert messages(logs, task) == ["web 1 starts", "listening on port 8080"]
    world.ecs.stop_task(cluster=world.cluster, task=task)
    status(world, task, "STOPPED")
    assert messages(logs, task)[2:] == ["SIGTERM: no new requests", "all requests are answered, exit code 0"]
    events = logs.get_log_events(logGroupName=group, logStreamName=f"ecs/web/{task}")["events"]
    times = [event["timestamp"] for event in events]
    assert times == sorted(times) and before <= times[0] <= times[-1] <= int(time.time() * 1000)
    assert all(event["ingestionTime"] >= event["timestamp"] for event in events)


@pytest.mark.parametrize(("tag", "environment", "last"), [
    ("7-crash", {"SANDBOX_CRASH": "3"}, "FATAL: this version crashes on purpose, exit code 3"),
    ("7", {"SANDBOX_CRASH_AFTER_SECONDS": "5"}, "FATAL: this version crashes on purpose, exit code 1"),
])
def test_a_crash_is_the_last_line(world: World, logs, group, tag, environment, last):
    [task] = run(world, logging(world, tag, environment=environment))
    status(world, task, "STOPPED")
    assert messages(logs, task)[-1] == last


def test_sickness_is_told_once(world: World, logs, group):
    [task] = run(world, logging(world, environment={"SANDBOX_SICK_AFTER_SECONDS": "2"}))
    told = lambda: [text for text in messages(logs, task) if "sick on purpose" in text]
    status(world, task, "RUNNING")
    until("the line", told)
    world.ecs.stop_task(cluster=world.cluster, task=task)
    status(world, task, "STOPPED")
    assert len(told()) == 1


def test_pages_in_both_directions(world: World, logs, group):
    [task] = run(world, logging(world))
    status(world, task, "RUNNING")
    world.ecs.stop_task(cluster=world.cluster, task=task)
    status(world, task, "STOPPED")
    everything = messages(logs, task)
    assert len(everything) == 4
    assert messages(logs, task, limit=3) == everything[1:], "the newest, unless it is asked for the head"
    get = lambda **more: logs.get_log_events(logGroupName=group, logStreamName=f"ecs/web/{task}", limit=3, **more)
    texts = lambda page: [event["message"] for event in page["events"]]
    first = get(startFromHead=True)
    assert texts(first) == everything[:3]
    second = get(nextToken=first["nextForwardToken"])
    assert texts(second) == everything[3:]
    third = get(nextToken=second["nextForwardToken"])
    assert texts(third) == [] and third["nextForwardToken"] == second["nextForwardToken"]
    assert texts(get(nextToken=second["nextBackwardToken"])) == everything[:3]
    with refused("InvalidParameterException", "The specified nextToken is invalid."):
        get(nextToken="nonsense")


def test_a_time_s_start_belongs_to_it_and_its_end_does_not(world: World, logs, group):
    [task] = run(world, logging(world))
    status(world, task, "RUNNING")
    world.ecs.stop_task(cluster=world.cluster, task=task)
    status(world, task, "STOPPED")
    events = logs.get_log_events(logGroupName=group, logStreamName=f"ecs/web/{task}")["events"]
    at = events[-1]["timestamp"]
    assert messages(logs, task, startTime=at) == [event["message"] for event in events if event["timestamp"] >= at]
    assert messages(logs, task, endTime=at) == [event["message"] for event in events if event["timestamp"] < at]


def test_streams_are_found_by_name_and_by_time(world: World, logs, group):
    first, second = sorted(run(world, logging(world), count=2))
    for task in (first, second):
        status(world, task, "RUNNING")
    time.sleep(0.01)
    world.ecs.stop_task(cluster=world.cluster, task=first)
    status(world, first, "STOPPED")
    names = lambda **more: [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group, **more)["logStreams"]]
    assert names() == [f"ecs/web/{first}", f"ecs/web/{second}"]
    assert names(orderBy="LastEventTime", descending=True, limit=1) == [f"ecs/web/{first}"]
    assert names(logStreamNamePrefix=f"ecs/web/{second}") == [f"ecs/web/{second}"]
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, PaginationConfig={"PageSize": 1})
    assert [len(page["logStreams"]) for page in pages] == [1, 1]
    [stream] = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"ecs/web/{first}")["logStreams"]
    assert stream["firstEventTimestamp"] < stream["lastEventTimestamp"]
    assert stream["arn"].endswith(f":log-group:{group}:log-stream:ecs/web/{first}")
    with refused("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."):
        names(orderBy="LastEventTime", logStreamNamePrefix="ecs")


def test_groups_are_made_found_and_removed(logs, group, region):
    logs.create_log_group(logGroupName="/other")
    with refused("ResourceAlreadyExistsException", "The specified log group already exists"):
        logs.create_log_group(logGroupName="/other")
    names = lambda **more: [found["logGroupName"] for found in logs.describe_log_groups(**more)["logGroups"]]
    assert names() == ["/other", group]
    assert names(logGroupNamePrefix="/shop") == [group] and names(logGroupNamePattern="OTHER") == ["/other"]
    [found] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["arn"] == f"arn:aws:logs:{region}:123456789012:log-group:{group}:*"
    logs.delete_log_group(logGroupName="/other")
    assert names() == [group]


def test_a_whole_group_is_searched(world: World, logs, group):
    tasks = run(world, logging(world, "7-crash"), count=3)
    for task in tasks:
        status(world, task, "STOPPED")
    found = logs.filter_log_events(logGroupName=group, filterPattern='FATAL "exit code"')
    assert {event["logStreamName"] for event in found["events"]} == {f"ecs/web/{task}" for task in tasks}
    assert len({event["eventId"] for event in found["events"]}) == 3
    one = logs.filter_log_events(logGroupName=group, logStreamNames=[f"ecs/web/{tasks[0]}"])
    assert [event["message"] for event in one["events"]] == messages(logs, tasks[0])
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 4})
    assert [len(page["events"]) for page in pages] == [4, 2]


def test_what_is_not_there(world: World, logs, group):
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        logs.get_log_events(logGroupName="/none", logStreamName="x")
    with refused("ResourceNotFoundException", "The specified log stream does not exist."):
        logs.get_log_events(logGroupName=group, logStreamName="x")
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        logs.delete_log_group(logGroupName="/none")


class TestWhereItLogs:
    def test_without_the_group_the_task_does_not_start(self, world: World):
        [task] = run(world, logging(world, group="/none"))
        stopped = status(world, task, "STOPPED")
        assert (stopped["stopCode"], stopped["stoppedReason"]) == (
            "TaskFailedToStart",
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create "
            "Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1")

    def test_on_an_instance_the_container_tells_it(self, world: World):
        [task] = run(world, logging(world, group="/none", ec2=True), launchType="EC2")
        stopped = status(world, task, "STOPPED")
        assert stopped["containers"][0]["reason"].startswith(
            "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to create Cloudwatch log")

    def test_the_driver_makes_the_group_if_it_may(self, world: World, logs):
        [task] = run(world, logging(world, group="/made", **{"awslogs-create-group": "true"}))
        status(world, task, "RUNNING")
        assert messages(logs, task, group="/made")[0] == "web 1 starts"

    def test_another_region(self, simulator, world: World, region, checks):
        there = simulator.client("logs", f"{region}-other", checks)
        there.create_log_group(logGroupName=GROUP)
        [task] = run(world, logging(world, **{"awslogs-region": f"{region}-other"}))
        status(world, task, "RUNNING")
        assert messages(there, task)[0] == "web 1 starts"
