"""`make deploy` and `make destroy` name their target, and refuse what cannot succeed before anything changes."""

import io
import sys
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

import deploy
import destroy
import target as targets
from target import Target, UserError, profile, target
from terminal import agree

CREATED = datetime(2026, 11, 1, tzinfo=UTC)


def failure(status: int, message: str) -> ClientError:
    response = {"Error": {"Code": str(status), "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")


class Account:
    """An account with at most one stack and one bucket."""

    region_name = "eu-west-1"

    def __init__(self, status: str | None = None, bucket: int = 404, running: tuple[str, ...] = (), **_):
        self.status, self.bucket, self.running = status, bucket, running
        self.deleted: list[str] = []

    def client(self, _service: str) -> "Account":
        return self

    def get_caller_identity(self) -> dict:
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ann"}

    def describe_stacks(self, StackName: str) -> dict:
        if self.status is None:
            raise failure(400, f"Stack with id {StackName} does not exist")
        outputs = {"bucketName": "data", "taskTableName": "jobs", "stepFunctionArn": "arn:batch"}
        keys = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return {"Stacks": [{"StackStatus": self.status, "CreationTime": CREATED, "Outputs": keys}]}

    def head_bucket(self, Bucket: str) -> dict:
        if self.bucket != 200:
            raise failure(self.bucket, Bucket)
        return {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": "us-east-1"}}}

    def list_executions(self, stateMachineArn: str, **_) -> dict:
        assert stateMachineArn == "arn:batch"
        return {"executions": [{"name": name} for name in self.running]}

    def delete_stack(self, StackName: str) -> None:
        self.deleted.append(StackName)

    def get_waiter(self, _name: str) -> "Account":
        return self

    def wait(self, StackName: str) -> None:
        assert StackName in self.deleted


def at(account: Account, stage: str = "") -> Target:
    end = f"-{stage}" if stage else ""
    return Target(targets.STACK + end, "data", "123456789012", "ann", "eu-west-1", account)


@pytest.mark.parametrize(
    ("stage", "stack", "bucket"),
    [
        ("", "BedrockBatchOrchestratorStack", "batch-inference-bucket-123456789012"),
        ("dev", "BedrockBatchOrchestratorStack-dev", "bedrock-batch-dev-123456789012-eu-west-1-an"),
    ],
)
def test_a_target_has_the_names_of_the_template(monkeypatch, stage, stack, bucket):
    monkeypatch.setattr(targets.boto3, "Session", lambda **_: Account())
    found = target(stage, ["-c", "reconcileMinutes=1"])
    assert (found.stack, found.bucket, found.region) == (stack, bucket, "eu-west-1")
    assert found.lines() == [
        f"stack    {stack}",
        "account  123456789012 (arn:aws:iam::123456789012:user/ann)",
        "region   eu-west-1",
    ]


@pytest.mark.parametrize("stage", ["Dev", "a--b", "thirteenchars", "dev\n"])
def test_a_text_that_is_no_stage_is_refused(stage):
    with pytest.raises(UserError, match="STAGE is"):
        target(stage, [])


@pytest.mark.parametrize("options", [["-c", "stage=dev"], ["--context=stage=dev"], ["--context", "stage=dev"]])
def test_a_stage_among_the_options_would_pass_the_checks_by(options):
    with pytest.raises(UserError, match="STAGE=…"):
        target("", options)


def test_the_region_and_the_profile_are_those_of_the_cdk(monkeypatch):
    asked = {}
    monkeypatch.setattr(targets.boto3, "Session", lambda **given: asked.update(given) or Account())
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    target("", ["--profile", "work"])
    assert asked == {"profile_name": "work", "region_name": "eu-west-1"}
    assert profile(["-c", "a=b", "--profile=other"]) == "other"
    assert profile([]) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, "would be created"),
        ("UPDATE_COMPLETE", "would be updated"),
        ("ROLLBACK_COMPLETE", "deleted and created again"),
    ],
)
def test_a_deployment_says_what_it_would_do(status, expected):
    lines = deploy.plan(at(Account(status), "dev"))
    assert lines[0] == "stack    BedrockBatchOrchestratorStack-dev"
    assert expected in "\n".join(lines)


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (Account(None, bucket=200), "exists already, in us-east-1"),
        (Account(None, bucket=403), "may belong to another account"),
        (Account("UPDATE_IN_PROGRESS"), "is being changed"),
    ],
)
def test_a_deployment_that_cannot_succeed_is_refused(account, message):
    with pytest.raises(UserError, match=message):
        deploy.plan(at(account))


def test_destroy_says_what_stays():
    text = "\n".join(destroy.plan(at(Account("CREATE_COMPLETE"))))
    assert "aws s3 rb s3://data --force" in text
    assert "aws dynamodb delete-table --table-name jobs" in text


@pytest.mark.parametrize(
    ("account", "message"),
    [(Account(), "does not exist in eu-west-1"), (Account("CREATE_COMPLETE", running=("tickets-7",)), "tickets-7")],
)
def test_destroy_is_refused_where_it_would_leave_paid_work_behind_or_there_is_nothing(account, message):
    with pytest.raises(UserError, match=message):
        destroy.destroy(at(account), True)
    assert account.deleted == []


@pytest.mark.parametrize(("answer", "deleted"), [("y", True), ("", False), ("n", False)])
def test_nothing_changes_without_consent(monkeypatch, capsys, answer, deleted):
    account = Account("CREATE_COMPLETE")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    if deleted:
        destroy.destroy(at(account), False)
    else:
        with pytest.raises(UserError, match="nothing was changed"):
            destroy.destroy(at(account), False)
    assert account.deleted == ([targets.STACK] if deleted else [])
    assert "account  123456789012" in capsys.readouterr().out


def test_without_a_terminal_consent_is_given_in_advance(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(UserError, match="YES=1"):
        agree([], "?", False)
    agree([], "?", True)
