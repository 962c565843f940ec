"""The deployer against moto: discovery, checks, setup, swap and tags are right for an AWS that nobody here wrote."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import boto3
import pytest

from moto_world import MotoWorld

REGION = "us-west-1"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Segue:
    """A control plane and one delegate, as processes."""

    def __init__(self, sandbox: str, folder: Path, endpoint: str):
        self.sandbox, self.folder = sandbox, folder
        self.processes: list[subprocess.Popen] = []
        self.api, self.gateway = free_port(), free_port()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SEGUE_"))}
        self.environment = clean
        self._start("server", ["segue", "server", "--data-dir", str(folder / "data"), "--listen", f"127.0.0.1:{self.api}",
                               "--delegate-listen", f"127.0.0.1:{self.gateway}"], clean)
        self.context = folder / "data" / "admin-context.yaml"
        self._until(lambda: self.context.exists() and self.run("delegate", "list", check=False).returncode == 0, "the server")
        join = json.loads(self.run("delegate", "token", "create", "-o", "json").stdout)
        (folder / "ca.pem").write_text(join["authorities"])
        (folder / "delegate").mkdir()
        environment = clean | {
            "SEGUE_JOIN_TOKEN": join["token"], "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._start("delegate", ["segue-delegate", "--control-plane", f"https://127.0.0.1:{self.gateway}", "--authorities",
                                 str(folder / "ca.pem"), "--state-dir", str(folder / "delegate"), "--name", "moto-delegate",
                                 "--poll-interval-ms", "50..250"], environment)
        self._until(lambda: '"connected": true' in self.run("delegate", "list", "-o", "json").stdout.replace('":true', '": true'),
                    "the delegate")

    def _start(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        log = open(self.folder / f"{name}.log", "w", encoding="utf-8")
        self.processes.append(subprocess.Popen([self.sandbox, "as", *arguments], env=environment, stdout=log, stderr=log))

    def _until(self, met, what: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if met():
                return
            time.sleep(0.05)
        logs = "\n".join(path.read_text() for path in self.folder.glob("*.log"))
        pytest.fail(f"{what} did not come up:\n{logs}")

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run([self.sandbox, "as", "segue", *arguments], capture_output=True, text=True, timeout=180,
                              env=self.environment | {"SEGUE_CONTEXT": str(self.context)}, check=False)
        if check and done.returncode != 0:
            pytest.fail(f"segue {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(timeout=30)


MANIFESTS = """
kind: Application
name: shop
spec: {}
---
kind: Service
name: todolist
application: shop
spec:
  image: harness/todolist-sample:${artifact.tag}
  taskDefinition:
    networkMode: awsvpc
    requiresCompatibilities: [FARGATE]
    cpu: "256"
    memory: "512"
    containerDefinitions:
      - name: ${CONTAINER_NAME}
        image: ${DOCKER_IMAGE_NAME}
        portMappings: [{containerPort: 8080}]
---
kind: Environment
name: prod
application: shop
spec:
  type: production
---
kind: Infrastructure
name: prod-ecs
application: shop
spec:
  environment: prod
  region: us-west-1
  cluster: docs-ecs
  launchType: FARGATE
  subnets: [%(subnet)s]
  securityGroups: [%(group)s]
---
kind: Workflow
name: todolist-blue-green
application: shop
spec:
  type: blueGreen
  switch: loadBalancer
  service: todolist
  environment: prod
  infrastructure: prod-ecs
  phases:
    - name: Phase 1
      steps:
        - blueGreenLoadBalancerSetup:
            serviceName: ecs__blue__green__elb
            desiredCount: {fixed: 2}
            loadBalancer: docs-example
            prodListener: 80
            stageListener: %(stage)s
        - upgradeContainers: {}
        - swapTargetGroups: {delay: 0s}
"""


@pytest.fixture(name="aws")
def _aws():
    with MotoWorld(REGION) as moto:
        yield moto


@pytest.fixture(name="world")
def _world(aws, tmp_path):
    ec2 = boto3.client("ec2", REGION, endpoint_url=aws.endpoint, **KEYS)
    ecs = boto3.client("ecs", REGION, endpoint_url=aws.endpoint, **KEYS)
    elb = boto3.client("elbv2", REGION, endpoint_url=aws.endpoint, **KEYS)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
               for n, zone in [(100, "a"), (101, "b")]]
    group = ec2.create_security_group(GroupName="tasks", Description="of the tasks", VpcId=vpc)["GroupId"]
    ecs.create_cluster(clusterName="docs-ecs")
    groups = [elb.create_target_group(Name=f"target{n}", Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip")
              ["TargetGroups"][0]["TargetGroupArn"] for n in (1, 2)]
    balancer = elb.create_load_balancer(Name="docs-example", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = [elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port,
                                     DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])["Listeners"][0]["ListenerArn"]
                 for port, group in zip((80, 8080), groups)]
    segue = Segue(os.environ["SEGUE_SANDBOX"], tmp_path, aws.endpoint)
    yield {"segue": segue, "ecs": ecs, "elb": elb, "groups": groups, "listeners": listeners, "subnet": subnets[0], "group": group,
           "balancer": balancer, "folder": tmp_path}
    segue.stop()


def apply(world, stage: int = 8080) -> None:
    path = world["folder"] / "manifests.yaml"
    path.write_text(MANIFESTS % {"subnet": world["subnet"], "group": world["group"], "stage": stage})
    world["segue"].run("apply", "-f", str(path))


def forwards(world) -> list[str]:
    described = world["elb"].describe_listeners(ListenerArns=world["listeners"])["Listeners"]
    by_arn = {listener["ListenerArn"]: listener["DefaultActions"][0] for listener in described}
    return [action.get("TargetGroupArn") or action["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"]
            for action in (by_arn[arn] for arn in world["listeners"])]


def services(world) -> dict[str, dict]:
    arns = world["ecs"].list_services(cluster="docs-ecs")["serviceArns"]
    described = world["ecs"].describe_services(cluster="docs-ecs", services=arns, include=["TAGS"])["services"]
    return {service["serviceName"]: service for service in described if service["status"] == "ACTIVE"}


def tag(service: dict) -> str | None:
    return {tag["key"]: tag["value"] for tag in service.get("tags", [])}.get("BG_VERSION")


def test_three_versions(world):
    apply(world)
    assert forwards(world) == world["groups"]
    for number in (1, 2, 3):
        world["segue"].run("deploy", "todolist-blue-green", "--artifact-tag", str(number))
        prod, stage = forwards(world)
        expected = world["groups"][::-1] if number % 2 else world["groups"]
        assert [prod, stage] == expected, f"after version {number}"

        present = services(world)
        blue = [service for service in present.values() if tag(service) == "BLUE"]
        assert len(blue) == 1, present.keys()
        assert blue[0]["desiredCount"] == 2
        assert blue[0]["loadBalancers"][0]["targetGroupArn"] == prod
        definition = world["ecs"].describe_task_definition(taskDefinition=blue[0]["taskDefinition"])["taskDefinition"]
        assert definition["containerDefinitions"][0]["image"] == f"harness/todolist-sample:{number}"
        green = [service for service in present.values() if tag(service) == "GREEN"]
        assert [service["desiredCount"] for service in green] == ([0] if number > 1 else [])


def test_discovery(world):
    apply(world)
    printed = world["segue"].run("discover", "load-balancers", "--infrastructure", "prod-ecs", "-o", "json").stdout
    for arn in [world["balancer"], *world["listeners"], *world["groups"]]:
        assert arn in printed


def test_a_missing_listener_is_refused_and_nothing_is_changed(world):
    apply(world, stage=8099)
    refused = world["segue"].run("deploy", "todolist-blue-green", "--artifact-tag", "1", check=False)
    assert refused.returncode == 10, refused.stdout + refused.stderr
    assert "8099" in refused.stdout + refused.stderr
    assert services(world) == {}
    assert world["ecs"].list_task_definitions()["taskDefinitionArns"] == []
    assert forwards(world) == world["groups"]


BY_DNS = """
        - blueGreenRoute53Setup:
            serviceName: ecs_bg_dns
            desiredCount: {fixed: 2}
            specification1: {registryArn: "%(one)s", containerName: "${CONTAINER_NAME}", containerPort: 8080}
            specification2: {registryArn: "%(two)s", containerName: "${CONTAINER_NAME}", containerPort: 8080}
            aliasName: todolist.shop.example.
            hostedZone: shop.example
        - upgradeContainers: {}
        - changeRoute53Weights: {ttl: 1}
"""


@pytest.fixture(name="by_dns")
def _by_dns(aws, world):
    """Two Cloud Map services and a zone; gives what asks for the alias's records."""
    cloud_map = boto3.client("servicediscovery", REGION, endpoint_url=aws.endpoint, **KEYS)
    route53 = boto3.client("route53", REGION, endpoint_url=aws.endpoint, **KEYS)
    operation = cloud_map.create_private_dns_namespace(Name="shop.internal", Vpc="vpc-1")["OperationId"]
    namespace = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    config = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 1}, {"Type": "SRV", "TTL": 1}]}
    registries = [cloud_map.create_service(Name=name, NamespaceId=namespace, DnsConfig=config)["Service"]["Arn"]
                  for name in ("service1", "service2")]
    zone = route53.create_hosted_zone(Name="shop.example", CallerReference="one")["HostedZone"]["Id"]
    text = MANIFESTS.split("        - blueGreenLoadBalancerSetup:")[0].replace("switch: loadBalancer", "switch: dns") + BY_DNS.lstrip("\n")
    path = world["folder"] / "by-dns.yaml"
    path.write_text(text % {"subnet": world["subnet"], "group": world["group"], "one": registries[0], "two": registries[1]})
    world["segue"].run("apply", "-f", str(path))

    def records() -> dict[str, tuple[str, int]]:
        listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {record["SetIdentifier"]: (record["ResourceRecords"][0]["Value"], record["Weight"])
                for record in listed if record["Type"] == "CNAME"}
    return records


def test_three_versions_by_dns(world, by_dns):
    assert by_dns() == {}
    world["segue"].run("deploy", "todolist-blue-green", "--artifact-tag", "1")
    assert by_dns() == {"Harness-Blue": ("service1.shop.internal", 100)}
    for number, new, old in ((2, "service2", "service1"), (3, "service1", "service2")):
        world["segue"].run("deploy", "todolist-blue-green", "--artifact-tag", str(number))
        assert by_dns() == {"Harness-Blue": (f"{new}.shop.internal", 100), "Harness-Green": (f"{old}.shop.internal", 0)}
        present = services(world)
        colours = {tag(service): service["desiredCount"] for service in present.values()}
        assert (len(present), colours) == (2, {"BLUE": 2, "GREEN": 0})
    world["segue"].run("rollback", "--yes")
    assert by_dns() == {"Harness-Blue": ("service2.shop.internal", 100), "Harness-Green": ("service1.shop.internal", 0)}
