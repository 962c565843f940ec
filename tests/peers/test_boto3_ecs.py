"""ECS as boto3 sees it: the world made, read, paged through, waited for; and refused in AWS's codes and words."""

import json

import pytest

from refusals import refused
from worlds import NETWORK, QUICK, World, forward, until


def test_a_cluster_is_made_described_listed_and_deleted(ecs, region):
    made = ecs.create_cluster(clusterName="one", tags=[{"key": "team", "value": "shop"}])["cluster"]
    assert made["clusterArn"] == f"arn:aws:ecs:{region}:123456789012:cluster/one"
    assert made["status"] == "ACTIVE"
    described = ecs.describe_clusters(clusters=["one", "none"], include=["TAGS"])
    assert described["clusters"][0]["tags"] == [{"key": "team", "value": "shop"}]
    assert described["failures"] == [{"arn": f"arn:aws:ecs:{region}:123456789012:cluster/none", "reason": "MISSING"}]
    assert not ecs.describe_clusters(clusters=["one"])["clusters"][0].get("tags")
    assert ecs.list_clusters()["clusterArns"] == [made["clusterArn"]]
    assert ecs.delete_cluster(cluster="one")["cluster"]["status"] == "INACTIVE"
    assert ecs.list_clusters()["clusterArns"] == []


def test_regions_are_kept_apart(simulator, ecs, region):
    ecs.create_cluster(clusterName="here")
    assert simulator.client("ecs", f"{region}-other").list_clusters()["clusterArns"] == []


class TestTaskDefinitions:
    def test_each_registration_is_a_revision_and_comes_back_as_it_was_given(self, ecs, region):
        asked = {
            "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
            "taskRoleArn": "arn:aws:iam::123456789012:role/task", "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "volumes": [{"name": "data"}],
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "ephemeralStorage": {"sizeInGiB": 30},
            "containerDefinitions": [{
                "name": "web", "image": "registry.example/web:1", "cpu": 128, "memory": 256, "essential": True,
                "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp", "name": "http", "appProtocol": "http"}],
                "environment": [{"name": "A", "value": "1"}], "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
                "volumesFrom": [], "dependsOn": [{"containerName": "side", "condition": "START"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "web"}},
                "healthCheck": {"command": ["CMD", "true"], "interval": 10, "timeout": 5, "retries": 3},
                "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/token"}],
            }, {"name": "side", "image": "registry.example/side:1", "essential": False}],
        }
        made = ecs.register_task_definition(**asked, tags=[{"key": "version", "value": "1"}])
        assert made["tags"] == [{"key": "version", "value": "1"}]
        definition = made["taskDefinition"]
        assert definition["taskDefinitionArn"] == f"arn:aws:ecs:{region}:123456789012:task-definition/web:1"
        assert (definition["revision"], definition["status"]) == (1, "ACTIVE")
        assert {name: definition[name] for name in asked if name != "containerDefinitions"} == \
            {name: asked[name] for name in asked if name != "containerDefinitions"}
        given, back = asked["containerDefinitions"][0], definition["containerDefinitions"][0]
        assert {name: back[name] for name in given} == given
        # What was left out has AWS's defaults.
        side = definition["containerDefinitions"][1]
        assert (side["cpu"], side["portMappings"], side["environment"]) == (0, [], [])
        assert ecs.register_task_definition(**asked)["taskDefinition"]["revision"] == 2
        for name in ("web", "web:2", f"arn:aws:ecs:{region}:123456789012:task-definition/web:2"):
            assert ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]["revision"] == 2
        tagged = ecs.describe_task_definition(taskDefinition="web:1", include=["TAGS"])
        assert tagged["tags"] == [{"key": "version", "value": "1"}]
        assert tagged["taskDefinition"] == {**definition, "registeredAt": tagged["taskDefinition"]["registeredAt"]}

    def test_a_member_that_the_simulator_has_never_heard_of_comes_back(self, simulator, region):
        ecs = simulator.client("ecs", region)
        seen = {}

        def add(params, **_):
            body = json.loads(params["body"])
            body["memberOfTheFuture"] = {"depth": [1, {"two": True}]}
            body["containerDefinitions"][0]["memberOfTheFuture"] = "kept"
            params["body"] = json.dumps(body).encode()

        ecs.meta.events.register("before-call.ecs.RegisterTaskDefinition", add)
        ecs.meta.events.register("before-parse.*.*", lambda response_dict, **_: seen.update(json.loads(response_dict["body"])))
        ecs.register_task_definition(family="f", memory="512", containerDefinitions=[{"name": "a", "image": "b"}])
        ecs.describe_task_definition(taskDefinition="f")
        assert seen["taskDefinition"]["memberOfTheFuture"] == {"depth": [1, {"two": True}]}
        assert seen["taskDefinition"]["containerDefinitions"][0]["memberOfTheFuture"] == "kept"

    def test_deregistered_ones_are_inactive_but_described(self, ecs):
        for _ in range(3):
            ecs.register_task_definition(family="f", memory="512", containerDefinitions=[{"name": "a", "image": "b"}])
        inactive = ecs.deregister_task_definition(taskDefinition="f:3")["taskDefinition"]
        assert inactive["status"] == "INACTIVE"
        assert ecs.describe_task_definition(taskDefinition="f:3")["taskDefinition"]["status"] == "INACTIVE"
        assert ecs.describe_task_definition(taskDefinition="f")["taskDefinition"]["revision"] == 2
        names = lambda **filters: [arn.rsplit("/")[-1] for arn in ecs.list_task_definitions(**filters)["taskDefinitionArns"]]
        assert names(familyPrefix="f") == ["f:1", "f:2"]
        assert names(familyPrefix="f", sort="DESC") == ["f:2", "f:1"]
        assert names(familyPrefix="f", status="INACTIVE") == ["f:3"]
        assert ecs.list_task_definition_families(familyPrefix="f")["families"] == ["f"]

    def test_refusals(self, ecs):
        container = {"name": "a", "image": "b", "memory": 128}
        register = lambda **more: ecs.register_task_definition(**{"family": "f", "containerDefinitions": [container]} | more)
        with refused("ClientException", "Unable to describe task definition."):
            ecs.describe_task_definition(taskDefinition="unknown")
        with refused("ClientException", "Revision is missing."):
            ecs.deregister_task_definition(taskDefinition="f")
        with refused("InvalidParameterException", "Invalid revision number. Number: x"):
            ecs.deregister_task_definition(taskDefinition="f:x")
        with refused("ClientException", "Container.name should not be null or empty."):
            register(containerDefinitions=[{"image": "b", "memory": 128}])
        with refused("ClientException", "Invalid setting for container 'a'. At least one of 'memory' or 'memoryReservation' must be specified."):
            register(containerDefinitions=[{"name": "a", "image": "b"}])
        with refused("ClientException", "No Fargate configuration exists for given values"):
            register(requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="300", memory="512")
        with refused("ClientException", "Fargate only supports network mode"):
            register(requiresCompatibilities=["FARGATE"], networkMode="bridge", cpu="256", memory="512")


class TestServices:
    def test_a_service_comes_up_behind_its_target_group(self, world: World, ecs):
        definition = world.definition()
        asked = {
            "deploymentConfiguration": {"maximumPercent": 150, "minimumHealthyPercent": 50},
            "healthCheckGracePeriodSeconds": 30, "enableExecuteCommand": True, "enableECSManagedTags": True, "propagateTags": "SERVICE",
            "platformVersion": "1.4.0", "availabilityZoneRebalancing": "DISABLED",
        }
        made = world.service("web", definition, world.groups[0], tags=[{"key": "BG_VERSION", "value": "GREEN"}], **asked)
        assert made["status"] == "ACTIVE"
        assert made["desiredCount"] == 2 and made["runningCount"] == 0
        assert made["taskDefinition"] == definition
        for name, value in asked.items():
            if isinstance(value, dict):
                assert value.items() <= made[name].items()
            else:
                assert made[name] == value, name
        assert made["networkConfiguration"] == NETWORK
        assert made["loadBalancers"] == [{"targetGroupArn": world.groups[0], "containerName": "web", "containerPort": 8080}]
        assert made["launchType"] == "FARGATE" and "capacityProviderStrategy" not in made
        [first] = made["deployments"]
        assert first["status"] == "PRIMARY" and first["rolloutState"] == "IN_PROGRESS"
        assert first["rolloutStateReason"] == f"ECS deployment {first['id']} in progress."
        assert first["id"].startswith("ecs-svc/") and len(first["id"]) == len("ecs-svc/") + 19

        ecs.get_waiter("services_stable").wait(cluster=world.cluster, services=["web"], WaiterConfig=QUICK)
        # The stock waiter ends on the running count: the rollout ends only when the targets are healthy.
        service = world.steady("web")
        assert service["tags"] == [{"key": "BG_VERSION", "value": "GREEN"}]
        assert service["deployments"][0]["rolloutStateReason"] == f"ECS deployment {first['id']} completed."
        assert set(world.health(world.groups[0]).values()) == {("healthy", None)}

        tasks = world.tasks("web")
        ids = [task["taskArn"].rsplit("/")[-1] for task in tasks]
        started, *later = world.events("web")
        assert started in [f"(service web) has started 2 tasks: (task {one}) (task {two})." for one, two in (ids, ids[::-1])]
        assert later == [
            f"(service web) registered 2 targets in (target-group {world.groups[0]})",
            f"(service web) (deployment {first['id']}) deployment completed.",
            "(service web) has reached a steady state.",
        ]
        for task in tasks:
            assert (task["lastStatus"], task["desiredStatus"], task["launchType"]) == ("RUNNING", "RUNNING", "FARGATE")
            assert task["startedBy"] == first["id"] and task["group"] == "service:web"
            [address] = [detail["value"] for detail in task["attachments"][0]["details"] if detail["name"] == "privateIPv4Address"]
            assert task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] == address
            assert address.startswith("127.") and address in world.health(world.groups[0])
            assert task["containers"][0]["lastStatus"] == "RUNNING"

    def test_task_life_cycle_in_order(self, world: World, ecs):
        world.service("web", world.definition(), None, desired=1, loadBalancers=None)
        arn = until("a task", lambda: ecs.list_tasks(cluster=world.cluster, serviceName="web")["taskArns"])[0]
        states = []

        def note(last: str) -> bool:
            state = ecs.describe_tasks(cluster=world.cluster, tasks=[arn])["tasks"][0]["lastStatus"]
            if state not in states:
                states.append(state)
            return state == last

        until("RUNNING", lambda: note("RUNNING"))
        ecs.update_service(cluster=world.cluster, service="web", desiredCount=0)
        until("STOPPED", lambda: note("STOPPED"))
        order = ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]
        assert [state for state in order if state in states] == states
        assert {"PROVISIONING", "PENDING", "RUNNING", "STOPPED"} <= set(states)
        [stopped] = ecs.describe_tasks(cluster=world.cluster, tasks=[arn])["tasks"]
        assert stopped["stopCode"] == "ServiceSchedulerInitiated"
        assert stopped["stoppedReason"] == f"Scaling activity initiated by (deployment {stopped['startedBy']})"
        assert stopped["containers"][0]["exitCode"] == 0
        assert stopped["startedAt"] <= stopped["stoppedAt"]
        assert ecs.list_tasks(cluster=world.cluster, serviceName="web", desiredStatus="STOPPED")["taskArns"] == [arn]

    def test_the_desired_count_changes_without_a_deployment(self, world: World, ecs):
        world.service("web", world.definition(), world.groups[0], desired=1)
        before = world.steady("web")["deployments"][0]["id"]
        ecs.update_service(cluster=world.cluster, service="web", desiredCount=3)
        assert world.steady("web")["deployments"][0]["id"] == before
        assert len(world.tasks("web")) == 3
        ecs.update_service(cluster=world.cluster, service="web", desiredCount=1)
        until("two targets drain", lambda: sorted(state for state, _ in world.health(world.groups[0]).values()).count("draining") == 2)
        assert world.steady("web")["deployments"][0]["id"] == before
        until("only one target is left", lambda: len(world.health(world.groups[0])) == 1)
        texts = world.events("web")
        assert f"(service web, taskSet {before}) has begun draining connections on 2 tasks." in texts
        assert f"(service web) deregistered 2 targets in (target-group {world.groups[0]})" in texts
        assert any(text.startswith("(service web) has stopped 2 running tasks: (task ") for text in texts)

    def test_a_new_task_definition_rolls_and_the_old_tasks_go_after_the_new_ones_serve(self, world: World, ecs):
        world.service("web", world.definition(tag="1"), world.groups[0])
        first = world.steady("web")["deployments"][0]["id"]
        until("version 1 serves", lambda: world.version(8080) == "1")
        ecs.update_service(cluster=world.cluster, service="web", taskDefinition=world.definition(tag="2"))
        two = world.described("web")["deployments"]
        assert [deployment["status"] for deployment in two] == ["PRIMARY", "ACTIVE"]
        assert two[1]["id"] == first and two[1]["runningCount"] == 2
        assert world.steady("web")["deployments"][0]["id"] == two[0]["id"]
        until("version 2 serves", lambda: world.version(8080) == "2")
        deployments = ecs.list_service_deployments(cluster=world.cluster, service="web")["serviceDeployments"]
        assert [deployment["status"] for deployment in deployments] == ["SUCCESSFUL", "SUCCESSFUL"]
        arns = [deployment["serviceDeploymentArn"] for deployment in deployments]
        described = ecs.describe_service_deployments(serviceDeploymentArns=arns)
        assert [d["serviceDeploymentArn"] for d in described["serviceDeployments"]] == arns and described["failures"] == []

    def test_a_force_of_a_new_deployment_replaces_the_tasks(self, world: World, ecs):
        world.service("web", world.definition(), None, desired=1, loadBalancers=None)
        world.steady("web")
        before = {task["taskArn"] for task in world.tasks("web")}
        ecs.update_service(cluster=world.cluster, service="web", forceNewDeployment=True)
        world.steady("web")
        assert before.isdisjoint(task["taskArn"] for task in world.tasks("web"))

    def test_a_creation_is_idempotent_by_its_token(self, world: World, ecs):
        definition = world.definition()
        token = "0f4c2a90-0000-4000-8000-000000000001"
        first = world.service("web", definition, world.groups[0], desired=0, clientToken=token)
        again = world.service("web", definition, world.groups[0], desired=0, clientToken=token)
        assert again["serviceArn"] == first["serviceArn"] and again["deployments"][0]["id"] == first["deployments"][0]["id"]
        with refused("InvalidParameterException", "Creation of service was not idempotent."):
            world.service("web", definition, world.groups[0], desired=0, clientToken="another")
        with refused("InvalidParameterException", "Creation of service was not idempotent."):
            world.service("web", definition, world.groups[1], desired=0, clientToken=token)
        with refused("InvalidParameterException"):
            world.service("two", definition, world.groups[0], clientToken="x" * 37)

    def test_a_deleted_service_drains_then_is_inactive_and_its_name_is_free_again(self, world: World, ecs):
        definition = world.definition()
        world.service("web", definition, world.groups[0], desired=1)
        world.steady("web")
        with refused("InvalidParameterException", "The service cannot be stopped while it is scaled above 0."):
            ecs.delete_service(cluster=world.cluster, service="web")
        assert ecs.delete_service(cluster=world.cluster, service="web", force=True)["service"]["status"] == "DRAINING"
        with refused("InvalidParameterException", "Unable to Start a service that is still Draining."):
            world.service("web", definition, world.groups[0])
        assert ecs.list_services(cluster=world.cluster)["serviceArns"] == []
        with refused("ServiceNotActiveException", "Service was not ACTIVE."):
            ecs.update_service(cluster=world.cluster, service="web", desiredCount=1)
        ecs.get_waiter("services_inactive").wait(cluster=world.cluster, services=["web"], WaiterConfig=QUICK)
        with refused("ServiceNotActiveException", "Service was not ACTIVE."):
            ecs.update_service(cluster=world.cluster, service="web", desiredCount=1)
        assert world.service("web", definition, world.groups[0], desired=0)["status"] == "ACTIVE"

    def test_unknown_services_are_failures_and_at_most_ten_are_described(self, world: World, ecs):
        described = ecs.describe_services(cluster=world.cluster, services=["none"])
        assert described["services"] == []
        assert [failure["reason"] for failure in described["failures"]] == ["MISSING"]
        with refused("InvalidParameterException"):
            ecs.describe_services(cluster=world.cluster, services=[f"s{n}" for n in range(11)])
        with refused("ClusterNotFoundException", "Cluster not found."):
            ecs.describe_services(cluster="none", services=["s"])
        with refused("ServiceNotFoundException", "Service not found."):
            ecs.update_service(cluster=world.cluster, service="none", desiredCount=1)
        with refused("ServiceNotFoundException", "Service not found."):
            ecs.delete_service(cluster=world.cluster, service="none")

    def test_services_are_listed_ten_a_page(self, world: World, ecs):
        definition = world.definition()
        for number in range(23):
            world.service(f"s{number:02}", definition, None, desired=0, loadBalancers=None)
        first = ecs.list_services(cluster=world.cluster)
        assert len(first["serviceArns"]) == 10 and first["nextToken"]
        pages = list(ecs.get_paginator("list_services").paginate(cluster=world.cluster))
        assert [len(page["serviceArns"]) for page in pages] == [10, 10, 3]
        assert "nextToken" not in pages[-1]
        names = [arn.rsplit("/")[-1] for page in pages for arn in page["serviceArns"]]
        assert sorted(names) == [f"s{number:02}" for number in range(23)]
        assert len(ecs.list_services(cluster=world.cluster, maxResults=100)["serviceArns"]) == 23
        with refused("InvalidParameterException"):
            ecs.list_services(cluster=world.cluster, nextToken="page-18446744073709551615x")
        assert ecs.list_services(cluster=world.cluster, launchType="EC2")["serviceArns"] == []


class TestCreateServiceRefusals:
    """Section 2.1 of what AWS does."""

    def test_a_target_group_without_a_load_balancer(self, world: World):
        group = world.target_group("alone")
        with refused("InvalidParameterException",
                     f"The target group with targetGroupArn {group} does not have an associated load balancer."):
            world.service("web", world.definition(), group)

    def test_a_target_group_is_associated_with_weight_zero_too(self, world: World, elb):
        group = world.target_group("shadow")
        elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=[forward(world.groups[0], group, weights=[1, 0])])
        assert world.service("web", world.definition(), group, desired=0)["status"] == "ACTIVE"

    def test_containers_and_ports_must_be_in_the_task_definition(self, world: World):
        definition = world.definition()
        balancer = {"targetGroupArn": world.groups[0], "containerName": "web", "containerPort": 8080}
        with refused("InvalidParameterException", "The container api does not exist in the task definition."):
            world.service("web", definition, None, loadBalancers=[balancer | {"containerName": "api"}])
        with refused("InvalidParameterException", "The container web did not have a container port 9090 defined."):
            world.service("web", definition, None, loadBalancers=[balancer | {"containerPort": 9090}])
        with refused("InvalidParameterException", f"Duplicate targetGroupArn found: {world.groups[0]}"):
            world.service("web", definition, None, loadBalancers=[balancer, balancer])
        with refused("InvalidParameterException",
                     "All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining targetGroupArn)"):
            world.service("web", definition, None,
                          loadBalancers=[balancer, {"loadBalancerName": "classic", "containerName": "web", "containerPort": 8080}])

    def test_the_network(self, world: World):
        definition = world.definition()
        with refused("InvalidParameterException",
                     "Network Configuration must be provided when networkMode 'awsvpc' is specified."):
            world.service("web", definition, world.groups[0], networkConfiguration=None)
        group = world.target_group("instances", TargetType="instance")
        world.listener(9000, group)
        with refused("InvalidParameterException",
                     f"The provided target group {group} has target type instance, which is incompatible with the awsvpc network "
                     "mode specified in the task definition."):
            world.service("web", definition, group)
        with refused("InvalidParameterException",
                     "You cannot specify an IAM role for services that require a service linked role"):
            world.service("web", definition, world.groups[0], role="ecsServiceRole")

    def test_a_load_balancer_is_no_target_group(self, world: World):
        with refused("InvalidParameterException",
                     "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role being "
                     "passed has the proper permissions."):
            world.service("web", world.definition(), world.balancer)

    def test_an_inactive_task_definition(self, world: World, ecs):
        definition = world.definition()
        ecs.deregister_task_definition(taskDefinition=definition)
        with refused("ClientException", "TaskDefinition is inactive"):
            world.service("web", definition, world.groups[0])

    def test_an_unknown_cluster_and_an_unknown_task_definition(self, world: World):
        with refused("ClusterNotFoundException", "Cluster not found."):
            world.service("web", world.definition(), world.groups[0], cluster="none")
        with refused("ClientException"):
            world.service("web", "unknown:7", world.groups[0])

    def test_a_launch_type_that_the_task_definition_does_not_have(self, world: World):
        definition = world.definition(family="ec2", requiresCompatibilities=["EC2"])
        with refused("InvalidParameterException", "Task definition does not support launch_type FARGATE."):
            world.service("web", definition, world.groups[0])


class TestFailingTasks:
    def test_the_circuit_breaker_fails_a_first_deployment_and_it_stalls(self, world: World):
        definition = world.definition(environment={"SANDBOX_CRASH": "3"})
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        world.service("web", definition, world.groups[0], deploymentConfiguration=breaker)
        failed = until("a failed rollout", lambda: (lambda d: d if d["rolloutState"] == "FAILED" else None)(
            world.described("web")["deployments"][0]))
        # clamp(ceil(0.5 * 2), 3, 200)
        assert failed["failedTasks"] >= 3
        assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
        assert f"(service web) (deployment {failed['id']}) deployment failed: tasks failed to start." in world.events("web")
        stopped = world.tasks("web", "STOPPED")
        assert {task["stopCode"] for task in stopped} == {"EssentialContainerExited"}
        assert {task["stoppedReason"] for task in stopped} == {"Essential container in task exited"}
        assert {task["containers"][0]["exitCode"] for task in stopped} == {3}
        until("no task is left", lambda: not world.tasks("web"))

    def test_the_circuit_breaker_rolls_back_to_the_last_completed_deployment(self, world: World, ecs):
        good = world.definition(tag="1")
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        world.service("web", good, world.groups[0], deploymentConfiguration=breaker)
        world.steady("web")
        bad = world.definition(tag="2", environment={"SANDBOX_CRASH": "1"})
        ecs.update_service(cluster=world.cluster, service="web", taskDefinition=bad)

        def back():
            service = world.described("web")
            done = len(service["deployments"]) == 1 and service["deployments"][0]["rolloutState"] == "COMPLETED"
            return service if done and service["taskDefinition"] == good else None

        service = until("the rollback", back)
        assert service["runningCount"] == 2
        assert any("deployment failed: tasks failed to start." in text for text in world.events("web"))
        until("version 1 still serves", lambda: world.version(8080) == "1")

    def test_without_a_circuit_breaker_it_goes_on_trying_and_says_so(self, world: World):
        definition = world.definition(environment={"SANDBOX_CRASH": "1"})
        world.service("web", definition, world.groups[0], desired=1)
        text = "(service web) is unable to consistently start tasks successfully."
        until("the event", lambda: text in world.events("web"))
        assert world.described("web")["deployments"][0]["rolloutState"] == "IN_PROGRESS"

    def test_a_task_that_fails_its_target_group_s_checks_is_replaced_after_the_grace_period(self, world: World):
        definition = world.definition(environment={"SANDBOX_HEALTH": "fail"})
        world.service("web", definition, world.groups[0], desired=1, healthCheckGracePeriodSeconds=20)
        until("the target is unhealthy",
              lambda: ("unhealthy", "Target.ResponseCodeMismatch") in world.health(world.groups[0]).values())
        replaced = until("a replaced task", lambda: [
            task for task in world.tasks("web", "STOPPED") if task["stopCode"] == "ServiceSchedulerInitiated"])[0]
        assert replaced["stoppedReason"] == f"Task failed ELB health checks in (target-group {world.groups[0]})"
        task = replaced["taskArn"].rsplit("/")[-1]
        assert (f"(service web) (task {task}) (port 8080) is unhealthy in (target-group {world.groups[0]}) due to "
                "(reason Health checks failed with these codes: [503])") in world.events("web")
        assert replaced["startedAt"] is not None

    def test_a_stopped_task_is_replaced(self, world: World, ecs):
        world.service("web", world.definition(), world.groups[0], desired=1)
        world.steady("web")
        [task] = world.tasks("web")
        ecs.stop_task(cluster=world.cluster, task=task["taskArn"], reason="a game day")
        ecs.get_waiter("tasks_stopped").wait(cluster=world.cluster, tasks=[task["taskArn"]], WaiterConfig=QUICK)
        [stopped] = ecs.describe_tasks(cluster=world.cluster, tasks=[task["taskArn"]])["tasks"]
        assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "a game day")
        until("its successor", lambda: [new for new in world.tasks("web") if new["lastStatus"] == "RUNNING"])
        until("a clean target group", lambda: list(world.health(world.groups[0]).values()) == [("healthy", None)])


class TestTasks:
    def test_a_task_of_its_own(self, world: World, ecs):
        definition = world.definition()
        asked = {"networkConfiguration": NETWORK, "launchType": "FARGATE", "startedBy": "operator", "group": "one-off",
                 "overrides": {"containerOverrides": [{"name": "web", "command": ["migrate"]}]},
                 "tags": [{"key": "purpose", "value": "migration"}], "clientToken": "token-1"}
        run = lambda **more: ecs.run_task(**{"cluster": world.cluster, "taskDefinition": definition, "count": 2} | asked | more)
        started = run()
        assert started["failures"] == [] and len(started["tasks"]) == 2
        arns = [task["taskArn"] for task in started["tasks"]]
        ecs.get_waiter("tasks_running").wait(cluster=world.cluster, tasks=arns, WaiterConfig=QUICK)
        described = ecs.describe_tasks(cluster=world.cluster, tasks=arns, include=["TAGS"])["tasks"]
        for task in described:
            assert (task["startedBy"], task["group"]) == ("operator", "one-off")
            assert task["tags"] == [{"key": "purpose", "value": "migration"}]
            assert task["overrides"]["containerOverrides"] == [{"name": "web", "command": ["migrate"]}]
        assert {task["taskArn"] for task in run()["tasks"]} == set(arns), "the same token runs nothing new"
        with refused("ConflictException"):
            run(count=1)
        assert set(ecs.list_tasks(cluster=world.cluster, startedBy="operator")["taskArns"]) == set(arns)
        assert ecs.list_tasks(cluster=world.cluster, desiredStatus="PENDING")["taskArns"] == []
        ecs.stop_task(cluster=world.cluster, task=arns[0])
        ecs.get_waiter("tasks_stopped").wait(cluster=world.cluster, tasks=arns[:1], WaiterConfig=QUICK)

    def test_refusals(self, world: World, ecs):
        definition = world.definition()
        with refused("InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified."):
            ecs.run_task(cluster=world.cluster, taskDefinition=definition)
        with refused("InvalidParameterException"):
            ecs.run_task(cluster=world.cluster, taskDefinition=definition, count=11, networkConfiguration=NETWORK)
        with refused("InvalidParameterException"):
            ecs.stop_task(cluster=world.cluster, task="0" * 32)
        with refused("InvalidParameterException"):
            ecs.describe_tasks(cluster=world.cluster, tasks=[f"{n:032x}" for n in range(101)])
        assert [f["reason"] for f in ecs.describe_tasks(cluster=world.cluster, tasks=["0" * 32])["failures"]] == ["MISSING"]
        with refused("ServiceNotFoundException", "Service not found."):
            ecs.list_tasks(cluster=world.cluster, serviceName="none")


class TestTags:
    @pytest.mark.parametrize("kind", ["cluster", "service", "task-definition", "task"])
    def test_tags_are_set_read_and_removed(self, world: World, ecs, kind):
        definition = world.definition()
        arn = {
            "cluster": lambda: ecs.describe_clusters(clusters=[world.cluster])["clusters"][0]["clusterArn"],
            "service": lambda: world.service("web", definition, None, desired=0, loadBalancers=None)["serviceArn"],
            "task-definition": lambda: definition,
            "task": lambda: ecs.run_task(cluster=world.cluster, taskDefinition=definition, networkConfiguration=NETWORK)
            ["tasks"][0]["taskArn"],
        }[kind]()
        ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
        ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "3"}])
        read = lambda: {tag["key"]: tag["value"] for tag in ecs.list_tags_for_resource(resourceArn=arn)["tags"]}
        assert read() == {"a": "3", "b": "2"}
        ecs.untag_resource(resourceArn=arn, tagKeys=["a", "never"])
        assert read() == {"b": "2"}

    def test_refusals(self, world: World, ecs, region):
        short = f"arn:aws:ecs:{region}:123456789012:service/web"
        with refused("InvalidParameterException", "Long arn format must be used for tagging operations"):
            ecs.tag_resource(resourceArn=short, tags=[{"key": "a", "value": "1"}])
        cluster = f"arn:aws:ecs:{region}:123456789012:cluster/{world.cluster}"
        with refused("InvalidParameterException"):
            ecs.tag_resource(resourceArn=cluster, tags=[{"key": "aws:a", "value": "1"}])
        with refused("LimitExceededException"):
            ecs.tag_resource(resourceArn=cluster, tags=[{"key": f"k{n}", "value": ""} for n in range(51)])

    def test_a_cluster_in_use_stays(self, world: World, ecs):
        world.service("web", world.definition(), None, desired=0, loadBalancers=None)
        with refused("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."):
            ecs.delete_cluster(cluster=world.cluster)


def test_calls_beyond_the_budget_are_throttled_as_aws_does_it(simulator, checks):
    ecs = simulator.client("ecs", "throttled-region", checks)
    register = lambda: ecs.register_task_definition(family="f", memory="512", containerDefinitions=[{"name": "a", "image": "b"}])
    with refused("ThrottlingException", "Rate exceeded"):
        # Burst 20, refilled 1 a second in AWS's time, which runs faster here.
        for _ in range(2_000):
            register()
