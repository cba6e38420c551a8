"""A deployment with a stage, as `local/up` makes one with `LOCAL_STAGE`: the part of the tests that this module belongs to is
played on one. Played by itself, it finds the deployment without a stage in the same way."""

import json
import os
import subprocess
import uuid

import pytest

from stack.command_line import command_line_program
from stack.contract import STAGE
from stack.inputs import csv_text, topic_table
from stack.run import Run

PART = "alone-2"
# What `. .local/env` sets and what names a deployment.
NAMES = ("BUCKET_NAME", "STATE_MACHINE_ARN", "PIPELINE_STATE_MACHINE_ARN")
COUNT = 12


@pytest.fixture(scope="module")
def program(stack):
    """The command line program, which knows no name but that of the stage."""
    environment = {name: value for name, value in stack.environment.items() if name not in NAMES}
    if STAGE:
        environment["BEDROCK_BATCH_STAGE"] = STAGE

    def call(*arguments):
        command = [str(command_line_program()), *map(str, arguments)]
        return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)

    return call


@pytest.mark.usefixtures("misbehaving")
def test_the_command_line_finds_a_deployment_by_its_stage(stack, program, tmp_path):
    (tmp_path / "topics.csv").write_bytes(csv_text(topic_table(COUNT)))
    (tmp_path / "run.json").write_text(json.dumps(stack.joke("topics.csv")))
    name = f"staged-{uuid.uuid4().hex[:8]}"
    started = program("start", tmp_path / "run.json", "--name", name, "--wait")
    assert started.returncode == 0, started.stderr
    run = Run(stack, name)
    assert run.status == "SUCCEEDED"
    assert run.summary["answered"] == COUNT
