"""HTTPS listeners: real TLS, ended at the load balancer, and told apart from plain HTTP by what passes it."""

import http.client
import socket
import ssl
import urllib.request

import pytest

from refusals import refused
from worlds import World, forward, until

SECURE = 8443


def certificate(region: str, name: str, account: str = "123456789012") -> dict:
    return {"CertificateArn": f"arn:aws:acm:{region}:{account}:certificate/{name}"}


@pytest.fixture
def trusting(simulator) -> ssl.SSLContext:
    """Trusts nothing but the simulated AWS's authority, which it asks for."""
    with urllib.request.urlopen(f"{simulator.endpoint}/_sandbox/ca", timeout=10) as reply:
        assert reply.headers["content-type"] == "application/x-pem-file"
        return ssl.create_default_context(cadata=reply.read().decode())


@pytest.fixture
def secure(world: World, region: str) -> World:
    """A version 1 behind the production listener, and an HTTPS listener to the same group."""
    world.service("web", world.definition(), world.groups[0])
    world.steady("web")
    world.https = world.elb.create_listener(
        LoadBalancerArn=world.balancer, Protocol="HTTPS", Port=SECURE, Certificates=[certificate(region, "first")],
        DefaultActions=[forward(world.groups[0])])["Listeners"][0]
    until("an open port", lambda: world.accepts(SECURE))
    until("version 1", lambda: world.version(8080) == "1")
    return world


def ask(address: str, context: ssl.SSLContext, path: str = "/", port: int = SECURE, **headers):
    """Status and headers of a request over TLS, and the name on the certificate."""
    connection = http.client.HTTPSConnection(address, port, context=context, timeout=20)
    connection.connect()
    subject = dict(pair for rdn in connection.sock.getpeercert()["subject"] for pair in rdn)["commonName"]
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.status, {name.lower(): value for name, value in reply.headers.items()}, subject


def test_a_client_that_trusts_the_authority_is_answered(secure: World, trusting: ssl.SSLContext):
    status, headers, subject = ask(secure.address, trusting)
    assert (status, headers["x-version"], subject) == (200, "1", "first")
    assert secure.https["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    with socket.create_connection((secure.address, SECURE), timeout=5) as plain:
        agreed = trusting.wrap_socket(plain, server_hostname="localhost")
        assert agreed.version() in ("TLSv1.2", "TLSv1.3")
        names = agreed.getpeercert()["subjectAltName"]
        agreed.close()
    assert sorted(names) == sorted([("IP Address", secure.address), ("IP Address", "127.0.0.1"), ("DNS", "localhost")])


def test_a_client_that_trusts_others_refuses_and_plain_http_is_told(secure: World):
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(secure.address, ssl.create_default_context())
    status, _, page = secure.get(SECURE)
    assert status == 400 and "The plain HTTP request was sent to HTTPS port" in page


def test_a_redirect_and_a_target_learn_the_protocol(secure: World, trusting: ssl.SSLContext):
    rule = {"Type": "redirect", "RedirectConfig": {"Path": "/new", "StatusCode": "HTTP_302"}}
    for listener in (secure.https["ListenerArn"], secure.listeners[0]):
        secure.elb.create_rule(ListenerArn=listener, Priority=1, Actions=[rule],
                               Conditions=[{"Field": "path-pattern", "Values": ["/old"]}])
    status, headers, _ = until("the redirect", lambda: (lambda got: got if got[0] == 302 else None)(ask(secure.address, trusting, "/old")))
    assert headers["location"] == f"https://{secure.address}:{SECURE}/new"
    status, headers, _ = until("the redirect", lambda: (lambda got: got if got[0] == 302 else None)(secure.get(8080, "/old")))
    assert headers["location"] == f"http://{secure.address}:8080/new"


def test_a_target_sees_what_the_client_spoke(world: World, region: str, trusting: ssl.SSLContext):
    group = world.target_group("echo", HealthCheckPort="1")
    with socket.create_server(("127.0.0.1", 0)) as target:
        world.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": target.getsockname()[1]}])
        world.elb.create_listener(LoadBalancerArn=world.balancer, Protocol="HTTPS", Port=SECURE,
                                  Certificates=[certificate(region, "echo")], DefaultActions=[forward(group)])
        until("an open port", lambda: world.accepts(SECURE))
        client = http.client.HTTPSConnection(world.address, SECURE, context=trusting, timeout=20)
        client.request("GET", "/")
        target.settimeout(20)
        asked, _ = target.accept()
        with asked:
            seen = asked.recv(65_536).decode().lower()
            asked.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert client.getresponse().status == 204
    assert "x-forwarded-proto: https\r\n" in seen and f"x-forwarded-port: {SECURE}\r\n" in seen


def test_a_listener_changes_certificate_and_protocol_without_a_closed_port(secure: World, region: str, trusting: ssl.SSLContext):
    arn = secure.https["ListenerArn"]
    secure.elb.modify_listener(ListenerArn=arn, Certificates=[certificate(region, "second")])
    until("the second certificate", lambda: ask(secure.address, trusting)[2] == "second")
    changed = secure.elb.modify_listener(ListenerArn=arn, Protocol="HTTP")["Listeners"][0]
    assert "Certificates" not in changed and "SslPolicy" not in changed

    until("plain HTTP", lambda: secure.version(SECURE) == "1")
    changed = secure.elb.modify_listener(ListenerArn=arn, Protocol="HTTPS", Certificates=[certificate(region, "third")])
    assert changed["Listeners"][0]["SslPolicy"] == "ELBSecurityPolicy-2016-08"

    def shown():
        try:
            return ask(secure.address, trusting)[2]
        except OSError:
            return None
    until("the third certificate", lambda: shown() == "third")


def test_refusals(world: World, elb, region: str):
    create = lambda *certificates, **more: elb.create_listener(**{
        "LoadBalancerArn": world.balancer, "Protocol": "HTTPS", "Port": SECURE, "Certificates": list(certificates),
        "DefaultActions": [forward(world.groups[0])]} | more)
    with refused("ValidationError", "A certificate must be specified for HTTPS listeners"):
        create()
    with refused("ValidationError", "A certificate cannot be specified for HTTP listeners"):
        create(certificate(region, "x"), Protocol="HTTP")
    with refused("CertificateNotFound"):
        create(certificate("eu-north-9", "x"))
    with refused("CertificateNotFound"):
        create(certificate(region, "x", account="999999999999"))
    with refused("ValidationError", "is not valid"):
        create({"CertificateArn": "x"})
    with refused("ValidationError"):
        create(certificate(region, "x"), certificate(region, "y"))
    with refused("ValidationError", "A certificate must be specified for HTTPS listeners"):
        elb.modify_listener(ListenerArn=world.listeners[0], Protocol="HTTPS")
