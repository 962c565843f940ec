"""Versions that misbehave, chosen by the end of their image's tag or by variables: what AWS tells of each, seen by an unmodified client."""

import pytest

from refusals import refused
from worlds import NETWORK, World, until

ROLE = "arn:aws:iam::123456789012:role/runner"


def run(world: World, definition: str, **more) -> dict:
    """A task of its own, once it has stopped."""
    given = {"cluster": world.cluster, "taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": NETWORK} | more
    [task] = world.ecs.run_task(**given)["tasks"]

    def stopped():
        [now] = world.ecs.describe_tasks(cluster=world.cluster, tasks=[task["taskArn"]])["tasks"]
        return now if now["lastStatus"] == "STOPPED" else None
    return until("a stopped task", stopped)


def containers(*tags: str) -> list[dict]:
    return [{"name": f"c{number}", "image": f"registry.example/shop:{tag}", "memory": 64} for number, tag in enumerate(tags)]


class TestTasksThatNeverStart:
    def test_an_image_that_is_missing(self, world: World):
        task = run(world, world.definition(tag="7-missing"))
        image = "registry.example/todolist:7-missing"
        reason = f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: not found"
        assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", reason)
        [container] = task["containers"]
        assert (container["lastStatus"], container["reason"]) == ("STOPPED", reason)
        assert "exitCode" not in container and "startedAt" not in task and task["stoppedAt"] >= task["createdAt"]

    def test_on_an_instance_only_the_container_tells_why(self, world: World):
        definition = world.definition(family="ec2", networkMode="bridge", requiresCompatibilities=["EC2"],
                                      containerDefinitions=containers("1", "7-missing"))
        task = run(world, definition, launchType="EC2", networkConfiguration={})
        assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
        reasons = {container["name"]: container.get("reason") for container in task["containers"]}
        assert reasons["c0"] is None
        assert reasons["c1"].startswith("CannotPullContainerError: Error response from daemon: manifest for registry.example/shop:7-missing")

    @pytest.mark.parametrize(("tag", "ending"), [
        ("7-no-secret", "from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."),
        ("7-no-permission", "is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy "
                            "allows the ecr:GetAuthorizationToken action status code: 400, request id: "),
    ])
    def test_resources_that_can_t_be_had(self, world: World, tag, ending):
        task = run(world, world.definition(tag=tag, executionRoleArn=ROLE))
        assert task["stopCode"] == "TaskFailedToStart"
        told = task["stoppedReason"]
        assert told.startswith("ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ")
        assert ending in told
        if tag == "7-no-permission":
            assert f"User: arn:aws:sts::123456789012:assumed-role/runner/{task['taskArn'].rsplit('/')[-1]} is" in told

    def test_a_variable_says_the_same_and_counts_for_the_circuit_breaker(self, world: World):
        definition = world.definition(environment={"SANDBOX_START": "missing"})
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
        world.service("web", definition, world.groups[0], deploymentConfiguration=breaker)
        until("a failed rollout", lambda: world.described("web")["deployments"][0]["rolloutState"] == "FAILED")
        assert world.described("web")["deployments"][0]["failedTasks"] >= 3
        assert {task["stopCode"] for task in world.tasks("web", "STOPPED")} == {"TaskFailedToStart"}


class TestTasksThatEnd:
    def test_a_crash_at_the_start(self, world: World):
        task = run(world, world.definition(tag="7-crash"))
        assert (task["stopCode"], task["stoppedReason"]) == ("EssentialContainerExited", "Essential container in task exited")
        assert [container["exitCode"] for container in task["containers"]] == [1]
        assert task["startedAt"] <= task["stoppedAt"]

    def test_only_the_container_that_crashed_has_its_code_and_only_an_essential_one_ends_the_task(self, world: World):
        listed = containers("1", "7-crash", "7-crash")
        listed[2] |= {"essential": False}
        task = run(world, world.definition(family="pair", containerDefinitions=listed))
        assert {container["name"]: container["exitCode"] for container in task["containers"]} == {"c0": 0, "c1": 1, "c2": 0}

    def test_a_crash_later_is_replaced_and_is_no_failure_of_the_deployment(self, world: World):
        definition = world.definition(environment={"SANDBOX_CRASH": "137", "SANDBOX_CRASH_AFTER_SECONDS": "40"})
        world.service("web", definition, world.groups[0], desired=1)
        world.steady("web")
        [first] = world.tasks("web")
        stopped = until("its end", lambda: world.tasks("web", "STOPPED"))[-1]
        assert (stopped["taskArn"], stopped["stopCode"]) == (first["taskArn"], "EssentialContainerExited")
        stopped = until("its code", lambda: [task for task in world.tasks("web", "STOPPED") if task["lastStatus"] == "STOPPED"])[-1]
        assert stopped["containers"][0]["exitCode"] == 137
        assert (stopped["stoppedAt"] - stopped["startedAt"]).total_seconds() >= 40 / 20
        assert f"(service web) deregistered 1 targets in (target-group {world.groups[0]})" in world.events("web")
        until("its successor", lambda: [task for task in world.tasks("web") if task["taskArn"] != first["taskArn"]])
        assert world.described("web")["deployments"][0]["failedTasks"] == 0


class TestTasksThatServeBadly:
    def test_unhealthy_from_the_start(self, world: World):
        world.service("web", world.definition(tag="7-unhealthy"), world.groups[0], desired=1, healthCheckGracePeriodSeconds=20)
        until("an unhealthy target", lambda: ("unhealthy", "Target.ResponseCodeMismatch") in world.health(world.groups[0]).values())
        text = "due to (reason Health checks failed with these codes: [503])"
        until("the event", lambda: [event for event in world.events("web") if text in event])

    def test_sick_later(self, world: World):
        world.service("web", world.definition(environment={"SANDBOX_SICK_AFTER_SECONDS": "60"}), world.groups[0], desired=1)
        world.steady("web")
        text = "due to (reason Health checks failed with these codes: [500])"
        until("the event", lambda: [event for event in world.events("web") if text in event])

    def test_500_to_traffic_but_not_to_health_checks(self, world: World):
        world.service("web", world.definition(tag="7-500"), world.groups[0], desired=1)
        world.steady("web")
        assert {world.get(8080)[0] for _ in range(5)} == {500}
        assert world.get(8080)[1]["x-version"] == "7-500"
        assert list(world.health(world.groups[0]).values()) == [("healthy", None)]

    def test_a_share_of_requests(self, world: World):
        world.service("web", world.definition(environment={"SANDBOX_FAIL_SHARE": "0.25"}), world.groups[0], desired=1)
        world.steady("web")
        until("it is served", lambda: world.get(8080)[0] in (200, 500))
        statuses = [world.get(8080)[0] for _ in range(20)]
        assert (statuses.count(500), statuses.count(200)) == (5, 15), statuses


class TestNoRoom:
    def test_a_service_says_so_and_starts_nothing(self, world: World):
        world.service("web", world.definition(tag="7-no-capacity"), world.groups[0], desired=1)
        text = ("(service web) was unable to place a task. Reason: Capacity is unavailable at this time. "
                "Please try again later or in a different availability zone.")
        until("it is said again", lambda: world.events("web").count(text) >= 2)
        assert not world.tasks("web") and not world.tasks("web", "STOPPED")
        assert world.described("web")["deployments"][0]["failedTasks"] >= 2

    def test_on_instances(self, world: World):
        definition = world.definition(family="ec2", requiresCompatibilities=["EC2"], tag="7-no-capacity")
        world.service("web", definition, world.groups[0], desired=1, launchType="EC2")
        text = "(service web) was unable to place a task because no container instance met all of its requirements. The closest matching"
        until("the event", lambda: [event for event in world.events("web") if event.startswith(text)])

    def test_a_task_of_its_own(self, world: World):
        asked = {"cluster": world.cluster, "taskDefinition": world.definition(tag="7-no-capacity"), "launchType": "FARGATE",
                 "networkConfiguration": NETWORK, "count": 2}
        answer = world.ecs.run_task(**asked)
        assert answer["tasks"] == []
        assert [failure["reason"] for failure in answer["failures"]] == [
            "Capacity is unavailable at this time. Please try again later or in a different availability zone"] * 2


class TestStarts:
    def test_a_slow_start(self, world: World):
        slow, quick = (world.definition(family=name, tag=tag) for name, tag in (("slow", "7-slow"), ("quick", "7")))
        for name, definition in (("slow", slow), ("quick", quick)):
            world.service(name, definition, None, desired=1)
        until("the quick one runs", lambda: world.described("quick")["runningCount"] == 1)
        assert world.described("slow")["runningCount"] == 0
        until("the slow one runs", lambda: world.described("slow")["runningCount"] == 1)

    def test_a_value_that_means_nothing_is_refused_when_it_is_registered(self, world: World):
        with refused("ClientException", "SANDBOX_CRASH=never: an exit code from 0 to 255 is expected."):
            world.definition(environment={"SANDBOX_CRASH": "never"})
