"""Network Load Balancers: bytes between raw sockets, over TCP and TLS, while listeners and targets change."""

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
# moto brings it.
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from refusals import refused
from worlds import QUICK, SUBNETS, World, fetch, forward, until

PORT, SECURE = 7000, 7001
VPC = "vpc-0ddddddddddddddd"


class Echo:
    """A target of raw bytes: greets with its name, then gives everything back. With a context, over TLS."""

    def __init__(self, name: str, context: ssl.SSLContext | None = None):
        self.name, self._context = name, context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._one, args=(self._socket.accept()[0],), daemon=True).start()

    def _one(self, accepted: socket.socket):
        # Health checks come and go without a word.
        with contextlib.suppress(OSError), accepted:
            stream = self._context.wrap_socket(accepted, server_side=True) if self._context else accepted
            stream.sendall(self.name.encode())
            while heard := stream.recv(65_536):
                stream.sendall(heard)
            if not self._context:
                stream.sendall(b"bye")

    def close(self):
        self._socket.close()


@pytest.fixture
def network(elb, ecs, simulator):
    """A Network Load Balancer with a TCP listener, and two groups of one echo each."""
    return Network(simulator, elb)


class Network:
    def __init__(self, simulator, elb):
        self.simulator, self.elb = simulator, elb
        made = elb.create_load_balancer(Name="flows", Type="network", Subnets=SUBNETS[:1])["LoadBalancers"][0]
        self.balancer, self.address = made["LoadBalancerArn"], made["DNSName"]
        self.echoes = [Echo("1"), Echo("2")]
        self.groups = [self.group(f"echo{echo.name}", echo) for echo in self.echoes]
        self.listener = elb.create_listener(LoadBalancerArn=self.balancer, Protocol="TCP", Port=PORT,
                                            DefaultActions=[forward(self.groups[0])])["Listeners"][0]["ListenerArn"]
        elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[self.balancer], WaiterConfig=QUICK)
        until("a flow", lambda: self.greeting() == "1")

    def group(self, name: str, echo: Echo | None, protocol: str = "TCP", **more) -> str:
        given = {"Protocol": protocol, "Port": 80, "VpcId": VPC, "TargetType": "ip", "HealthCheckIntervalSeconds": 5,
                 "HealthCheckTimeoutSeconds": 3, "HealthyThresholdCount": 2} | more
        group = self.elb.create_target_group(Name=name, **given)["TargetGroups"][0]["TargetGroupArn"]
        self.attributes(group, **{"deregistration_delay.timeout_seconds": "20"})
        if echo:
            self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": echo.port}])
        return group

    def attributes(self, group: str, **attributes: str):
        self.elb.modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()])

    def to(self, *groups: str, weights: list[int] | None = None):
        self.elb.modify_listener(ListenerArn=self.listener, DefaultActions=[forward(*groups, weights=weights)])

    def open(self, port: int = PORT) -> tuple[socket.socket, str]:
        """A connection, and the name of the target that greets on it; an empty one if it was closed at once."""
        flow = socket.create_connection((self.address, port), timeout=10)
        try:
            return flow, flow.recv(1).decode()
        except ConnectionResetError:
            return flow, ""

    def greeting(self) -> str | None:
        try:
            flow, name = self.open()
        except OSError:
            return None
        flow.close()
        return name

    def healthy(self, group: str) -> set[str]:
        told = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {target["TargetHealth"]["State"] for target in told}


def echoes(flow: socket.socket) -> bool:
    """Whether bytes go through and come back."""
    try:
        flow.sendall(b"x" * 100_000)
        heard = 0
        while heard < 100_000:
            got = flow.recv(65_536)
            if not got:
                return False
            heard += len(got)
        return True
    except (ConnectionError, ssl.SSLEOFError):
        return False


def test_bytes_pass_and_each_side_closes_its_own_half(network: Network):
    flow, name = network.open()
    assert name == "1" and echoes(flow)
    flow.shutdown(socket.SHUT_WR)
    rest = b""
    while got := flow.recv(100):
        rest += got
    assert rest == b"bye"
    flow.close()
    until("a healthy target", lambda: network.healthy(network.groups[0]) == {"healthy"})


def test_new_connections_follow_the_listener_and_open_ones_stay(network: Network):
    old, name = network.open()
    assert name == "1"
    network.to(network.groups[1])
    until("the other target", lambda: network.greeting() == "2")
    # A target that drains keeps its connections, and still has them when it is gone, unless its group says otherwise.
    network.elb.deregister_targets(TargetGroupArn=network.groups[0], Targets=[{"Id": "127.0.0.1", "Port": network.echoes[0].port}])
    until("an empty group", lambda: not network.healthy(network.groups[0]))
    assert echoes(old)
    old.close()


def test_connection_termination_ends_what_is_open_when_the_delay_is_over(network: Network):
    group = network.groups[0]
    network.attributes(group, **{"deregistration_delay.connection_termination.enabled": "true"})
    old, _ = network.open()
    network.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": network.echoes[0].port}])
    until("a draining target", lambda: network.healthy(group) == {"draining"})
    assert echoes(old)
    until("no new connection", lambda: network.greeting() == "")
    assert echoes(old)
    until("an empty group", lambda: not network.healthy(group))
    until("a closed connection", lambda: not echoes(old))


def test_weights_share_connections_and_weight_0_ends_them(network: Network):
    first, second = network.groups
    network.to(first, second, weights=[50, 50])
    until("both targets", lambda: {network.greeting() for _ in range(8)} == {"1", "2"})
    flows = [network.open() for _ in range(40)]
    # 40 draws of one half: outside of this by chance less than once in a hundred thousand runs.
    assert 6 <= [name for _, name in flows].count("1") <= 34
    network.to(first, second, weights=[0, 100])
    until("connections of the first target end", lambda: not any(echoes(flow) for flow, name in flows if name == "1"))
    assert all(echoes(flow) for flow, name in flows if name == "2")
    assert {network.greeting() for _ in range(8)} == {"2"}
    for flow, _ in flows:
        flow.close()


def test_a_target_that_becomes_unhealthy_loses_its_connections_and_a_health_check_may_be_http(network: Network):
    # The group's second target never answers HTTP; the first connection to it is made while nothing is known of it.
    group = network.group("checked", network.echoes[0], HealthCheckProtocol="HTTP", HealthCheckPath="/", UnhealthyThresholdCount=2)
    described = network.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    assert (described["HealthCheckProtocol"], described["Matcher"]) == ("HTTP", {"HttpCode": "200-399"})
    network.to(group)
    until("an unhealthy target", lambda: network.healthy(group) == {"unhealthy"})
    # Fail open: it is the only one.
    flow, name = network.open()
    assert name == "1" and echoes(flow)
    network.elb.modify_target_group(TargetGroupArn=group, HealthCheckProtocol="TCP")
    until("a healthy target", lambda: network.healthy(group) == {"healthy"})
    assert echoes(flow)
    # With another healthy one beside it, an unhealthy target's connections end.
    network.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": network.echoes[1].port}])
    until("two healthy targets", lambda: network.healthy(group) == {"healthy"} and {network.greeting() for _ in range(8)} == {"1", "2"})
    flows = [network.open() for _ in range(6)]
    network.echoes[0].close()
    until("an unhealthy target", lambda: network.healthy(group) == {"healthy", "unhealthy"})
    until("its connections end", lambda: not any(echoes(flow) for flow, name in flows if name == "1"))
    assert all(echoes(flow) for flow, name in flows if name == "2")


def test_a_client_s_address_may_decide_its_target(network: Network):
    group = network.groups[0]
    network.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": network.echoes[1].port}])
    until("both targets", lambda: {network.greeting() for _ in range(8)} == {"1", "2"})
    network.attributes(group, **{"stickiness.enabled": "true"})
    until("one target", lambda: len({network.greeting() for _ in range(16)}) == 1)


def test_tls_ends_at_the_listener_and_may_begin_again_behind_it(network: Network, region: str, tmp_path):
    with urllib.request.urlopen(f"{network.simulator.endpoint}/_sandbox/ca", timeout=10) as reply:
        trusting = ssl.create_default_context(cadata=reply.read().decode())
    named = [{"CertificateArn": "arn:aws:iam::123456789012:server-certificate/flows"}]
    listener = network.elb.create_listener(LoadBalancerArn=network.balancer, Protocol="TLS", Port=SECURE, Certificates=named,
                                           DefaultActions=[forward(network.groups[0])])["Listeners"][0]["ListenerArn"]

    def secured():
        try:
            flow = trusting.wrap_socket(socket.create_connection((network.address, SECURE), timeout=10), server_hostname=network.address)
            return flow, flow.recv(1).decode()
        except OSError:
            return None
    flow, name = until("a secured flow", secured)
    assert name == "1" and echoes(flow) and dict(flow.getpeercert()["subject"][0])["commonName"] == "flows"
    flow.close()
    # Behind a group of the protocol TLS, the target has to speak it, and may show any certificate.
    pem = tmp_path / "target.pem"
    pem.write_bytes(_self_signed())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    group = network.group("secure", Echo("3", context), protocol="TLS")
    network.elb.modify_listener(ListenerArn=listener, DefaultActions=[forward(group)])
    flow, _ = until("the secured target", lambda: (lambda got: got if got and got[1] == "3" else None)(secured()))
    assert echoes(flow)
    flow.close()
    with refused("IncompatibleProtocols"):
        network.elb.modify_listener(ListenerArn=listener, DefaultActions=[forward(network.groups[0], group, weights=[1, 1])])
    with refused("ValidationError", "A certificate must be specified for TLS listeners"):
        network.elb.create_listener(LoadBalancerArn=network.balancer, Protocol="TLS", Port=7002, DefaultActions=[forward(group)])


def test_a_service_behind_it_is_counted_by_flows(network: Network, ecs):
    world = World(network.simulator, ecs, network.elb)
    group = network.group("web", None)
    network.to(group)
    world.service("web", world.definition(tag="7"), group)
    world.steady("web")
    url = f"http://{network.address}:{PORT}/"
    until("version 7", lambda: _version(url) == "7")
    before = world.sandbox("traffic")[group]["7"]
    # Two requests on one connection are one flow.
    connection = http.client.HTTPConnection(network.address, PORT, timeout=10)
    for _ in range(2):
        connection.request("GET", "/")
        connection.getresponse().read()
    connection.close()
    assert world.sandbox("traffic")[group]["7"] == before + 1
    assert set(world.health(group).values()) == {("healthy", None)}


def _version(url: str) -> str | None:
    try:
        return fetch(url)[1].get("x-version")
    except OSError:
        return None


def test_what_is_refused(network: Network, elb):
    web = elb.create_target_group(Name="http", Protocol="HTTP", Port=80, VpcId=VPC, TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
    create = lambda **more: elb.create_listener(**{
        "LoadBalancerArn": network.balancer, "Protocol": "TCP", "Port": 7003, "DefaultActions": [forward(network.groups[0])]} | more)
    with refused("IncompatibleProtocols"):
        create(DefaultActions=[forward(web)])
    with refused("IncompatibleProtocols"):
        create(Protocol="UDP")
    with refused("UnsupportedProtocol"):
        create(Protocol="HTTP")
    with refused("InvalidLoadBalancerAction"):
        create(DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}])
    with refused("InvalidLoadBalancerAction", "Rules are not supported"):
        elb.create_rule(ListenerArn=network.listener, Priority=1, Actions=[forward(network.groups[0])],
                        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}])
    with refused("ValidationError"):
        elb.create_target_group(Name="odd", Protocol="TCP", Port=80, VpcId=VPC, TargetType="ip", HealthCheckPath="/x")
    with refused("ValidationError"):
        elb.create_target_group(Name="odd", Protocol="HTTP", Port=80, VpcId=VPC, TargetType="ip", HealthCheckProtocol="TCP")



def _self_signed() -> bytes:
    """A key and a certificate of nobody: a load balancer does not ask whose it is."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256()))
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return plain + made.public_bytes(serialization.Encoding.PEM)
