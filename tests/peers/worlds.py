"""What a platform team has before it deploys, made through AWS's own API, and ways to watch it."""

import json
import socket
import time
import urllib.error
import urllib.request

QUICK = {"Delay": 0.1, "MaxAttempts": 300}
SUBNETS = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]
NETWORK = {"awsvpcConfiguration": {"subnets": SUBNETS, "securityGroups": ["sg-0cccccccccccccccc"], "assignPublicIp": "DISABLED"}}
PROD, STAGE = 8080, 8081


def until(what: str, met, seconds: float = 30.0):
    """Polls another process until `met` gives something true, and gives that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = met()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError(f"{what} did not come about within {seconds} s")


class World:
    """A cluster, a load balancer with a production and a stage listener, and a target group behind each."""

    cluster = "docs-ecs"

    def __init__(self, simulator, ecs, elb):
        self.simulator, self.ecs, self.elb = simulator, ecs, elb
        ecs.create_cluster(clusterName=self.cluster)
        self.groups = [self.target_group(name) for name in ("target1", "target2")]
        made = elb.create_load_balancer(Name="docs-example", Subnets=SUBNETS, SecurityGroups=["sg-0cccccccccccccccc"])
        self.balancer, self.address = (made["LoadBalancers"][0][name] for name in ("LoadBalancerArn", "DNSName"))
        self.listeners = [self.listener(port, group) for port, group in zip((PROD, STAGE), self.groups)]
        elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[self.balancer], WaiterConfig=QUICK)
        for port in (PROD, STAGE):
            until(f"an open port {port}", lambda port=port: self.accepts(port))

    def accepts(self, port: int) -> bool:
        """Whether the load balancer's port is open: a new listener's is, a moment after its load balancer is active."""
        try:
            socket.create_connection((self.address, port), timeout=5).close()
        except ConnectionRefusedError:
            return False
        return True

    def target_group(self, name: str, **settings) -> str:
        given = {"Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-0ddddddddddddddd", "TargetType": "ip", "HealthCheckPath": "/healthz",
                 "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 3, "UnhealthyThresholdCount": 2} | settings
        group = self.elb.create_target_group(Name=name, **given)["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}])
        return group

    def listener(self, port: int, group: str) -> str:
        made = self.elb.create_listener(LoadBalancerArn=self.balancer, Protocol="HTTP", Port=port, DefaultActions=[forward(group)])
        return made["Listeners"][0]["ListenerArn"]

    def definition(self, family: str = "todolist", tag: str = "1", environment: dict[str, str] | None = None, **more) -> str:
        container = {
            "name": "web", "image": f"registry.example/todolist:{tag}", "essential": True,
            "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
            "environment": [{"name": name, "value": value} for name, value in (environment or {}).items()],
        }
        given = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
                 "containerDefinitions": [container]} | more
        return self.ecs.register_task_definition(family=family, **given)["taskDefinition"]["taskDefinitionArn"]

    def service(self, name: str, definition: str, group: str | None, desired: int = 2, **more) -> dict:
        balancers = [{"targetGroupArn": group, "containerName": "web", "containerPort": 8080}] if group else []
        given = {"cluster": self.cluster, "serviceName": name, "taskDefinition": definition, "desiredCount": desired,
                 "launchType": "FARGATE", "networkConfiguration": NETWORK, "loadBalancers": balancers} | more
        return self.ecs.create_service(**{name: value for name, value in given.items() if value is not None})["service"]

    def described(self, name: str) -> dict:
        return self.ecs.describe_services(cluster=self.cluster, services=[name], include=["TAGS"])["services"][0]

    def steady(self, name: str) -> dict:
        """The service, once its deployment is completed."""
        def completed():
            service = self.described(name)
            deployments = service["deployments"]
            return service if len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED" \
                and service["runningCount"] == service["desiredCount"] else None
        return until(f"the steady state of {name}", completed)

    def events(self, name: str) -> list[str]:
        """The service's events, oldest first."""
        return [event["message"] for event in reversed(self.described(name)["events"])]

    def tasks(self, name: str, status: str = "RUNNING") -> list[dict]:
        arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=name, desiredStatus=status)["taskArns"]
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []

    def health(self, group: str) -> dict[str, tuple]:
        """Per address: the target's state and reason."""
        described = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {target["Target"]["Id"]: (target["TargetHealth"]["State"], target["TargetHealth"].get("Reason"))
                for target in described}

    def get(self, port: int, path: str = "/", method: str = "GET", **headers) -> tuple[int, dict, str]:
        """Status, headers and body of a request through the load balancer."""
        return fetch(f"http://{self.address}:{port}{path}", method, **headers)

    def version(self, port: int) -> str | None:
        """The version that answers at a port; none without a good answer."""
        status, headers, _ = self.get(port)
        return headers.get("x-version") if status == 200 else None

    def sandbox(self, what: str, method: str = "GET", body: dict | None = None):
        """Asks a control endpoint of the simulator."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.simulator.endpoint}/_sandbox/{what}", method=method, data=data)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def fetch(url: str, method: str = "GET", **headers) -> tuple[int, dict, str]:
    opener = urllib.request.build_opener(_NoRedirect(), urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with opener.open(request, timeout=20) as reply:
            return reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, {name.lower(): value for name, value in refused.headers.items()}, refused.read().decode()


def forward(*groups: str, weights: list[int] | None = None) -> dict:
    if weights is None:
        (group,) = groups
        return {"Type": "forward", "TargetGroupArn": group}
    pairs = [{"TargetGroupArn": group, "Weight": weight} for group, weight in zip(groups, weights)]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": pairs}}
