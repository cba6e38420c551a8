"""Functions have the rights of their roles, as on AWS."""

import pytest

from local_stack import function_rights

SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:link-key-81ee59"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:runs"


@pytest.fixture
def judged(monkeypatch):
    """The resources that MiniStack is asked about; one of them, `granted`, is allowed."""
    asked = []

    def judge(access_key_id, iam_action, service, region, resource, context):
        asked.append(resource)
        return None if resource == "granted" else "denied"

    monkeypatch.setattr(function_rights, "_enforce", judge)
    monkeypatch.setattr(function_rights, "_functions", {"ASIAF": "bedrock-batch-submit"})
    monkeypatch.setattr(function_rights.stepfunctions, "_state_machines", {MACHINE: {}, "granted": {}})
    return asked


def test_a_request_of_a_function_is_judged_by_its_role(judged):
    assert function_rights.enforce("ASIAF", "s3:GetObject", "s3", "us-east-1", "granted") is None
    assert function_rights.enforce("ASIAF", "s3:GetObject", "s3", "us-east-1", "other") == "denied"
    assert judged == ["granted", "other"]


def test_a_denial_is_logged_with_function_action_and_resource(judged, capsys):
    function_rights.enforce("ASIAF", "s3:GetObject", "s3", "us-east-1", "other")
    assert capsys.readouterr().err == "DENIED bedrock-batch-submit s3:GetObject other\n"


def test_requests_of_others_are_those_of_an_administrator(judged):
    assert function_rights.enforce("test", "s3:GetObject", "s3", "us-east-1", "other") is None
    assert judged == []


def test_a_callback_is_granted_for_a_state_machine(judged):
    assert function_rights.enforce("ASIAF", "states:SendTaskSuccess", "states", "us-east-1") is None
    assert judged == [MACHINE, "granted"]


def test_a_secret_may_be_granted_by_its_name(judged):
    assert (
        function_rights.enforce("ASIAF", "secretsmanager:GetSecretValue", "secretsmanager", "us-east-1", SECRET)
        == "denied"
    )
    assert judged == [SECRET, "link-key"]
