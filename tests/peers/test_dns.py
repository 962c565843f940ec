"""Route 53, Cloud Map and the name server, under boto3 and under a resolver that nobody here wrote (dnspython)."""

import json
import urllib.request
from collections import Counter

import dns.message
import dns.query
import dns.rdatatype
import dns.rcode
import pytest

from refusals import refused
from worlds import World, until


@pytest.fixture
def route53(simulator, region, checks):
    return simulator.client("route53", region, checks)


@pytest.fixture
def cloud_map(simulator, region, checks):
    return simulator.client("servicediscovery", region, checks)


@pytest.fixture
def name_server(simulator) -> tuple[str, int]:
    with urllib.request.urlopen(f"{simulator.endpoint}/_sandbox/health", timeout=10) as reply:
        address, port = json.load(reply)["nameServer"].rsplit(":", 1)
    return address, int(port)


@pytest.fixture
def zone(route53, region) -> tuple[str, str]:
    """A hosted zone of the test's own: its id and its name."""
    name = f"{region}.example."
    made = route53.create_hosted_zone(Name=name, CallerReference=region)
    assert made["HostedZone"]["Name"] == name and made["Location"].endswith(made["HostedZone"]["Id"])
    return made["HostedZone"]["Id"].rsplit("/")[-1], name


@pytest.fixture
def namespace(cloud_map, region) -> tuple[str, str]:
    name = f"{region}.internal"
    operation = cloud_map.create_private_dns_namespace(Name=name, Vpc="vpc-1")["OperationId"]
    done = cloud_map.get_operation(OperationId=operation)["Operation"]
    assert (done["Status"], done["Type"]) == ("SUCCESS", "CREATE_NAMESPACE")
    return done["Targets"]["NAMESPACE"], name


def weighted(name: str, identifier: str, value: str, weight: int, ttl: int = 2) -> dict:
    return {"Name": name, "Type": "CNAME", "SetIdentifier": identifier, "Weight": weight, "TTL": ttl,
            "ResourceRecords": [{"Value": value}]}


def change(route53, zone: str, *changes: tuple[str, dict]) -> str:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
    return route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]["Id"]


def in_sync(route53, identifier: str):
    route53.get_waiter("resource_record_sets_changed").wait(Id=identifier, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})


def told(code: str, call, *arguments, **named) -> str:
    """The words in which a call is refused."""
    with refused(code) as raised:
        call(*arguments, **named)
    return raised.value.response["Error"]["Message"]


def ask(name_server, name: str, kind: str = "A", tcp: bool = False):
    question = dns.message.make_query(name, kind)
    query = dns.query.tcp if tcp else dns.query.udp
    return query(question, name_server[0], port=name_server[1], timeout=5)


def service(cloud_map, namespace: str, name: str, *kinds: str) -> str:
    config = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": kind, "TTL": 3} for kind in kinds]}
    return cloud_map.create_service(Name=name, NamespaceId=namespace, DnsConfig=config)["Service"]["Arn"]


def test_a_zone_is_found_by_id_and_by_name(route53, zone):
    identifier, name = zone
    assert route53.get_hosted_zone(Id=identifier)["HostedZone"]["Name"] == name
    by_name = route53.list_hosted_zones_by_name(DNSName=name)["HostedZones"]
    assert by_name[0]["Id"] == f"/hostedzone/{identifier}"
    kinds = [record["Type"] for record in route53.list_resource_record_sets(HostedZoneId=identifier)["ResourceRecordSets"]]
    assert kinds == ["NS", "SOA"]
    told("NoSuchHostedZone", route53.get_hosted_zone, Id="ZNOWHERE")
    told("HostedZoneAlreadyExists", route53.create_hosted_zone, Name="other.example.", CallerReference=name.split(".")[0])


def test_a_batch_is_all_or_nothing_and_says_why(route53, zone):
    identifier, name = zone
    alias = f"app.{name}"
    blue = weighted(alias, "Blue", "one.example.org", 10)
    change(route53, identifier, ("CREATE", blue))
    said = told("InvalidChangeBatch", change, route53, identifier,
                   ("CREATE", weighted(alias, "Green", "two.example.org", 0)), ("CREATE", blue))
    assert "set identifier='Blue'] but it already exists" in said
    names = lambda: [record.get("SetIdentifier") for record in
                     route53.list_resource_record_sets(HostedZoneId=identifier, StartRecordName=alias)["ResourceRecordSets"]]
    assert names()[:1] == ["Blue"] and "Green" not in names()
    said = told("InvalidChangeBatch", change, route53, identifier, ("DELETE", blue | {"Weight": 11}))
    assert said.endswith("do not match the current values]")
    said = told("InvalidChangeBatch", change, route53, identifier,
                   ("CREATE", {"Name": alias, "Type": "A", "TTL": 1, "ResourceRecords": [{"Value": "127.0.0.1"}]}))
    assert "conflicts with other records with the same DNS name" in said
    change(route53, identifier, ("DELETE", blue))
    assert names() == []


def test_records_are_paged_in_route_53_s_order(route53, zone):
    identifier, name = zone
    records = [weighted(f"{label}.{name}", "x", "one.example.org", 1) for label in ("b", "a", "z.a")]
    change(route53, identifier, *[("UPSERT", record) for record in records])
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=identifier, PaginationConfig={"PageSize": 1})
    listed = [record["Name"] for page in pages for record in page["ResourceRecordSets"]]
    assert listed == [name, name, f"a.{name}", f"z.a.{name}", f"b.{name}"]


def test_cloud_map_s_own_zone_is_not_ours(route53, cloud_map, namespace):
    identifier, name = namespace
    zone = cloud_map.get_namespace(Id=identifier)["Namespace"]["Properties"]["DnsProperties"]["HostedZoneId"]
    assert route53.get_hosted_zone(Id=zone)["HostedZone"]["LinkedService"]["ServicePrincipal"] == "servicediscovery.amazonaws.com"
    said = told("AccessDenied", change, route53, zone, ("UPSERT", weighted(f"x.{name}.", "x", "one.example.org", 1)))
    assert "can only be managed through AWS Cloud Map" in said


def test_cloud_map_refuses_what_aws_refuses(cloud_map, namespace, region):
    identifier, name = namespace
    told("NamespaceAlreadyExists", cloud_map.create_private_dns_namespace, Name=name, Vpc="vpc-1")
    arn = service(cloud_map, identifier, "one", "A")
    told("ServiceAlreadyExists", service, cloud_map, identifier, "one", "A")
    told("ResourceInUse", cloud_map.delete_namespace, Id=identifier)
    told("ServiceNotFound", cloud_map.get_service, Id="srv-nowhere")
    told("NamespaceNotFound", cloud_map.get_namespace, Id="ns-nowhere")
    listed = cloud_map.list_services(Filters=[{"Name": "NAMESPACE_ID", "Values": [identifier], "Condition": "EQ"}])["Services"]
    assert [found["Arn"] for found in listed] == [arn]


def test_ecs_registers_running_tasks_and_the_name_server_leads_to_them(world: World, cloud_map, namespace, name_server):
    identifier, name = namespace
    arn = service(cloud_map, identifier, "web", "A", "SRV")
    told("InvalidParameterException", world.service, "lost", world.definition(), None,
            serviceRegistries=[{"registryArn": arn + "x", "containerName": "web", "containerPort": 8080}])
    registry = [{"registryArn": arn, "containerName": "web", "containerPort": 8080}]
    world.service("web", world.definition(), None, serviceRegistries=registry)
    instances = lambda: cloud_map.list_instances(ServiceId=arn.rsplit("/")[-1])["Instances"]
    found = until("two instances", lambda: (lambda all: all if len(all) == 2 else None)(instances()))
    addresses = sorted(instance["Attributes"]["AWS_INSTANCE_IPV4"] for instance in found)
    assert {instance["Attributes"]["ECS_SERVICE_NAME"] for instance in found} == {"web"}
    for tcp in (False, True):
        answer = ask(name_server, f"web.{name}", tcp=tcp)
        assert sorted(str(record) for record in answer.answer[0]) == addresses and answer.answer[0].ttl == 3
    places = ask(name_server, f"web.{name}", "SRV")
    assert {(record.priority, record.weight, record.port) for record in places.answer[0]} == {(1, 1, 8080)}
    target = str(places.answer[0][0].target)
    assert str(ask(name_server, target).answer[0][0]) in addresses
    world.ecs.update_service(cluster=world.cluster, service="web", desiredCount=0)
    until("no instance", lambda: not instances())
    gone = ask(name_server, f"web.{name}")
    assert gone.answer == [] and gone.authority[0].rdtype == dns.rdatatype.SOA


def test_a_change_of_weights_shifts_answers_once_it_is_in_sync(route53, zone, name_server):
    identifier, name = zone
    alias = f"app.{name}"
    targets = {number: f"v{number}.{name}" for number in (1, 2)}
    addresses = [{"Name": targets[number], "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": f"127.0.0.{number}"}]}
                 for number in (1, 2)]
    weights = lambda one, two: [("UPSERT", weighted(alias, "one", targets[1], one)), ("UPSERT", weighted(alias, "two", targets[2], two))]
    in_sync(route53, change(route53, identifier, *[("UPSERT", record) for record in addresses], *weights(100, 0)))

    def led(count: int = 200) -> Counter:
        return Counter(str(ask(name_server, alias).answer[-1][0]) for _ in range(count))

    assert set(led()) == {"127.0.0.1"}
    chain = ask(name_server, alias)
    assert [record.rdtype for record in chain.answer] == [dns.rdatatype.CNAME, dns.rdatatype.A] and chain.answer[0].ttl == 2
    shared = change(route53, identifier, *weights(50, 50))
    assert route53.get_change(Id=shared)["ChangeInfo"]["Status"] == "PENDING" and set(led(20)) == {"127.0.0.1"}
    in_sync(route53, shared)
    assert all(60 <= count <= 140 for count in led().values()) and len(led()) == 2
    in_sync(route53, change(route53, identifier, *weights(0, 100)))
    assert set(led()) == {"127.0.0.2"}
    # All of them 0 is not off.
    in_sync(route53, change(route53, identifier, *weights(0, 0)))
    assert set(led()) == {"127.0.0.1", "127.0.0.2"}


def test_what_is_not_there_and_what_is_not_ours(zone, name_server):
    _, name = zone
    missing = ask(name_server, f"nobody.{name}")
    assert missing.rcode() == dns.rcode.NXDOMAIN and missing.authority[0].rdtype == dns.rdatatype.SOA
    assert ask(name_server, "elsewhere.example.net").rcode() == dns.rcode.REFUSED


def test_calls_beyond_the_account_s_budget_are_throttled(route53, zone):
    identifier, _ = zone
    codes = []
    for _ in range(400):
        try:
            route53.get_hosted_zone(Id=identifier)
        except route53.exceptions.ClientError as error:
            codes.append((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]))
            break
    assert codes == [("Throttling", 400)]
