"""`segue-sandbox faults`: the command as a person types it, and what then befalls an unmodified client."""

import json
import os
import subprocess
from types import SimpleNamespace

import pytest

from conftest import binary
from refusals import refused
from worlds import World


@pytest.fixture
def faults(world: World):
    """Runs `segue-sandbox faults ...` against the simulator; the rules are gone after the test."""
    def run(*arguments: str, text: str | None = None, endpoint: str | None = world.simulator.endpoint) -> SimpleNamespace:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        if endpoint:
            environment["AWS_ENDPOINT_URL"] = endpoint
        done = subprocess.run([binary(), "faults", *arguments], env=environment, capture_output=True, text=True, input=text, timeout=30,
                              check=False)
        return SimpleNamespace(status=done.returncode, out=done.stdout, err=done.stderr)

    yield run
    world.sandbox("faults", "DELETE")


def test_a_rule_is_added_listed_fires_and_is_cleared(world: World, faults):
    assert faults("list").out == "No rules: nothing goes wrong by itself.\n"
    added = faults("add", "--operation", "ecs:CreateCluster", "--kind", "throttle", "--after", "1", "--times", "2")
    assert (added.status, added.out) == (0, "Added: ecs:CreateCluster: throttle, after 1 call, 2 times\n"), added.err
    world.ecs.create_cluster(clusterName="one")
    for _ in range(2):
        with refused("ThrottlingException"):
            world.ecs.create_cluster(clusterName="two")
    world.ecs.create_cluster(clusterName="two")
    assert faults("list").out == "ecs:CreateCluster: throttle, 2 times; has befallen 2 calls\n"
    assert json.loads(faults("list", "--json").out)[0]["fired"] == 2
    assert faults("clear").status == 0
    assert world.sandbox("faults") == {"faults": []}


def test_a_refusal_of_one_s_own(world: World, faults):
    done = faults("add", "--operation", "elbv2:DescribeRules", "--kind", "refuse", "--code", "AccessDenied", "--message", "not you",
                  "--status", "403", "--times", "1")
    assert done.status == 0, done.err
    with refused("AccessDenied", "not you"):
        world.elb.describe_rules(ListenerArn=world.listeners[0])


def test_slips_are_told_all_at_once(world: World, faults):
    done = faults("add", "--operation", "ecs:CreateServise", "--kind", "slow", "--times", "0")
    assert done.status == 1 and done.out == ""
    assert 'ecs has no operation "CreateServise" here; did you mean ecs:CreateService?' in done.err
    assert "--delay-ms: is missing" in done.err and "--times: has to be" in done.err
    unknown = faults("add", "--operation", "*", "--kind", "throttel")
    assert unknown.status == 2 and "throttle" in unknown.err
    assert world.sandbox("faults") == {"faults": []}


DAY = """\
# What a bad afternoon looks like.
- operation: ecs:CreateCluster
  fault: {kind: refuse, code: AccessDeniedException}
  times: 1
- operation: sts:*
  fault: {kind: slow, delayMs: 10}
"""


def test_a_file_is_applied_whole(world: World, faults, tmp_path):
    file = tmp_path / "day.yaml"
    file.write_text(DAY)
    done = faults("apply", str(file))
    assert (done.status, done.out) == (0, "Added 2 rules.\n"), done.err
    with refused("AccessDeniedException", "asked to refuse"):
        world.ecs.create_cluster(clusterName="one")
    # What is listed as JSON can be applied again.
    listed = faults("list", "--json").out
    faults("clear")
    assert faults("apply", "-", text=listed).status == 0
    assert [rule["operation"] for rule in world.sandbox("faults")["faults"]] == ["ecs:CreateCluster", "sts:*"]


def test_of_a_file_with_errors_nothing_is_applied(world: World, faults, tmp_path):
    file = tmp_path / "day.yaml"
    file.write_text(DAY + "- operation: ecs:RunTsk\n  fault: {kind: lost, code: x}\n- operation: '*'\n  fault: {}\n")
    done = faults("apply", str(file))
    assert done.status == 1
    assert "nothing was applied" in done.err
    assert f"{file}:7: rule 3, operation: ecs has no operation \"RunTsk\" here; did you mean ecs:RunTask?" in done.err
    assert f"{file}:7: rule 3, fault.code: does not belong here" in done.err
    assert f"{file}:9: rule 4, fault.kind: is missing" in done.err
    assert world.sandbox("faults") == {"faults": []}


def test_without_a_simulator(faults):
    nowhere = faults("list", endpoint=None)
    assert nowhere.status == 2 and "--endpoint" in nowhere.err
    assert "http://127.0.0.1:1/_sandbox/faults" in faults("list", endpoint="http://127.0.0.1:1").err
    assert "is no simulated AWS" in faults("list", "--endpoint", "https://ecs.example").err
