"""Elastic Load Balancing as boto3 sees it: objects, pages, refusals, and the states of targets."""

import re

import pytest

from refusals import refused
from worlds import QUICK, SUBNETS, World, forward, until


class TestLoadBalancers:
    def test_it_is_provisioning_then_active_and_comes_back_as_it_was_given(self, elb, region):
        made = elb.create_load_balancer(Name="front", Subnets=SUBNETS, SecurityGroups=["sg-1"], Scheme="internal",
                                        IpAddressType="ipv4", Tags=[{"Key": "team", "Value": "shop"}])["LoadBalancers"][0]
        assert made["State"]["Code"] == "provisioning"
        assert made["LoadBalancerArn"].startswith(f"arn:aws:elasticloadbalancing:{region}:123456789012:loadbalancer/app/front/")
        assert re.fullmatch(r".*/[0-9a-f]{16}", made["LoadBalancerArn"])
        assert made["DNSName"].startswith("127.")
        elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[made["LoadBalancerArn"]], WaiterConfig=QUICK)
        [described] = elb.describe_load_balancers(Names=["front"])["LoadBalancers"]
        assert described["State"]["Code"] == "active"
        assert {**described, "State": made["State"]} == made
        assert (described["Scheme"], described["Type"], described["SecurityGroups"]) == ("internal", "application", ["sg-1"])
        assert [zone["SubnetId"] for zone in described["AvailabilityZones"]] == SUBNETS
        [tags] = elb.describe_tags(ResourceArns=[made["LoadBalancerArn"]])["TagDescriptions"]
        assert tags["Tags"] == [{"Key": "team", "Value": "shop"}]

    def test_the_same_again_is_no_error_and_another_of_the_name_is(self, elb):
        first = elb.create_load_balancer(Name="front", Subnets=SUBNETS)["LoadBalancers"][0]["LoadBalancerArn"]
        assert elb.create_load_balancer(Name="front", Subnets=SUBNETS)["LoadBalancers"][0]["LoadBalancerArn"] == first
        with refused("DuplicateLoadBalancerName"):
            elb.create_load_balancer(Name="front", Subnets=SUBNETS, Scheme="internal")

    def test_a_network_load_balancer_has_its_own_arns(self, elb):
        made = elb.create_load_balancer(Name="fast", Type="network", Subnets=SUBNETS[:1])["LoadBalancers"][0]
        assert ":loadbalancer/net/fast/" in made["LoadBalancerArn"] and made["Type"] == "network"

    def test_they_are_paged(self, elb):
        made = {elb.create_load_balancer(Name=f"b{number}", Subnets=SUBNETS)["LoadBalancers"][0]["LoadBalancerArn"]
                for number in range(5)}
        pages = list(elb.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 2}))
        assert [len(page["LoadBalancers"]) for page in pages] == [2, 2, 1]
        assert {balancer["LoadBalancerArn"] for page in pages for balancer in page["LoadBalancers"]} == made
        assert "NextMarker" not in pages[-1]

    def test_deletion_and_its_protection(self, elb):
        arn = elb.create_load_balancer(Name="front", Subnets=SUBNETS)["LoadBalancers"][0]["LoadBalancerArn"]
        protection = lambda value: elb.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": value}])
        protection("true")
        attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        assert {"Key": "deletion_protection.enabled", "Value": "true"} in attributes
        with refused("OperationNotPermitted"):
            elb.delete_load_balancer(LoadBalancerArn=arn)
        protection("false")
        elb.delete_load_balancer(LoadBalancerArn=arn)
        elb.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[arn], WaiterConfig=QUICK)
        elb.delete_load_balancer(LoadBalancerArn=arn)

    def test_refusals(self, elb):
        with refused("LoadBalancerNotFound"):
            elb.describe_load_balancers(Names=["none"])
        with refused("LoadBalancerNotFound"):
            elb.describe_load_balancer_attributes(LoadBalancerArn="arn:aws:elasticloadbalancing:x:123456789012:loadbalancer/app/n/1")
        with refused("ValidationError"):
            elb.create_load_balancer(Name="-no-", Subnets=SUBNETS)
        with refused("ValidationError"):
            elb.create_load_balancer(Name="front", Subnets=SUBNETS[:1])
        with refused("ValidationError"):
            elb.describe_load_balancers(PageSize=401)


class TestTargetGroups:
    def test_it_comes_back_as_it_was_given(self, elb, region):
        asked = {"Name": "web", "Protocol": "HTTP", "ProtocolVersion": "HTTP1", "Port": 8080, "VpcId": "vpc-1", "TargetType": "ip",
                 "HealthCheckProtocol": "HTTP", "HealthCheckPort": "9000", "HealthCheckEnabled": True, "HealthCheckPath": "/ready",
                 "HealthCheckIntervalSeconds": 7, "HealthCheckTimeoutSeconds": 4, "HealthyThresholdCount": 3,
                 "UnhealthyThresholdCount": 4, "Matcher": {"HttpCode": "200-299"}, "IpAddressType": "ipv4"}
        made = elb.create_target_group(**asked, Tags=[{"Key": "a", "Value": "1"}])["TargetGroups"][0]
        assert made["TargetGroupName"] == "web"
        assert {name: made[name] for name in asked if name != "Name"} == {name: asked[name] for name in asked if name != "Name"}
        arn = made["TargetGroupArn"]
        assert re.fullmatch(rf"arn:aws:elasticloadbalancing:{region}:123456789012:targetgroup/web/[0-9a-f]{{16}}", arn)
        assert made.get("LoadBalancerArns", []) == []
        assert elb.describe_target_groups(Names=["web"])["TargetGroups"] == [made]
        assert elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"] == [made]
        assert elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"] == arn
        with refused("DuplicateTargetGroupName"):
            elb.create_target_group(**asked | {"Port": 8081})
        changed = elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath="/live")["TargetGroups"][0]
        assert changed == {**made, "HealthCheckPath": "/live"}

    def test_attributes(self, elb):
        arn = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
        read = lambda: {a["Key"]: a["Value"] for a in elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]}
        assert read()["deregistration_delay.timeout_seconds"] == "300"
        assert read()["stickiness.enabled"] == "false"
        change = lambda value: elb.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": value}])
        change("7")
        assert read()["deregistration_delay.timeout_seconds"] == "7"
        with refused("ValidationError"):
            change("3601")
        with refused("TargetGroupNotFound", "One or more target groups not found"):
            elb.describe_target_group_attributes(TargetGroupArn=arn + "0")

    def test_its_load_balancer_is_told_and_it_cannot_be_deleted_in_use(self, world: World, elb):
        [group] = elb.describe_target_groups(TargetGroupArns=world.groups[:1])["TargetGroups"]
        assert group["LoadBalancerArns"] == [world.balancer]
        of_balancer = elb.describe_target_groups(LoadBalancerArn=world.balancer)["TargetGroups"]
        assert {found["TargetGroupArn"] for found in of_balancer} == set(world.groups)
        with refused("ResourceInUse", f"Target group '{world.groups[0]}' is currently in use by a listener or a rule"):
            elb.delete_target_group(TargetGroupArn=world.groups[0])
        spare = world.target_group("spare")
        elb.delete_target_group(TargetGroupArn=spare)
        elb.delete_target_group(TargetGroupArn=spare)
        with refused("TargetGroupNotFound", "One or more target groups not found"):
            elb.describe_target_groups(TargetGroupArns=[spare])

    @pytest.mark.parametrize("wrong", [
        {"HealthCheckIntervalSeconds": 4}, {"HealthCheckIntervalSeconds": 301}, {"HealthCheckTimeoutSeconds": 121},
        {"HealthyThresholdCount": 1}, {"UnhealthyThresholdCount": 11}, {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5},
        {"Name": "-a"}, {"Name": "a_b"},
    ])
    def test_settings_out_of_bounds(self, unchecked_elb, wrong):
        with refused("ValidationError"):
            unchecked_elb.create_target_group(**{"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"} | wrong)

    def test_only_one_filter(self, world: World, elb):
        with refused("ValidationError"):
            elb.describe_target_groups(Names=["target1"], TargetGroupArns=world.groups)


class TestListeners:
    def test_a_forward_to_one_group_bears_both_forms(self, world: World, elb):
        [listener] = elb.describe_listeners(ListenerArns=world.listeners[:1])["Listeners"]
        assert listener["LoadBalancerArn"] == world.balancer
        assert (listener["Port"], listener["Protocol"]) == (8080, "HTTP")
        both = {"Type": "forward", "TargetGroupArn": world.groups[0], "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": world.groups[0], "Weight": 1}], "TargetGroupStickinessConfig": {"Enabled": False}}}
        assert listener["DefaultActions"] == [both]
        # Either form alone, and both together, mean the same.
        for given in (both, forward(world.groups[0]), forward(world.groups[0], weights=[1])):
            changed = elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=[given])["Listeners"][0]
            assert changed["DefaultActions"] == [both]

    def test_a_weighted_forward_has_only_its_configuration(self, world: World, elb):
        action = forward(*world.groups, weights=[0, 999])
        action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 300}
        changed = elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=[action])["Listeners"][0]
        assert changed["DefaultActions"] == [action]
        assert elb.describe_listeners(ListenerArns=world.listeners[:1])["Listeners"] == [changed]

    def test_the_default_rule_is_the_listener_s_default_action(self, world: World, elb):
        [rule] = elb.describe_rules(ListenerArn=world.listeners[0])["Rules"]
        assert (rule["Priority"], rule["IsDefault"], rule["Conditions"]) == ("default", True, [])
        elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=[forward(world.groups[1])])
        [changed] = elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"]
        assert changed["Actions"][0]["TargetGroupArn"] == world.groups[1]
        with refused("OperationNotPermitted"):
            elb.modify_rule(RuleArn=rule["RuleArn"], Actions=[forward(world.groups[0])])
        with refused("OperationNotPermitted"):
            elb.delete_rule(RuleArn=rule["RuleArn"])

    def test_a_change_leaves_what_it_does_not_name(self, world: World, elb):
        elb.modify_listener(ListenerArn=world.listeners[0], Port=8090)
        [listener] = elb.describe_listeners(ListenerArns=world.listeners[:1])["Listeners"]
        assert listener["Port"] == 8090 and listener["DefaultActions"][0]["TargetGroupArn"] == world.groups[0]

    def test_other_actions_come_back_whole(self, world: World, elb, region):
        certificates = [{"CertificateArn": f"arn:aws:acm:{region}:123456789012:certificate/1"}]
        oidc = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {
            "Issuer": "https://id.example", "AuthorizationEndpoint": "https://id.example/a", "TokenEndpoint": "https://id.example/t",
            "UserInfoEndpoint": "https://id.example/u", "ClientId": "shop", "ClientSecret": "hidden",
            "AuthenticationRequestExtraParams": {"display": "page"}, "OnUnauthenticatedRequest": "deny"}}
        fixed = {"Type": "fixed-response", "Order": 2,
                 "FixedResponseConfig": {"StatusCode": "418", "ContentType": "text/plain", "MessageBody": "no coffee"}}
        made = elb.create_listener(LoadBalancerArn=world.balancer, Protocol="HTTPS", Port=8443, SslPolicy="ELBSecurityPolicy-2016-08",
                                   Certificates=certificates,
                                   DefaultActions=[oidc, fixed], AlpnPolicy=["HTTP2Optional"])["Listeners"][0]
        described = dict(oidc["AuthenticateOidcConfig"])
        # A client's secret is never told again.
        del described["ClientSecret"]
        described |= {"Scope": "openid", "SessionCookieName": "AWSELBAuthSessionCookie", "SessionTimeout": 604_800}
        assert made["DefaultActions"] == [{**oidc, "AuthenticateOidcConfig": described}, fixed]
        assert made["SslPolicy"] == "ELBSecurityPolicy-2016-08" and made["AlpnPolicy"] == ["HTTP2Optional"]
        assert made["Certificates"] == certificates
        assert elb.describe_listeners(ListenerArns=[made["ListenerArn"]])["Listeners"] == [made]

    def test_they_are_paged(self, world: World, elb):
        for port in range(9000, 9003):
            world.listener(port, world.groups[0])
        pages = list(elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=world.balancer, PaginationConfig={"PageSize": 2}))
        assert [len(page["Listeners"]) for page in pages] == [2, 2, 1]

    def test_refusals(self, world: World, elb, region):
        create = lambda **more: elb.create_listener(**{
            "LoadBalancerArn": world.balancer, "Protocol": "HTTP", "Port": 9000, "DefaultActions": [forward(world.groups[0])]} | more)
        modify = lambda *actions: elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=list(actions))
        with refused("DuplicateListener", "A listener already exists on this port for this load balancer"):
            create(Port=8080, DefaultActions=[forward(world.groups[1])])
        with refused("DuplicateListener"):
            elb.modify_listener(ListenerArn=world.listeners[0], Port=8081)
        with refused("LoadBalancerNotFound"):
            create(LoadBalancerArn=world.balancer + "0")
        with refused("TargetGroupNotFound", "One or more target groups not found"):
            modify(forward(world.groups[0] + "0"))
        with refused("ListenerNotFound"):
            elb.modify_listener(ListenerArn=world.listeners[0] + "0", DefaultActions=[forward(world.groups[0])])
        with refused("ValidationError", "You must specify either listener ARNs or a load balancer ARN"):
            elb.describe_listeners()
        with refused("ValidationError"):
            modify(forward(*world.groups, weights=[1, 1000]))
        with refused("ValidationError"):
            modify({**forward(*world.groups, weights=[1, 1]), "TargetGroupArn": world.groups[0]})
        with refused("UnsupportedProtocol"):
            create(Protocol="TCP")
        with refused("ValidationError", "A certificate must be specified for HTTPS listeners"):
            create(Protocol="HTTPS", Port=8443)
        tcp = elb.create_target_group(Name="tcp", Protocol="TCP", Port=80, VpcId="vpc-1", TargetType="ip")["TargetGroups"][0]
        with refused("IncompatibleProtocols"):
            modify(forward(tcp["TargetGroupArn"]))
        other = elb.create_load_balancer(Name="other", Subnets=SUBNETS)["LoadBalancers"][0]["LoadBalancerArn"]
        with refused("TargetGroupAssociationLimit",
                     "The following target groups cannot be associated with more than one load balancer"):
            create(LoadBalancerArn=other)
        assert elb.describe_listeners(ListenerArns=world.listeners[:1])["Listeners"][0]["DefaultActions"][0]["TargetGroupArn"] == world.groups[0]


class TestRules:
    PATH = {"Field": "path-pattern", "Values": ["/api/*"]}

    def create(self, world: World, priority: int, conditions=None, group: str | None = None) -> dict:
        made = world.elb.create_rule(ListenerArn=world.listeners[0], Priority=priority, Conditions=conditions or [self.PATH],
                                     Actions=[forward(group or world.groups[1])])
        return made["Rules"][0]

    def test_they_are_listed_by_priority_and_the_default_comes_last(self, world: World, elb):
        for priority in (30, 4, 200):
            self.create(world, priority)
        rules = elb.describe_rules(ListenerArn=world.listeners[0])["Rules"]
        assert [rule["Priority"] for rule in rules] == ["4", "30", "200", "default"]
        pages = list(elb.get_paginator("describe_rules").paginate(ListenerArn=world.listeners[0], PaginationConfig={"PageSize": 3}))
        assert [len(page["Rules"]) for page in pages] == [3, 1]

    def test_each_kind_of_condition_comes_back_as_it_was_given(self, world: World, elb):
        conditions = [
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*", "/b"]}},
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["yes"]}},
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}, {"Value": "any"}]}},
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}},
        ]
        made = self.create(world, 5, conditions)
        for given, back in zip(conditions, made["Conditions"], strict=True):
            assert given.items() <= back.items()
        [rule] = elb.describe_rules(RuleArns=[made["RuleArn"]])["Rules"]
        assert rule == made

    def test_changes(self, world: World, elb):
        rule = self.create(world, 5)
        changed = elb.modify_rule(RuleArn=rule["RuleArn"], Actions=[forward(world.groups[0])])["Rules"][0]
        assert changed["Actions"][0]["TargetGroupArn"] == world.groups[0]
        assert changed["Conditions"] == rule["Conditions"], "conditions that were left out stay"
        other = self.create(world, 6)
        swapped = elb.set_rule_priorities(RulePriorities=[
            {"RuleArn": rule["RuleArn"], "Priority": 6}, {"RuleArn": other["RuleArn"], "Priority": 5}])["Rules"]
        assert {r["RuleArn"]: r["Priority"] for r in swapped} == {rule["RuleArn"]: "6", other["RuleArn"]: "5"}
        elb.delete_rule(RuleArn=rule["RuleArn"])
        with refused("RuleNotFound"):
            elb.describe_rules(RuleArns=[rule["RuleArn"]])

    def test_refusals(self, world: World, elb):
        rule = self.create(world, 5)
        with refused("PriorityInUse", "Priority '5' is currently in use"):
            self.create(world, 5)
        other = self.create(world, 6)
        with refused("PriorityInUse"):
            elb.set_rule_priorities(RulePriorities=[{"RuleArn": rule["RuleArn"], "Priority": 6}])
        assert other["Priority"] == "6"
        with refused("ListenerNotFound"):
            elb.describe_rules(ListenerArn=world.listeners[0] + "0")
        with refused("TargetGroupNotFound", "One or more target groups not found"):
            self.create(world, 7, group=world.groups[0] + "0")
        with refused("RuleNotFound"):
            elb.modify_rule(RuleArn=rule["RuleArn"] + "0", Actions=[forward(world.groups[0])])

    def test_a_rule_associates_its_target_group(self, world: World, elb):
        group = world.target_group("of-a-rule")
        rule = self.create(world, 5, group=group)
        assert elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"] == [world.balancer]
        elb.delete_rule(RuleArn=rule["RuleArn"])
        assert elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0].get("LoadBalancerArns", []) == []


class TestTags:
    def test_they_are_set_read_and_removed_on_everything(self, world: World, elb):
        rule = elb.create_rule(ListenerArn=world.listeners[0], Priority=1, Conditions=[TestRules.PATH],
                               Actions=[forward(world.groups[0])])["Rules"][0]["RuleArn"]
        arns = [world.balancer, world.listeners[0], world.groups[0], rule]
        elb.add_tags(ResourceArns=arns, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "<&>"}])
        elb.remove_tags(ResourceArns=arns, TagKeys=["a"])
        described = elb.describe_tags(ResourceArns=arns)["TagDescriptions"]
        assert {d["ResourceArn"]: d["Tags"] for d in described} == {arn: [{"Key": "b", "Value": "<&>"}] for arn in arns}

    def test_refusals(self, world: World, elb):
        with refused("ValidationError"):
            elb.describe_tags(ResourceArns=world.groups * 11)
        with refused("TargetGroupNotFound"):
            elb.describe_tags(ResourceArns=[world.groups[0] + "0"])
        with refused("TooManyTags"):
            elb.add_tags(ResourceArns=world.groups[:1], Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)])
        with refused("DuplicateTagKeys"):
            elb.add_tags(ResourceArns=world.groups[:1], Tags=[{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}])

    def test_a_deleted_thing_leaves_no_tags_behind(self, world: World, elb):
        before = world.sandbox("state")
        spare = world.target_group("spare")
        elb.add_tags(ResourceArns=[spare], Tags=[{"Key": "a", "Value": "1"}])
        assert world.sandbox("state") != before
        elb.delete_target_group(TargetGroupArn=spare)
        assert world.sandbox("state") == before


class TestTargets:
    def test_the_states_of_a_target(self, world: World, elb):
        group = world.target_group("fresh")
        world.service("web", world.definition(), world.groups[0], desired=1)
        world.steady("web")
        address = next(iter(world.health(world.groups[0])))
        target = [{"Id": address, "Port": 8080}]
        elb.register_targets(TargetGroupArn=group, Targets=target)
        # No listener leads there: it is not even checked.
        assert world.health(group) == {address: ("unused", "Target.NotInUse")}
        elb.modify_listener(ListenerArn=world.listeners[1], DefaultActions=[forward(group)])
        seen = []

        def note(last: str) -> bool:
            state = world.health(group).get(address, ("gone", None))
            if state not in seen:
                seen.append(state)
            return state[0] == last

        until("a healthy target", lambda: note("healthy"))
        # A busy machine may pass over the first states; that they come first, a target that answers to nobody shows below.
        assert set(seen[:-1]) <= {("initial", "Elb.RegistrationInProgress"), ("initial", "Elb.InitialHealthChecking")}
        elb.get_waiter("target_in_service").wait(TargetGroupArn=group, Targets=target, WaiterConfig=QUICK)
        elb.deregister_targets(TargetGroupArn=group, Targets=target)
        assert world.health(group) == {address: ("draining", "Target.DeregistrationInProgress")}
        elb.get_waiter("target_deregistered").wait(TargetGroupArn=group, Targets=target, WaiterConfig=QUICK)
        [unknown] = elb.describe_target_health(TargetGroupArn=group, Targets=target)["TargetHealthDescriptions"]
        assert unknown["TargetHealth"]["Reason"] == "Target.NotRegistered"

    def test_a_target_that_answers_to_nobody_is_initial_and_then_unhealthy(self, world: World, elb):
        # Two checks, a minute apart: three real seconds in which it is nothing else.
        group = world.target_group("silent", HealthCheckIntervalSeconds=60)
        elb.modify_listener(ListenerArn=world.listeners[1], DefaultActions=[forward(group)])
        address = world.address.rsplit(".", 1)[0] + ".254"
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": 8080}])
        assert world.health(group)[address][0] == "initial"
        until("an unhealthy target", lambda: world.health(group)[address][0] == "unhealthy")

    def test_a_target_where_nothing_listens_is_unhealthy(self, world: World, elb):
        elb.register_targets(TargetGroupArn=world.groups[0], Targets=[{"Id": "127.0.0.1", "Port": 1}])
        until("unhealthy", lambda: world.health(world.groups[0]) == {"127.0.0.1": ("unhealthy", "Target.FailedHealthChecks")})

    def test_refusals(self, world: World, elb):
        with refused("TargetGroupNotFound"):
            elb.register_targets(TargetGroupArn=world.groups[0] + "0", Targets=[{"Id": "127.0.0.1"}])
        with refused("TargetGroupNotFound"):
            elb.describe_target_health(TargetGroupArn=world.groups[0] + "0")
        with refused("ValidationError"):
            elb.register_targets(TargetGroupArn=world.groups[0], Targets=[{"Id": "8.8.8.8"}])
        with refused("InvalidTarget"):
            elb.register_targets(TargetGroupArn=world.groups[0], Targets=[{"Id": "i-0123456789abcdef0"}])
        elb.deregister_targets(TargetGroupArn=world.groups[0], Targets=[{"Id": "127.0.0.9", "Port": 5}])


def test_calls_beyond_the_budget_are_throttled_as_aws_does_it(elb):
    with refused("Throttling", "Rate exceeded"):
        for _ in range(2_000):
            elb.describe_load_balancers()
