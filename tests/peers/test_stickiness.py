"""Clients that stay: with a target group by AWSALBTG, with a target by AWSALB; and rules told by several conditions, in order."""

import http.client
import http.cookies
import json
import ssl
import time
import urllib.request

import pytest

from refusals import refused
from worlds import World, forward, until


@pytest.fixture
def both(world: World) -> World:
    """Versions 1 and 2, both behind the production listener by halves."""
    # A group is behind one load balancer, by any number of listeners and rules.
    for number, group in enumerate(world.groups, start=1):
        world.service(f"web__{number}", world.definition(tag=str(number)), group)
    for number, port in ((1, 8080), (2, 8081)):
        world.steady(f"web__{number}")
        until(f"version {number}", lambda port=port, number=number: world.version(port) == str(number))
    return world


def sticky(world: World, weights: list[int], seconds: int) -> None:
    action = forward(*world.groups, weights=weights)
    action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": seconds}
    [listener] = world.elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=[action])["Listeners"]
    assert listener["DefaultActions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": seconds}


def cookies(headers_of) -> dict[str, http.cookies.Morsel]:
    jar = http.cookies.SimpleCookie()
    for line in headers_of.get_all("set-cookie") or []:
        jar.load(line)
    return dict(jar)


def ask(world: World, **given: str):
    """Version, task and set cookies of an answer to a client with these cookies."""
    connection = http.client.HTTPConnection(world.address, 8080, timeout=10)
    connection.request("GET", "/", headers={"Cookie": "; ".join(f"{name}={value}" for name, value in given.items())} if given else {})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.headers.get("x-version"), reply.headers.get("x-task"), cookies(reply.headers)


def test_a_client_stays_with_its_group_whatever_becomes_of_the_weights(both: World):
    sticky(both, [100, 0], 1_000)
    first = until("a cookie", lambda: (lambda got: got if "AWSALBTG" in got[2] else None)(ask(both)))
    assert first[0] == "1" and set(first[2]) == {"AWSALBTG", "AWSALBTGCORS"}
    cookie = first[2]["AWSALBTG"]
    assert cookie["path"] == "/" and cookie["expires"].endswith("GMT") and first[2]["AWSALBTGCORS"]["samesite"] == "None"
    sticky(both, [0, 100], 1_000)
    until("new clients at version 2", lambda: ask(both)[0] == "2")
    assert {ask(both, AWSALBTG=cookie.value)[0] for _ in range(12)} == {"1"}
    assert {ask(both, AWSALBTG="nonsense")[0] for _ in range(4)} == {"2"}
    # A forward to one group is not asked for a cookie: a swap that is to be whole ends it.
    both.elb.modify_listener(ListenerArn=both.listeners[0], DefaultActions=[forward(both.groups[1])])
    until("old clients at version 2", lambda: ask(both, AWSALBTG=cookie.value)[0] == "2")
    assert ask(both)[2] == {}


def test_a_cookie_ends_on_aws_s_clock(both: World):
    sticky(both, [100, 0], 20)
    first = until("a cookie", lambda: (lambda got: got if got[2] else None)(ask(both)))
    sticky(both, [0, 100], 20)
    until("new clients at version 2", lambda: ask(both)[0] == "2")
    # A second of the clock's twenty.
    time.sleep(1.1)
    assert ask(both, AWSALBTG=first[2]["AWSALBTG"].value)[0] == "2"


def test_a_client_stays_with_its_target_as_long_as_it_is_healthy(both: World):
    group = both.groups[0]
    both.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[
        {"Key": "stickiness.enabled", "Value": "true"}, {"Key": "stickiness.type", "Value": "lb_cookie"}])
    version, task, got = until("a cookie", lambda: (lambda got: got if "AWSALB" in got[2] else None)(ask(both)))
    assert version == "1" and set(got) == {"AWSALB", "AWSALBCORS"}
    assert {ask(both, AWSALB=got["AWSALB"].value)[1] for _ in range(8)} == {task}
    assert len({ask(both)[1] for _ in range(8)}) == 2, "a client without the cookie goes round"
    arn = next(each["taskArn"] for each in both.tasks("web__1") if each["taskArn"].endswith(task))
    both.ecs.stop_task(cluster=both.cluster, task=arn)
    other = until("another target", lambda: (lambda got: got if got[1] not in (task, None) else None)(ask(both, AWSALB=got["AWSALB"].value)))
    assert other[0] == "1" and other[2]["AWSALB"].value != got["AWSALB"].value


def test_all_conditions_of_a_rule_must_hold_and_the_lowest_priority_number_wins(both: World):
    elb, listener = both.elb, both.listeners[0]
    fixed = lambda text: [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": text}}]
    path = {"Field": "path-pattern", "Values": ["/a*", "/b"]}
    narrow = elb.create_rule(ListenerArn=listener, Priority=20, Actions=fixed("narrow"), Conditions=[
        path, {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "yes"}]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "HEAD"]}}])["Rules"][0]["RuleArn"]
    wide = elb.create_rule(ListenerArn=listener, Priority=30, Actions=fixed("wide"), Conditions=[path])["Rules"][0]["RuleArn"]
    body = lambda where, method="GET": both.get(8080, where, method)[2]
    until("both rules", lambda: body("/a?v=2&x=yes") == "narrow" and body("/a") == "wide")
    for where in ("/b?v=2", "/a?x=yes", "/a?v=3&x=yes"):
        assert body(where) == "wide", where
    assert body("/a?v=2&x=yes", "POST") == "wide"
    assert both.get(8080, "/bb")[1]["x-version"] == "1"
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": narrow, "Priority": 40}])
    until("the other order", lambda: body("/a?v=2&x=yes") == "wide")
    elb.delete_rule(RuleArn=wide)
    until("what is left", lambda: body("/a?v=2&x=yes") == "narrow" and both.get(8080, "/a")[1].get("x-version") == "1")


def test_authentication_is_told_whole_and_passes(both: World, region: str):
    oidc = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {
        "Issuer": "https://id.example", "AuthorizationEndpoint": "https://id.example/a", "TokenEndpoint": "https://id.example/t",
        "UserInfoEndpoint": "https://id.example/u", "ClientId": "shop", "ClientSecret": "hidden", "SessionTimeout": 300,
        "AuthenticationRequestExtraParams": {"display": "page"}, "OnUnauthenticatedRequest": "deny", "Scope": "openid email",
        "SessionCookieName": "shop"}}
    actions = [oidc, forward(both.groups[1]) | {"Order": 2}]
    named = [{"CertificateArn": f"arn:aws:acm:{region}:123456789012:certificate/1"}]
    listener = both.elb.create_listener(LoadBalancerArn=both.balancer, Protocol="HTTPS", Port=8443, Certificates=named,
                                        DefaultActions=[forward(both.groups[0])])["Listeners"][0]["ListenerArn"]
    given = {"Priority": 1, "Conditions": [{"Field": "path-pattern", "Values": ["/in"]}], "Actions": actions}
    rule = both.elb.create_rule(ListenerArn=listener, **given)["Rules"][0]
    [told] = both.elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"]
    # A client's secret is never told again.
    expected = {name: value for name, value in oidc["AuthenticateOidcConfig"].items() if name != "ClientSecret"}
    assert told["Actions"][0] == {**oidc, "AuthenticateOidcConfig": expected}
    with refused("ValidationError", "supported only on HTTPS listeners"):
        both.elb.create_rule(ListenerArn=both.listeners[0], **given)
    plain = both.elb.create_rule(ListenerArn=both.listeners[0], **given | {"Actions": actions[1:]})["Rules"][0]["RuleArn"]
    with refused("ValidationError", "supported only on HTTPS listeners"):
        both.elb.modify_rule(RuleArn=plain, Actions=actions)
    with urllib.request.urlopen(f"{both.simulator.endpoint}/_sandbox/ca", timeout=10) as reply:
        context = ssl.create_default_context(cadata=reply.read().decode())

    def version(path):
        try:
            with urllib.request.urlopen(f"https://{both.address}:8443{path}", timeout=10, context=context) as reply:
                return json.loads(reply.read())["version"]
        except OSError:
            return None
    until("both versions", lambda: (version("/in"), version("/out")) == ("2", "1"))


def test_what_is_refused(world: World):
    def rule(*conditions, **more):
        world.elb.create_rule(**{"ListenerArn": world.listeners[0], "Priority": 1, "Conditions": list(conditions),
                                 "Actions": [forward(world.groups[0])]} | more)
    path = {"Field": "path-pattern", "Values": ["/x"]}
    for conditions in ([path, path], [{"Field": "colour", "Values": ["red"]}], [{"Field": "path-pattern", "Values": []}],
                       [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1"]}}],
                       [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}}],
                       [{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "Host", "Values": ["x"]}}]):
        with refused("ValidationError"):
            rule(*conditions)
    with refused("ValidationError", "between 1 and 604800"):
        sticky(world, [1, 1], 604_801)
