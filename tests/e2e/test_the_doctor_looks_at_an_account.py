"""`bedrock-batch doctor`: a line for each part of the account that a run needs, and what to do where one is not right."""

import os
import subprocess

import pytest

from stack.command_line import command_line_program
from stack.contract import STAGE

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
# What `. .local/env` sets and what names a deployment: the doctor looks for it as a user without them does.
NAMES = ("BUCKET_NAME", "STATE_MACHINE_ARN", "PIPELINE_STATE_MACHINE_ARN")
SUBJECTS = [
    "region",
    "credentials",
    "stack",
    "version",
    "bucket",
    "job table",
    "state machine",
    "state machine",
    "emails",
    "emails of alarms",
]


@pytest.fixture(scope="module")
def doctor(stack):
    own = {name: value for name, value in {**os.environ, **stack.environment}.items() if name not in NAMES}

    def call(*arguments, **changed):
        command = [str(command_line_program()), "doctor", *arguments]
        stage = {"BEDROCK_BATCH_STAGE": STAGE} if STAGE else {}
        environment = {name: value for name, value in {**own, **stage, **changed}.items() if value is not None}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done, [line.split(maxsplit=1) for line in done.stdout.splitlines()]

    return call


def test_a_deployed_stack_is_fine_and_the_model_answers(doctor):
    done, lines = doctor("--model-id", MODEL, "--ask")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [mark for mark, _ in lines] == ["ok"] * len(lines), done.stdout
    assert [text.partition(":")[0] for _, text in lines] == [*SUBJECTS, "model", "request"]


def test_without_a_model_nothing_is_said_of_one(doctor):
    done, lines = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[-1] == ["?", "model: none was named; `bedrock-batch doctor --model-id ID`"]


def test_a_stack_that_is_not_there_is_named_with_what_to_do(doctor):
    done, lines = doctor("--stage", "nowhere", BEDROCK_BATCH_STAGE=None)
    assert done.returncode == 1
    mark, text = lines[2]
    assert mark == "FIX"
    assert "`BedrockBatchOrchestratorStack-nowhere`" in text and "`make deploy`" in text


def test_without_a_region_nothing_else_is_looked_at(doctor):
    done, lines = doctor(AWS_REGION=None, AWS_DEFAULT_REGION=None)
    assert done.returncode == 1
    assert len(lines) == 1 and lines[0][0] == "FIX" and "AWS_REGION" in lines[0][1]


def test_a_model_that_does_not_exist_is_reported(doctor):
    done, lines = doctor("--model-id", "us.anthropic.claude-haiku-9", "--ask")
    assert done.returncode == 1
    assert [mark for mark, _ in lines[-2:]] == ["FIX", "FIX"], done.stdout
