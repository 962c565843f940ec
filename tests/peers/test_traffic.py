"""The data plane: requests through real listeners to real tasks, while listeners and targets change."""

import json
import threading
import time

import pytest

from worlds import NETWORK, World, forward, until


@pytest.fixture
def blue_green(world: World) -> World:
    """Version 1 behind production, version 2 behind stage."""
    for number, group in enumerate(world.groups, start=1):
        world.service(f"web__{number}", world.definition(tag=str(number)), group)
    for number, port in ((1, 8080), (2, 8081)):
        world.steady(f"web__{number}")
        until(f"version {number}", lambda port=port, number=number: world.version(port) == str(number))
    return world


def swap(world: World) -> None:
    for listener, group in zip(world.listeners, reversed(world.groups)):
        world.elb.modify_listener(ListenerArn=listener, DefaultActions=[forward(group)])


def test_tasks_answer_with_who_they_are(blue_green: World):
    status, headers, body = blue_green.get(8080, "/anything", X_Forwarded_For="10.1.2.3")
    told = json.loads(body)
    assert status == 200 and headers["content-type"] == "application/json"
    tasks = {task["taskArn"].rsplit("/")[-1] for task in blue_green.tasks("web__1")}
    assert told["task"] in tasks and headers["x-task"] == told["task"]
    assert (told["service"], told["version"], told["container"], told["family"]) == ("web__1", "1", "web", "todolist")
    assert (headers["x-version"], str(told["revision"])) == ("1", "1")
    assert blue_green.get(8080, "/healthz")[0] == 200


def test_requests_go_round_all_healthy_targets(blue_green: World):
    seen = {blue_green.get(8080)[1]["x-task"] for _ in range(8)}
    assert seen == {task["taskArn"].rsplit("/")[-1] for task in blue_green.tasks("web__1")}
    counts = blue_green.sandbox("traffic")
    assert counts[blue_green.groups[0]]["1"] >= 8 and "2" not in counts[blue_green.groups[0]]


def test_a_swap_under_load_fails_no_request(blue_green: World):
    answers, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            status, headers, _ = blue_green.get(8080)
            answers.append((status, headers.get("x-version")))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        until("some answers", lambda: len(answers) > 20)
        swap(blue_green)
        until("version 2 in production", lambda: answers[-8:] == [(200, "2")] * 8)
        # Each listener learns of its change in its own time.
        until("version 1 on stage", lambda: blue_green.version(8081) == "1")
        # The old service goes to nothing while requests go on.
        blue_green.ecs.update_service(cluster=blue_green.cluster, service="web__1", desiredCount=0)
        until("no task of version 1", lambda: not blue_green.tasks("web__1") and blue_green.described("web__1")["runningCount"] == 0)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {status for status, _ in answers} == {200}
    assert {version for _, version in answers} == {"1", "2"}


def test_a_request_in_flight_to_a_draining_target_finishes(blue_green: World):
    group = blue_green.groups[0]
    blue_green.elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "60"}])
    answers = []
    # 2 s of the 3 s that draining takes at this clock, so that the answer comes well after the scaling.
    slow = threading.Thread(target=lambda: answers.append(blue_green.get(8080, "/?delay_ms=2000")))
    before = time.monotonic()
    slow.start()
    time.sleep(0.2)
    blue_green.ecs.update_service(cluster=blue_green.cluster, service="web__1", desiredCount=0)
    until("draining", lambda: {state for state, _ in blue_green.health(group).values()} == {"draining"})
    slow.join()
    assert time.monotonic() - before >= 2.0
    [(status, headers, _)] = answers
    assert (status, headers["x-version"]) == (200, "1")
    # Draining is shown for the whole delay, though the target has long finished.
    until("an empty group", lambda: not blue_green.health(group))
    assert time.monotonic() - before >= 60.0 / 20.0
    until("no new requests", lambda: blue_green.get(8080)[0] == 503)


def test_a_change_reaches_the_proxies_a_while_later(blue_green: World):
    swap(blue_green)
    # AWS's second is a twentieth of one here; the very next request is sooner.
    assert blue_green.version(8080) == "1"
    until("the change", lambda: blue_green.version(8080) == "2")


def test_rules_choose_by_every_kind_of_condition(blue_green: World):
    world, target = blue_green, blue_green.groups[1]
    cases = [
        ({"Field": "path-pattern", "Values": ["/v2/*"]}, ("/v2/x", {}), ("/v1/x", {})),
        ({"Field": "host-header", "Values": ["*.example.com"]}, ("/", {"Host": "a.Example.com"}), ("/", {"Host": "example.org"})),
        ({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["y*"]}},
         ("/", {"X_Canary": "yes"}), ("/", {"X_Canary": "no"})),
        ({"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}}, ("/?v=2", {}), ("/?v=1", {})),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}}, ("/", {}), None),
    ]
    for number, (condition, fits, fits_not) in enumerate(cases, start=1):
        rule = world.elb.create_rule(ListenerArn=world.listeners[0], Priority=number, Conditions=[condition],
                                     Actions=[forward(target)])["Rules"][0]["RuleArn"]
        until(f"the rule for {condition['Field']}", lambda fits=fits: world.get(8080, fits[0], **fits[1])[1].get("x-version") == "2")
        if fits_not:
            assert world.get(8080, fits_not[0], **fits_not[1])[1]["x-version"] == "1", condition
        world.elb.delete_rule(RuleArn=rule)
        until("the rule is gone", lambda fits=fits: world.get(8080, fits[0], **fits[1])[1].get("x-version") == "1")
    world.elb.create_rule(ListenerArn=world.listeners[0], Priority=1, Actions=[forward(target)],
                          Conditions=[{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["DELETE"]}}])
    until("the rule for methods", lambda: world.get(8080, method="DELETE")[1].get("x-version") == "2")
    assert world.version(8080) == "1"


def test_fixed_responses_and_redirects(world: World):
    rule = lambda priority, path, action: world.elb.create_rule(
        ListenerArn=world.listeners[0], Priority=priority, Conditions=[{"Field": "path-pattern", "Values": [path]}], Actions=[action])
    rule(1, "/teapot", {"Type": "fixed-response", "FixedResponseConfig": {
        "StatusCode": "418", "ContentType": "text/plain", "MessageBody": "short and stout"}})
    rule(2, "/old/*", {"Type": "redirect", "RedirectConfig": {
        "Protocol": "HTTPS", "Port": "443", "Host": "new.example.com", "Path": "/new/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"}})
    status, headers, body = until("the teapot", lambda: (lambda reply: reply if reply[0] == 418 else None)(world.get(8080, "/teapot")))
    assert (headers["content-type"], body) == ("text/plain", "short and stout")
    status, headers, _ = until("the redirect", lambda: (lambda reply: reply if reply[0] == 301 else None)(world.get(8080, "/old/a?b=c")))
    assert headers["location"] == "https://new.example.com:443/new/old/a?b=c"


def test_weights_share_the_requests(blue_green: World):
    world = blue_green
    world.elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=[forward(*world.groups, weights=[0, 1])])
    until("all to version 2", lambda: {world.version(8080) for _ in range(12)} == {"2"})
    world.elb.modify_listener(ListenerArn=world.listeners[0], DefaultActions=[forward(*world.groups, weights=[50, 50])])
    until("both versions", lambda: {world.version(8080) for _ in range(12)} == {"1", "2"})
    sample = [world.version(8080) for _ in range(200)]
    # 200 draws of one half: outside of this by chance less than once in a hundred thousand runs.
    assert 65 <= sample.count("2") <= 135


def test_no_target_is_503_a_silent_one_502_and_all_unhealthy_ones_get_requests(world: World):
    assert until("a listener", lambda: world.get(8080)[0]) == 503
    world.elb.register_targets(TargetGroupArn=world.groups[0], Targets=[{"Id": "127.0.0.1", "Port": 1}])
    until("bad gateway", lambda: world.get(8080)[0] == 502)
    # Fail open: all targets of the group are unhealthy, so all of them get requests.
    definition = world.definition(environment={"SANDBOX_HEALTH": "fail"})
    world.service("sick", definition, world.groups[1], desired=1, healthCheckGracePeriodSeconds=3_000)
    until("an unhealthy target", lambda: {state for state, _ in world.health(world.groups[1]).values()} == {"unhealthy"})
    until("an answer all the same", lambda: world.version(8081) == "1")


def test_a_slow_start_is_slow(world: World, ecs):
    definition = world.definition(environment={"SANDBOX_START_SECONDS": "40"})
    before = time.monotonic()
    arn = ecs.run_task(cluster=world.cluster, taskDefinition=definition, networkConfiguration=NETWORK)["tasks"][0]["taskArn"]
    until("the task runs", lambda: ecs.describe_tasks(cluster=world.cluster, tasks=[arn])["tasks"][0]["lastStatus"] == "RUNNING")
    assert time.monotonic() - before >= 40 * 0.8 / 20.0


def test_a_deleted_listener_closes_its_port(blue_green: World):
    blue_green.elb.delete_listener(ListenerArn=blue_green.listeners[0])

    def closed() -> bool:
        try:
            return blue_green.get(8080) is None
        except OSError:
            return True

    until("a closed port", closed)
