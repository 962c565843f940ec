"""Starts `segue-sandbox aws` (the binary is named by $SEGUE_SANDBOX) and gives each test clients in a region of its own.

A region is a world of its own in the simulator, token buckets included, so one process serves many tests without one seeing another's
leftovers. Every reply that any client here receives is held against AWS's own model of the operation (see `reply_models.py`).
"""

import os
import signal
import subprocess
import threading
from itertools import count
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from reply_models import ReplyCheck
from worlds import World

ACCESS_KEY, SECRET_KEY = "AKIASANDBOXROOTKEY00", "root/secret+of-the/tests"
# Fast enough that AWS's minutes are seconds, slow enough that a busy machine does not turn its own pauses into AWS's.
CLOCK_FACTOR = 20.0
_regions = count(1)


def binary() -> Path:
    named = os.environ.get("SEGUE_SANDBOX")
    if not named:
        pytest.exit("SEGUE_SANDBOX is not set: it names the segue-sandbox binary (cargo build --release -p sandbox)", 2)
    path = Path(named)
    if not path.is_file() or not os.access(path, os.X_OK):
        pytest.exit(f"SEGUE_SANDBOX={named} is no program: build it with cargo build --release -p sandbox", 2)
    return path


class Simulator:
    """A `segue-sandbox aws` process."""

    def __init__(self, folder: Path, *arguments: str, clock_factor: float = CLOCK_FACTOR):
        self.access_key, self.secret_key = ACCESS_KEY, SECRET_KEY
        self._errors = folder / "simulator-stderr.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [binary(), "aws", "--port", "0", "--access-key", ACCESS_KEY, "--clock-factor", str(clock_factor), *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=clean | {"SEGUE_SANDBOX_SECRET_KEY": SECRET_KEY},
            )
        self.printed: list[str] = []
        line = self._ready_line()
        if "http://" not in line:
            self.process.kill()
            pytest.fail(f"the simulator did not get ready: {line!r}\n{self._errors.read_text()}")
        self.endpoint = "http://" + line.split("http://", 1)[1].split()[0]

    def _ready_line(self) -> str:
        # A pipe has no deadline of its own: whoever hangs is ended, and the read with it.
        deadline = threading.Timer(30, self.process.kill)
        deadline.start()
        line = self.process.stdout.readline()
        deadline.cancel()
        self.printed.append(line)
        return line

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=20)
        self.printed.extend(rest.splitlines(keepends=True))
        return self.process.returncode

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    def client(self, service: str, region: str, checks: ReplyCheck | None = None, read_timeout: float = 30,
               validate: bool = True, **keys):
        keys = keys or {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}
        # One attempt: a refusal is to be seen, not retried.
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=read_timeout,
                        parameter_validation=validate)
        client = boto3.session.Session(**keys).client(service, region, endpoint_url=self.endpoint, config=config)
        if checks is not None:
            client.meta.events.register("before-parse.*.*", checks.see)
        return client


@pytest.fixture(scope="session")
def simulator(tmp_path_factory):
    running = Simulator(tmp_path_factory.mktemp("simulator"))
    yield running
    status = running.stop()
    assert status == 0, f"the simulator ended with {status}:\n{running.errors}"
    assert "panicked" not in running.errors, running.errors


@pytest.fixture
def region() -> str:
    return f"test-region-{next(_regions)}"


@pytest.fixture
def checks():
    """What every reply of a test is held against; a reply that AWS's model does not allow fails the test."""
    seen = ReplyCheck()
    yield seen
    assert not seen.faults, "replies that AWS's model does not allow:\n  " + "\n  ".join(seen.faults)


@pytest.fixture
def ecs(simulator, region, checks):
    return simulator.client("ecs", region, checks)


@pytest.fixture
def elb(simulator, region, checks):
    return simulator.client("elbv2", region, checks)


@pytest.fixture
def unchecked_elb(simulator, region, checks):
    """A client that sends what boto3 would refuse by itself, so that the service is asked."""
    return simulator.client("elbv2", region, checks, validate=False)


@pytest.fixture
def logs(simulator, region, checks):
    return simulator.client("logs", region, checks)


@pytest.fixture
def sts(simulator, region, checks):
    return simulator.client("sts", region, checks)


@pytest.fixture
def world(simulator, ecs, elb) -> World:
    """A cluster, a load balancer with a production and a stage listener, and a target group behind each."""
    return World(simulator, ecs, elb)
