"""MiniStack and the simulator, each on a free port for the whole session, and clients for both."""

import fcntl
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

BUCKET = "simulator-tests"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


def free_port():
    """Below the ports that systems give to outgoing connections, which could take it before MiniStack listens."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(check, seconds=120, what="it"):
    """Calls `check` every 50 ms until it returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := check():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="session")
def local_aws():
    """The address of a MiniStack of our own."""
    program = Path(sys.executable).parent / "ministack"
    if not program.exists():
        pytest.fail(f"{program} is missing: pip install ministack into the environment that runs pytest")
    # Two sessions that look for a free port at the same time must not find the same one. `local/up` has the same lock.
    with ports_lock().open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process, url = start_ministack(program)
    try:
        yield url
    finally:
        end(process)


def ports_lock():
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bedrock-batch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "local-ports.lock"


def is_up(process, url):
    """Waits until MiniStack answers or has ended."""
    wait_for(lambda: process.poll() is not None or answers(f"{url}/_ministack/health"), what="MiniStack")
    return process.poll() is None


def start_ministack(program, attempts=5):
    """The process and its address. It cannot take a free port by itself; if another process takes the one that was
    chosen for it, it ends, and another port is tried."""
    for _ in range(attempts):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, **CREDENTIALS, "GATEWAY_PORT": str(port), "AWS_ENDPOINT_URL": url}
        process = subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if is_up(process, url):
            return process, url
    pytest.fail(f"MiniStack ended at once, {attempts} times, the last time with {process.returncode}")


def simulator_binary():
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    target = Path(os.environ.get("CARGO_TARGET_DIR") or cache / "bedrock-batch" / "target")
    binary = Path(os.environ.get("BEDROCK_SIMULATOR_BIN") or target / "debug" / "bedrock-simulator")
    if not binary.exists():
        pytest.fail(f"{binary} is missing: build it with `make build`, or name it in BEDROCK_SIMULATOR_BIN")
    return binary


class Simulator:
    """A running simulator: raw requests, its own routes, and the clients of boto3."""

    def __init__(self, url):
        self.url = url
        self.default_behaviour = self.request("GET", "/_simulator/behaviour")[2]

    def request(self, method, path, body=None, headers=None):
        """Status, headers and decoded body; `body` is sent as it is when it is bytes, else as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                status, headers, text = response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            status, headers, text = error.code, error.headers, error.read()
        return status, headers, json.loads(text) if text else None

    def behave(self, **changes):
        status, _, answer = self.request("PUT", "/_simulator/behaviour", changes)
        assert status == 200, answer
        return answer

    def jobs(self):
        return self.request("GET", "/_simulator/jobs")[2]["jobs"]

    def reset(self):
        self.behave(**self.default_behaviour)
        assert self.request("POST", "/_simulator/reset")[0] == 200

    def client(self, service, **settings):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            # Every answer is examined, so no request is repeated.
            config=Config(retries={"total_max_attempts": 1}, **settings),
        )


def start_simulator(local_aws, *arguments):
    environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": local_aws, "RUST_LOG": "warn"}
    command = [simulator_binary(), "--listen", "127.0.0.1:0", "--step-ms", "60", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line.startswith("listening on http://"):
        end(process)
        pytest.fail(f"the simulator did not start: {line!r}")
    return process, Simulator(line.removeprefix("listening on "))


@pytest.fixture(scope="session")
def running_simulator(local_aws):
    process, simulator = start_simulator(local_aws)
    try:
        yield simulator
    finally:
        end(process)


@pytest.fixture
def simulator(running_simulator):
    """The session's simulator, forgetful and well-behaved again."""
    running_simulator.reset()
    yield running_simulator
    running_simulator.reset()


@pytest.fixture
def bedrock(simulator):
    return simulator.client("bedrock")


@pytest.fixture
def runtime(simulator):
    return simulator.client("bedrock-runtime")


def local_client(local_aws, service):
    return boto3.client(
        service,
        endpoint_url=local_aws,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}),
    )


@pytest.fixture(scope="session")
def s3(local_aws):
    client = local_client(local_aws, "s3")
    client.create_bucket(Bucket=BUCKET)
    return client
