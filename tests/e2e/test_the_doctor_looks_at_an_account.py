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
    "service role",
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
    assert [text.partition(":")[0] for _, text in lines] == [*SUBJECTS, "model", "quota", "model access", "request"]


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


def test_a_bare_id_is_sent_under_the_profile_that_runs_use(doctor):
    done, lines = doctor("--model-id", MODEL.removeprefix("us."), "--ask")
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[-4] == ["ok", f"model: `{MODEL}` is the name in requests"]
    assert lines[-1] == ["ok", f"request: `{MODEL}` has answered a request on demand"]


def test_a_model_at_its_end_of_life_is_reported_with_the_nearest_active_one(doctor):
    done, lines = doctor("--model-id", "us.anthropic.claude-3-7-sonnet-20250219-v1:0", "--ask")
    assert done.returncode == 1
    mark, text = lines[-1]
    assert mark == "FIX", done.stdout
    assert "end of life at Bedrock on 2026-04-30; use `us.anthropic.claude-sonnet-4-5-20250929-v1:0`" in text


def test_an_embedding_model_gets_no_request(doctor):
    done, lines = doctor("--model-id", "amazon.titan-embed-text-v2:0", "--ask")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [mark for mark, _ in lines[-3:]] == ["ok", "ok", "?"], done.stdout
    assert "request: none is sent to `amazon.titan-embed-text-v2:0`" in lines[-1][1]


def test_own_models_are_read_from_a_file(doctor, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("model = 1")
    done, lines = doctor("--model-id", MODEL, "--model-overrides", str(own))
    assert done.returncode == 1
    assert any(mark == "FIX" and str(own) in text for mark, text in lines), done.stdout


def test_a_model_that_does_not_exist_is_reported(doctor):
    done, lines = doctor("--model-id", "us.anthropic.claude-haiku-9", "--ask")
    assert done.returncode == 1
    mark, text = lines[-1]
    assert mark == "FIX" and "claude-haiku-9" in text, done.stdout


@pytest.fixture
def changed_role(stack):
    """The Bedrock service role, changed beside CloudFormation for a while: by its description, which affects no run."""
    name = f"BedrockBatchOrchestratorStack{f'-{STAGE}' if STAGE else ''}"
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    (role,) = [
        resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::IAM::Role"
        and resource["LogicalResourceId"].startswith("BedrockServiceRole")
    ]
    iam = stack.client("iam")
    described = iam.get_role(RoleName=role)["Role"]["Description"]
    iam.update_role(RoleName=role, Description="changed by hand")
    yield role
    iam.update_role(RoleName=role, Description=described)


def test_a_service_role_that_was_changed_is_reported(doctor, changed_role):
    done, lines = doctor("--model-id", MODEL)
    assert done.returncode == 1
    (text,) = [text for mark, text in lines if mark == "FIX"]
    assert text.startswith(f"service role: `{changed_role}` was changed beside CloudFormation: /Description; "), (
        done.stdout
    )
