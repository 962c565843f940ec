"""moto as an AWS that knows nothing of Segue, with a companion that plays the ECS scheduler.

moto keeps services, task definitions, listeners and target groups, but never runs a task. The companion runs inside moto's process and
does what ECS would: tasks appear, targets are registered, counts follow the desired count. Its timing and its texts are ours, so they
prove nothing; what is proved is that the deployer's calls are right for an AWS written by others.
"""

import threading
import time
import urllib.request
from datetime import datetime, timezone

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends
from moto.servicediscovery.models import servicediscovery_backends
from moto.server import ThreadedMotoServer


class MotoWorld:
    """A moto server on a free port with the scheduler beside it."""

    def __init__(self, region: str):
        self.region = region
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        self._stop = threading.Event()
        self._scheduler = threading.Thread(target=self._schedule, name="scheduler", daemon=True)
        self._addresses: dict[tuple[str, int], str] = {}

    def __enter__(self) -> "MotoWorld":
        self._server.start()
        _, port = self._server.get_host_and_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        # moto's state is the process's: what an earlier test left is forgotten.
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST"), timeout=10).close()
        self._scheduler.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._scheduler.join(timeout=10)
        self._server.stop()

    def _schedule(self) -> None:
        while not self._stop.wait(0.05):
            ecs = ecs_backends[DEFAULT_ACCOUNT_ID][self.region]
            elb = elbv2_backends[DEFAULT_ACCOUNT_ID][self.region]
            for service in list(ecs.services.values()):
                try:
                    self._reconcile(service, elb)
                except (KeyError, AttributeError, RuntimeError):
                    # moto's maps change under our feet while a request is served: the next round sees them settled.
                    continue

    def _reconcile(self, service, elb) -> None:
        desired = service.desired_count
        targets = [(balancer["targetGroupArn"], balancer["containerPort"]) for balancer in service.load_balancers or []]
        for arn, port in targets:
            group = elb.target_groups[arn]
            wanted = [{"Id": self._address(service.name, number), "Port": port} for number in range(desired)]
            mine = {self._address(service.name, number) for number in range(64)}
            present = {target["Id"] for target in group.targets.values()}
            missing = [target for target in wanted if target["Id"] not in present]
            if missing:
                group.register(missing)
            extra = [{"Id": address, "Port": port} for address in (present & mine) - {target["Id"] for target in wanted}]
            if extra:
                group.deregister(extra)
        for registry in service.service_registries or []:
            self._register(service.name, registry, desired)
        service.running_count = desired
        service.pending_count = 0
        for deployment in service.deployments:
            changed = deployment.get("runningCount") != desired
            deployment.update(desiredCount=desired, runningCount=desired, pendingCount=0, rolloutState="COMPLETED")
            if changed:
                self._event(service, f"(service {service.name}) has reached a steady state.")

    def _register(self, name: str, registry: dict, desired: int) -> None:
        cloud_map = servicediscovery_backends[DEFAULT_ACCOUNT_ID][self.region]
        found = cloud_map.services[registry["registryArn"].rsplit("/")[-1]]
        wanted = {f"{name}-{number}": self._address(name, number) for number in range(desired)}
        mine = [instance.instance_id for instance in found.instances if instance.instance_id.startswith(f"{name}-")]
        for gone in set(mine) - set(wanted):
            cloud_map.deregister_instance(found.id, gone)
        for new in set(wanted) - set(mine):
            attributes = {"AWS_INSTANCE_IPV4": wanted[new], "AWS_INSTANCE_PORT": str(registry.get("containerPort", 80))}
            cloud_map.register_instance(found.id, new, new, attributes)

    def _event(self, service, message: str) -> None:
        event = {"id": f"{time.monotonic_ns():032x}", "createdAt": datetime.now(timezone.utc), "message": message}
        service.events = [event, *(service.events or [])]

    def _address(self, service: str, number: int) -> str:
        key = (service, number)
        if key not in self._addresses:
            self._addresses[key] = f"10.0.{len(self._addresses) // 250}.{len(self._addresses) % 250 + 1}"
        return self._addresses[key]
