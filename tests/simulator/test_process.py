"""The program itself: its options, its start and its end."""

import os
import signal
import subprocess

import pytest

import jobs
from conftest import CREDENTIALS, Simulator, end, simulator_binary, start_simulator


def run(*arguments, **environment):
    environment = {"PATH": os.environ["PATH"], **CREDENTIALS, **environment}
    command = [simulator_binary(), "--listen", "127.0.0.1:0", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_sigterm_ends_it_cleanly_with_a_job_under_way(local_aws, tmp_path):
    process, simulator = start_simulator(local_aws, "--port-file", str(tmp_path / "port"))
    assert simulator.url.endswith(":" + (tmp_path / "port").read_text())
    assert simulator.request("GET", "/_simulator/health")[0] == 200
    simulator.behave(job_seconds=600)
    jobs.create(simulator.client("bedrock"), "s3://bucket/x/")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert process.stdout.read() == "", "one line on stdout, and no other"


def test_it_never_runs_against_aws_itself():
    done = run()
    assert done.returncode != 0
    assert "AWS_ENDPOINT_URL" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--behaviour", '{"fial_rate": 1}'], "fial_rate"),
        (["--behaviour", "{"], "--behaviour"),
        (["--backend", "replay"], "--recordings"),
        (["--backend", "replay", "--recordings", "/nowhere"], "/nowhere"),
        (["--models", "/nowhere"], "/nowhere"),
        (["--port-file", "/nowhere/port"], "/nowhere/port"),
    ],
)
def test_a_wrong_option_is_named(arguments, says):
    done = run(*arguments, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert done.returncode != 0
    assert says in done.stderr


def test_options_come_from_the_environment_too(local_aws, tmp_path):
    models = tmp_path / "models.json"
    models.write_text('{"acme.model-1": "single"}')
    environment = {
        **os.environ,
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": local_aws,
        "BEDROCK_SIMULATOR_LISTEN": "127.0.0.1:0",
        "BEDROCK_SIMULATOR_REGION": "eu-west-1",
        "BEDROCK_SIMULATOR_ACCOUNT": "123456789012",
        "BEDROCK_SIMULATOR_BEHAVIOUR": '{"seed": 5, "job_seconds": 600}',
        "BEDROCK_SIMULATOR_MODELS": str(models),
        "BEDROCK_SIMULATOR_ALIVE": "anthropic.claude-3-haiku,anthropic.claude-3-opus",
        "BEDROCK_SIMULATOR_EVENT_SOURCE": "other.bedrock",
        "BEDROCK_SIMULATOR_STEP_MS": "10",
    }
    process = subprocess.Popen([simulator_binary()], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        simulator = Simulator(process.stdout.readline().strip().removeprefix("listening on "))
        arn = jobs.create(simulator.client("bedrock"), "s3://bucket/x/", modelId="acme.model-1")
        assert arn.startswith("arn:aws:bedrock:eu-west-1:123456789012:model-invocation-job/")
        assert simulator.default_behaviour["seed"] == 5
    finally:
        end(process)


def test_it_says_when_s3_cannot_be_reached(tmp_path):
    process, simulator = start_simulator("http://127.0.0.1:9")
    try:
        bedrock = simulator.client("bedrock")
        job = jobs.finish(bedrock, jobs.create(bedrock, "s3://bucket/x/"))
        assert job["status"] == "Failed"
        assert "s3://bucket/x/" in job["message"]
    finally:
        end(process)
