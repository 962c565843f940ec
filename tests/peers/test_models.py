"""Replies held against AWS's own models. Every test of this folder does that with every reply it gets; here it is shown that the check
bites, that the documented errors take their modelled form, and that each operation the simulator knows has been looked at."""

import pytest
from botocore.session import get_session

from reply_models import check
from worlds import NETWORK, World, forward, until

HEADERS = {"x-amzn-RequestId": "r", "Date": "d"}
JSON, XML = {**HEADERS, "Content-Type": "application/x-amz-json-1.1"}, {**HEADERS, "Content-Type": "text/xml"}


def operation(service: str, name: str):
    return get_session().get_service_model(service).operation_model(name)


def of(service: str, name: str, body: str, status: int = 200, headers: dict | None = None) -> list[str]:
    if headers is None:
        headers = JSON if service == "ecs" else XML
    return check(operation(service, name), {"headers": headers, "status_code": status, "body": body.encode()})


class TestTheCheckBites:
    @pytest.mark.parametrize(("body", "told"), [
        ('{"services": [{"desiredCount": "2"}]}', "'2' is no integer"),
        ('{"services": [{"desiredCount": true}]}', "True is no integer"),
        ('{"services": [{"createdAt": "2026-01-01T00:00:00Z"}]}', "is no timestamp"),
        ('{"services": [{"launchType": "MOON"}]}', "'MOON' is none of"),
        ('{"services": [{"colour": 1}]}', "colour is unknown"),
        ('{"services": {}}', "dict, not a list"),
        ('{"services": [{"loadBalancers": [1]}]}', "int, not a structure"),
    ])
    def test_in_json(self, body, told):
        [fault] = of("ecs", "DescribeServices", body)
        assert told in fault

    @pytest.mark.parametrize(("inner", "told"), [
        ("<TargetGroups><member><Port>x</Port></member></TargetGroups>", "'x' is no integer"),
        ("<TargetGroups><item/></TargetGroups>", "item, not member"),
        ("<TargetGroups><member><TargetType>moon</TargetType></member></TargetGroups>", "'moon' is none of"),
        ("<TargetGroups><member><Colour/></member></TargetGroups>", "Colour is unknown"),
    ])
    def test_in_xml(self, inner, told):
        envelope = (f"<DescribeTargetGroupsResponse><DescribeTargetGroupsResult>{inner}</DescribeTargetGroupsResult>"
                    "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeTargetGroupsResponse>")
        [fault] = of("elbv2", "DescribeTargetGroups", envelope)
        assert told in fault

    def test_in_envelopes_headers_and_errors(self):
        assert of("elbv2", "AddTags", "<AddTagsResponse/>") == ["no ResponseMetadata/RequestId", "no AddTagsResult below the root"]
        assert of("ecs", "ListClusters", "{}", headers={}) == [
            "no x-amzn-requestid header", "no date header", "content-type None, not application/x-amz-json-1.1"]
        assert of("ecs", "ListClusters", '{"__type": "NoSuchError", "message": "m"}', 400) == ["the operation has no error NoSuchError"]
        assert of("ecs", "ListClusters", '{"__type": "ServerException", "message": "m"}', 400) == \
            ["ServerException with status 400, not 500"]
        right = '{"__type": "ClusterNotFoundException", "message": "Cluster not found."}'
        assert of("ecs", "DescribeServices", right, 400) == []


def test_every_operation_of_a_deployer_s_day_answers_as_modelled(world: World, sts, checks):
    """Drives each operation at least once with full answers; the `checks` fixture judges all of them."""
    ecs, elb, cluster, groups = world.ecs, world.elb, world.cluster, world.groups
    tags = [{"key": "a", "value": "1"}]
    definition = world.definition(volumes=[{"name": "v"}], tags=tags)
    world.service("web", definition, groups[0], desired=1, tags=tags, enableExecuteCommand=True, propagateTags="SERVICE")
    service = world.steady("web")
    ecs.describe_clusters(clusters=[cluster, "none"], include=["TAGS", "STATISTICS", "SETTINGS"])
    ecs.list_clusters()
    ecs.describe_task_definition(taskDefinition=definition, include=["TAGS"])
    ecs.list_task_definitions()
    ecs.list_task_definition_families()
    ecs.list_services(cluster=cluster)
    [task] = ecs.list_tasks(cluster=cluster, serviceName="web")["taskArns"]
    ecs.describe_tasks(cluster=cluster, tasks=[task], include=["TAGS"])
    ecs.tag_resource(resourceArn=service["serviceArn"], tags=tags)
    ecs.list_tags_for_resource(resourceArn=service["serviceArn"])
    ecs.untag_resource(resourceArn=service["serviceArn"], tagKeys=["a"])
    [deployment] = ecs.list_service_deployments(cluster=cluster, service="web")["serviceDeployments"]
    ecs.describe_service_deployments(serviceDeploymentArns=[deployment["serviceDeploymentArn"]])
    alone = ecs.run_task(cluster=cluster, taskDefinition=definition, networkConfiguration=NETWORK, launchType="FARGATE")["tasks"][0]
    ecs.stop_task(cluster=cluster, task=alone["taskArn"], reason="done")
    ecs.deregister_task_definition(taskDefinition=world.definition())

    elb.describe_load_balancers()
    elb.describe_load_balancer_attributes(LoadBalancerArn=world.balancer)
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=world.balancer, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "30"}])
    elb.describe_listeners(LoadBalancerArn=world.balancer)
    elb.modify_listener(ListenerArn=world.listeners[1], DefaultActions=[forward(*groups, weights=[1, 1])])
    condition = [{"Field": "path-pattern", "Values": ["/a"]}]
    rule = elb.create_rule(ListenerArn=world.listeners[0], Priority=1, Conditions=condition, Actions=[forward(groups[0])],
                           Tags=[{"Key": "a", "Value": "1"}])["Rules"][0]["RuleArn"]
    elb.describe_rules(ListenerArn=world.listeners[0])
    elb.modify_rule(RuleArn=rule, Actions=[forward(groups[1])])
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": rule, "Priority": 9}])
    elb.describe_target_groups()
    elb.modify_target_group(TargetGroupArn=groups[0], HealthCheckPath="/")
    elb.describe_target_group_attributes(TargetGroupArn=groups[0])
    elb.describe_target_health(TargetGroupArn=groups[0])
    target = [{"Id": "127.0.0.1", "Port": 9}]
    elb.register_targets(TargetGroupArn=groups[1], Targets=target)
    elb.describe_target_health(TargetGroupArn=groups[1])
    elb.deregister_targets(TargetGroupArn=groups[1], Targets=target)
    elb.add_tags(ResourceArns=groups, Tags=[{"Key": "a", "Value": "1"}])
    elb.describe_tags(ResourceArns=[*groups, rule, world.balancer])
    elb.remove_tags(ResourceArns=groups, TagKeys=["a"])
    elb.delete_rule(RuleArn=rule)

    sts.get_caller_identity()
    sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/deployer", RoleSessionName="session")

    ecs.update_service(cluster=cluster, service="web", desiredCount=0)
    until("no task", lambda: not world.tasks("web"))
    ecs.delete_service(cluster=cluster, service="web")
    until("an inactive service", lambda: world.described("web")["status"] == "INACTIVE")
    for listener in world.listeners:
        elb.delete_listener(ListenerArn=listener)
    elb.delete_load_balancer(LoadBalancerArn=world.balancer)
    until("the tasks' targets are gone", lambda: not world.health(groups[0]))
    for group in groups:
        elb.delete_target_group(TargetGroupArn=group)
    until("the tasks are gone", lambda: ecs.describe_clusters(clusters=[cluster])["clusters"][0]["runningTasksCount"] == 0)
    ecs.delete_cluster(cluster=cluster)

    assert len(checks.operations) == 23 + 26 + 2, sorted(checks.operations)
