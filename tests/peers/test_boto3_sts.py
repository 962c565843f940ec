"""Who may ask: identities, roles, and signatures that are really verified."""

import datetime
import http.client
import json
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from conftest import ACCESS_KEY, SECRET_KEY, Simulator
from refusals import refused

ROLE = "arn:aws:iam::210987654321:role/deployers/segue"
TARGET = "AmazonEC2ContainerServiceV20141113.ListClusters"


def keys(credentials: dict) -> dict:
    return {"aws_access_key_id": credentials["AccessKeyId"], "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"]}


def test_the_root_keys_have_an_identity(sts):
    identity = sts.get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"].startswith("arn:aws:iam::123456789012:")
    assert identity["UserId"]


def test_a_role_of_another_account_works_in_that_account(simulator, sts, ecs, region, checks):
    assumed = sts.assume_role(RoleArn=ROLE, RoleSessionName="deployment-7", DurationSeconds=900, ExternalId="shop")
    assert assumed["AssumedRoleUser"]["Arn"] == "arn:aws:sts::210987654321:assumed-role/segue/deployment-7"
    assert assumed["AssumedRoleUser"]["AssumedRoleId"].endswith(":deployment-7")
    ends = assumed["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert 880 < ends.total_seconds() <= 901
    temporary = keys(assumed["Credentials"])
    identity = simulator.client("sts", region, checks, **temporary).get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == ("210987654321", assumed["AssumedRoleUser"]["Arn"])
    ecs.create_cluster(clusterName="ours")
    theirs = simulator.client("ecs", region, checks, **temporary)
    assert theirs.list_clusters()["clusterArns"] == []
    assert theirs.create_cluster(clusterName="theirs")["cluster"]["clusterArn"] == f"arn:aws:ecs:{region}:210987654321:cluster/theirs"
    assert len(ecs.list_clusters()["clusterArns"]) == 1


@pytest.mark.parametrize("wrong", [
    {"RoleArn": "arn:aws:iam::123456789012:user/nobody-at-all"}, {"RoleArn": "arn:aws:iam::12:role/short-account"},
    {"DurationSeconds": 43_201}, {"RoleSessionName": "not a name"},
])
def test_refused_roles(sts, wrong):
    with refused("ValidationError"):
        sts.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "session"} | wrong)


@pytest.mark.parametrize(("service", "operation", "codes"), [
    ("ecs", "list_clusters", ("UnrecognizedClientException", "InvalidSignatureException")),
    ("elbv2", "describe_load_balancers", ("InvalidClientTokenId", "SignatureDoesNotMatch")),
    ("sts", "get_caller_identity", ("InvalidClientTokenId", "SignatureDoesNotMatch")),
])
def test_wrong_keys_are_refused_in_the_service_s_own_codes(simulator, sts, region, checks, service, operation, codes):
    unknown, mismatch = codes
    call = lambda **given: getattr(simulator.client(service, region, checks, **given), operation)()
    with refused(unknown, "The security token included in the request is invalid"):
        call(aws_access_key_id="AKIANOBODY0000000000", aws_secret_access_key=SECRET_KEY)
    with refused(mismatch, "The request signature we calculated does not match the signature you provided."):
        call(aws_access_key_id=ACCESS_KEY, aws_secret_access_key="wrong")
    temporary = keys(sts.assume_role(RoleArn=ROLE, RoleSessionName="session")["Credentials"])
    call(**temporary)
    with refused(unknown):
        call(**temporary | {"aws_session_token": "another"})
    with refused(unknown):
        call(**{name: value for name, value in temporary.items() if name != "aws_session_token"})


class Wire:
    """Requests by hand, to sign them as no client would."""

    def __init__(self, simulator: Simulator):
        self.host = urlsplit(simulator.endpoint).netloc

    def send(self, headers: dict, body: bytes = b"{}") -> tuple[int, dict]:
        connection = http.client.HTTPConnection(self.host, timeout=10)
        connection.request("POST", "/", body, headers)
        reply = connection.getresponse()
        told = json.loads(reply.read())
        connection.close()
        return reply.status, told

    def signed(self, monkeypatch, at: datetime.datetime | None = None, service: str = "ecs", body: bytes = b"{}") -> dict:
        request = AWSRequest("POST", f"http://{self.host}/", data=body, headers={
            "X-Amz-Target": TARGET, "Content-Type": "application/x-amz-json-1.1"})
        if at is not None:
            monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: at)
        SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), service, "eu-west-1").add_auth(request)
        monkeypatch.undo()
        return dict(request.headers)


@pytest.fixture
def wire(simulator) -> Wire:
    return Wire(simulator)


def test_a_signed_request_by_hand_is_let_in(wire, monkeypatch):
    assert wire.send(wire.signed(monkeypatch)) == (200, {"clusterArns": []})


def test_unsigned_requests_are_refused(wire):
    status, told = wire.send({"X-Amz-Target": TARGET, "Content-Type": "application/x-amz-json-1.1"})
    assert (status, told["__type"]) == (400, "MissingAuthenticationTokenException")


def test_a_body_changed_on_the_way_is_refused(wire, monkeypatch):
    status, told = wire.send(wire.signed(monkeypatch), b'{"maxResults": 1}')
    assert (status, told["__type"]) == (400, "InvalidSignatureException")


def test_a_target_changed_on_the_way_is_refused(wire, monkeypatch):
    changed = {**wire.signed(monkeypatch), "X-Amz-Target": TARGET.replace("ListClusters", "DeleteCluster")}
    status, told = wire.send(changed)
    assert (status, told["__type"]) == (400, "InvalidSignatureException")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_off_is_refused(wire, monkeypatch, minutes):
    at = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + datetime.timedelta(minutes=minutes)
    status, told = wire.send(wire.signed(monkeypatch, at))
    assert (status, told["__type"]) == (400, "InvalidSignatureException")
    assert ("Signature expired" if minutes < 0 else "Signature not yet current") in told["message"]


def test_a_signature_for_another_service_is_refused(wire, monkeypatch):
    status, told = wire.send(wire.signed(monkeypatch, service="elasticloadbalancing"))
    assert (status, told["__type"]) == (400, "InvalidSignatureException")
    assert "Credential should be scoped to correct service: 'ecs'" in told["message"]


def test_a_garbled_authorization_is_refused(wire, monkeypatch):
    status, told = wire.send({**wire.signed(monkeypatch), "Authorization": "AWS4-HMAC-SHA256 Credential=x"})
    assert (status, told["__type"]) == (400, "IncompleteSignatureException")


def test_no_secret_shows_in_the_journal(simulator, sts, wire):
    import urllib.request

    assumed = sts.assume_role(RoleArn=ROLE, RoleSessionName="session", ExternalId="the-external-id")["Credentials"]
    with urllib.request.urlopen(f"{simulator.endpoint}/_sandbox/calls", timeout=10) as reply:
        journal = reply.read().decode()
    assert "sts:AssumeRole" in journal and ROLE in journal
    for secret in (SECRET_KEY, assumed["SecretAccessKey"], assumed["SessionToken"], "the-external-id"):
        assert secret not in journal
