"""The AWS CLI, unmodified, as a user types it: the world made, read and changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from worlds import World


@pytest.fixture
def aws(simulator, region, tmp_path):
    """Runs `aws ...` against the simulator, by nothing but its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        # Version 1 of the CLI reads the one, version 2 and the SDKs the other.
        "AWS_ENDPOINT_URL": simulator.endpoint, "AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_ACCESS_KEY_ID": simulator.access_key,
        "AWS_SECRET_ACCESS_KEY": simulator.secret_key, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
        "AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_MAX_ATTEMPTS": "1",
    }
    program = Path(sys.executable).with_name("aws")
    assert program.exists(), f"{program} is missing: install tests/peers/requirements.txt"

    def run(*arguments: str, fails: bool = False):
        done = subprocess.run([sys.executable, program, *arguments, "--output", "json"], env=environment, capture_output=True, text=True,
                              timeout=60, check=False)
        if fails:
            assert done.returncode != 0, done.stdout
            return done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_a_user_s_session(aws, region):
    assert aws("sts", "get-caller-identity")["Account"] == "123456789012"
    cluster = aws("ecs", "create-cluster", "--cluster-name", "shop")["cluster"]["clusterArn"]
    group = aws("elbv2", "create-target-group", "--name", "web", "--protocol", "HTTP", "--port", "8080", "--vpc-id", "vpc-1",
                "--target-type", "ip", "--health-check-path", "/healthz")["TargetGroups"][0]["TargetGroupArn"]
    balancer = aws("elbv2", "create-load-balancer", "--name", "front", "--subnets", "subnet-a", "subnet-b")
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    aws("elbv2", "create-listener", "--load-balancer-arn", arn, "--protocol", "HTTP", "--port", "8080", "--default-actions",
        f"Type=forward,TargetGroupArn={group}")
    container = [{"name": "web", "image": "registry.example/web:1", "portMappings": [{"containerPort": 8080}]}]
    definition = aws("ecs", "register-task-definition", "--family", "web", "--network-mode", "awsvpc", "--requires-compatibilities",
                     "FARGATE", "--cpu", "256", "--memory", "512", "--container-definitions", json.dumps(container))
    assert definition["taskDefinition"]["revision"] == 1
    service = aws("ecs", "create-service", "--cluster", cluster, "--service-name", "web", "--task-definition", "web:1", "--desired-count",
                  "1", "--launch-type", "FARGATE", "--network-configuration", "awsvpcConfiguration={subnets=[subnet-a]}",
                  "--load-balancers", f"targetGroupArn={group},containerName=web,containerPort=8080", "--tags", "key=stage,value=test")
    assert service["service"]["serviceArn"] == f"arn:aws:ecs:{region}:123456789012:service/shop/web"
    described = aws("ecs", "describe-services", "--cluster", "shop", "--services", "web", "nothing", "--include", "TAGS")
    assert described["services"][0]["tags"] == [{"key": "stage", "value": "test"}]
    assert described["failures"][0]["reason"] == "MISSING"
    assert aws("ecs", "list-services", "--cluster", "shop")["serviceArns"] == [service["service"]["serviceArn"]]
    assert aws("elbv2", "describe-target-health", "--target-group-arn", group)["TargetHealthDescriptions"] is not None
    aws("ecs", "update-service", "--cluster", "shop", "--service", "web", "--desired-count", "0")
    aws("ecs", "delete-service", "--cluster", "shop", "--service", "web")
    told = aws("ecs", "update-service", "--cluster", "shop", "--service", "web", "--desired-count", "1", fails=True)
    assert "ServiceNotActiveException" in told and "Service was not ACTIVE." in told


def test_its_own_waiter_and_pages(aws, world: World):
    definition = world.definition()
    for number in range(11):
        world.service(f"s{number}", definition, None, desired=0, loadBalancers=None)
    assert len(aws("ecs", "list-services", "--cluster", world.cluster)["serviceArns"]) == 11
    first = aws("ecs", "list-services", "--cluster", world.cluster, "--max-items", "3")
    assert len(first["serviceArns"]) == 3 and first["NextToken"]
    world.service("web", definition, world.groups[0], desired=1)
    world.steady("web")
    aws("ecs", "wait", "services-stable", "--cluster", world.cluster, "--services", "web")
    aws("elbv2", "wait", "target-in-service", "--target-group-arn", world.groups[0])


def test_what_a_container_wrote(aws, world: World, region):
    aws("logs", "create-log-group", "--log-group-name", "/shop")
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/shop", "awslogs-region": region, "awslogs-stream-prefix": "ecs"}}
    container = {"name": "web", "image": "registry.example/shop:7-crash", "logConfiguration": log}
    [task] = aws("ecs", "run-task", "--cluster", world.cluster, "--launch-type", "FARGATE", "--task-definition",
                 world.definition(containerDefinitions=[container]), "--network-configuration",
                 "awsvpcConfiguration={subnets=[subnet-a]}")["tasks"]
    aws("ecs", "wait", "tasks-stopped", "--cluster", world.cluster, "--tasks", task["taskArn"])
    assert [group["logGroupName"] for group in aws("logs", "describe-log-groups")["logGroups"]] == ["/shop"]
    [stream] = aws("logs", "describe-log-streams", "--log-group-name", "/shop")["logStreams"]
    assert stream["logStreamName"] == f"ecs/web/{task['taskArn'].rsplit('/')[-1]}"
    told = aws("logs", "get-log-events", "--log-group-name", "/shop", "--log-stream-name", stream["logStreamName"])
    assert [event["message"] for event in told["events"]] == [
        "web 7-crash starts", "FATAL: this version crashes on purpose, exit code 1"]
    found = aws("logs", "filter-log-events", "--log-group-name", "/shop", "--filter-pattern", "FATAL")
    assert [event["logStreamName"] for event in found["events"]] == [stream["logStreamName"]]
    told = aws("logs", "get-log-events", "--log-group-name", "/none", "--log-stream-name", "x", fails=True)
    assert "(ResourceNotFoundException) when calling the GetLogEvents operation: The specified log group does not exist." in told


def test_flows_scaling_and_alarms(aws, world: World, region):
    balancer = aws("elbv2", "create-load-balancer", "--name", "flows", "--type", "network", "--subnets", "subnet-a")["LoadBalancers"][0]
    group = aws("elbv2", "create-target-group", "--name", "flows", "--protocol", "TCP", "--port", "80", "--vpc-id", "vpc-1",
                "--target-type", "ip")["TargetGroups"][0]["TargetGroupArn"]
    listener = aws("elbv2", "create-listener", "--load-balancer-arn", balancer["LoadBalancerArn"], "--protocol", "TLS", "--port", "443",
                   "--certificates", f"CertificateArn=arn:aws:acm:{region}:123456789012:certificate/1",
                   "--default-actions", f"Type=forward,TargetGroupArn={group}")["Listeners"][0]
    assert ":listener/net/flows/" in listener["ListenerArn"] and listener["SslPolicy"]
    world.service("web", world.definition(), world.groups[0], desired=1)
    named = ["--service-namespace", "ecs", "--resource-id", f"service/{world.cluster}/web", "--scalable-dimension",
             "ecs:service:DesiredCount"]
    scaling = lambda operation, *more: aws("application-autoscaling", operation, *named, *more)
    assert ":scalable-target/" in scaling("register-scalable-target", "--min-capacity", "2", "--max-capacity", "4")["ScalableTargetARN"]
    assert world.described("web")["desiredCount"] == 2
    configuration = {"TargetValue": 50.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}
    put = scaling("put-scaling-policy", "--policy-name", "cpu", "--policy-type", "TargetTrackingScaling",
                  "--target-tracking-scaling-policy-configuration", json.dumps(configuration))
    names = [alarm["AlarmName"] for alarm in put["Alarms"]]
    told = aws("cloudwatch", "describe-alarms", "--alarm-names", *names)["MetricAlarms"]
    assert sorted((alarm["Threshold"], alarm["ComparisonOperator"]) for alarm in told) == [
        (45.0, "LessThanThreshold"), (50.0, "GreaterThanThreshold")]
    aws("cloudwatch", "put-metric-data", "--namespace", "Shop", "--metric-name", "Orders", "--value", "3")
    [metric] = aws("cloudwatch", "list-metrics", "--namespace", "Shop")["Metrics"]
    assert metric["MetricName"] == "Orders"
    scaling("deregister-scalable-target")
    assert aws("cloudwatch", "describe-alarms", "--alarm-names", *names)["MetricAlarms"] == []
    assert "(ObjectNotFoundException)" in aws("application-autoscaling", "deregister-scalable-target", *named, fails=True)


def test_refusals_read_as_aws_s(aws):
    told = aws("ecs", "describe-services", "--cluster", "none", "--services", "web", fails=True)
    assert "An error occurred (ClusterNotFoundException) when calling the DescribeServices operation: Cluster not found." in told
    told = aws("elbv2", "describe-target-groups", "--names", "none", fails=True)
    assert "An error occurred (TargetGroupNotFound) when calling the DescribeTargetGroups operation: One or more target groups not found" in told
