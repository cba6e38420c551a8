"""A submit that is repeated, whenever the previous one died, finds what that has done and continues from there."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from stack.contract import ENVIRONMENT, PAYLOADS, PREFIXES, STAGE, function_name
from stack.deployed import CLAUDE
from stack.inputs import csv_text, topic_table
from stack.waiting import wait_for

TOKEN = "token-of-nobody"
FIELDS = [field for field in PAYLOADS["submit"]["fields"] if field != "task_token"]


def play(stack):
    """A run whose records can be submitted again as other jobs."""
    run = stack.play(stack.joke(stack.put_input(csv_text(topic_table(100)))), "to-submit")
    return stack.read(run.json("jobs.json")[0]["input_uri"])


class Submission:
    """A job that was not submitted yet."""

    def __init__(self, stack, records: bytes):
        self.stack = stack
        self.run = f"submit-{uuid.uuid4().hex[:8]}"
        self.job = {
            "index": 0,
            "name": f"e2e-{self.run}",
            "records": 100,
            "input_uri": stack.put(f"{PREFIXES['JOB_INPUTS']}/e2e/{self.run}/0000.jsonl", records),
            "output_uri": f"s3://{stack.bucket}/{PREFIXES['JOB_OUTPUTS']}/e2e/{self.run}/0000/",
        }
        self.function = function_name("submit")

    def payload(self, token: str = TOKEN) -> dict:
        about = {
            "redrive_count": 0,
            "retry_count": 0,
            "run_id": self.run,
            "execution_arn": f"{self.stack.state_machine.replace(':stateMachine:', ':execution:')}:{self.run}",
            "model_id": CLAUDE,
            "invocation_type": "InvokeModel",
            "falls_back": False,
        }
        return {"task_token": token, "job": self.job, **about}

    def submit(self, token: str = TOKEN) -> None:
        self.stack.invoke(self.function, self.payload(token))

    @property
    def item(self) -> dict:
        return self.stack.table.get_item(Key={"job_name": self.job["name"]}, ConsistentRead=True)["Item"]

    @property
    def only_job(self) -> dict:
        (job,) = self.stack.simulator.jobs_of(self.run)
        return job

    def wait_until_over(self) -> None:
        wait_for(f"the end of {self.job['name']}", lambda: self.item.get("status") == "Completed")


@pytest.fixture
def submission(stack, played):
    return Submission(stack, played)


KEY = "arn:aws:kms:us-east-1:000000000000:key/0a1b2c3d-0000-4000-8000-0123456789ab"
SETTINGS = {
    "JOB_TAGS": "project=tickets,team=night shift",
    "JOB_OUTPUT_KEY_ARN": KEY,
    "JOB_SUBNET_IDS": "subnet-0a,subnet-0b",
    "JOB_SECURITY_GROUP_IDS": "sg-0c",
}


@pytest.fixture
def settings_of_jobs(stack):
    """A submit function with all settings of jobs. Runs call a version of it, which stays as it is."""
    submit = function_name("submit")
    before = stack.functions.get_function_configuration(FunctionName=submit)["Environment"]["Variables"]

    def configure(variables: dict[str, str]) -> None:
        stack.functions.update_function_configuration(FunctionName=submit, Environment={"Variables": variables})
        stack.functions.get_waiter("function_updated_v2").wait(FunctionName=submit)

    configure({**before, **{ENVIRONMENT[name]: value for name, value in SETTINGS.items()}})
    yield
    configure(before)


@pytest.mark.usefixtures("settings_of_jobs")
def test_the_job_has_the_tags_the_key_and_the_network_of_the_deployment(submission):
    submission.submit()
    job = submission.only_job
    assert {tag["key"]: tag["value"] for tag in job["tags"]} == {
        "project": "tickets",
        "team": "night shift",
        "bedrock-batch:run": submission.run,
    }
    assert job["outputDataConfig"]["s3EncryptionKeyId"] == KEY
    assert job["vpcConfig"] == {"subnetIds": ["subnet-0a", "subnet-0b"], "securityGroupIds": ["sg-0c"]}


@pytest.mark.usefixtures("played")
def test_jobs_of_runs_are_tagged_with_their_run_and_the_stage(stack):
    jobs = stack.simulator.jobs("/to-submit-")
    expected = {"bedrock-batch:stage": STAGE} if STAGE else {}
    for job in jobs:
        tags = {tag["key"]: tag["value"] for tag in job["tags"]}
        assert tags.pop("bedrock-batch:run").startswith("to-submit")
        assert tags == expected
        assert job["vpcConfig"] is None
    assert jobs


def test_a_repeated_token_finds_the_same_job(submission):
    submission.submit()
    first = submission.item
    submission.submit()
    assert submission.only_job["createCalls"] == 1
    assert submission.item["job_arn"] == first["job_arn"] == submission.only_job["jobArn"]
    assert submission.item["created_at"] == first["created_at"]


def test_a_repeated_token_after_the_job_is_over_finds_the_same_job(submission):
    submission.submit()
    submission.wait_until_over()
    submission.submit()
    assert submission.only_job["createCalls"] == 1
    assert submission.item["status"] == "Completed"


def test_concurrent_submits_make_one_job(submission):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: submission.submit(), range(4)))
    assert submission.item["job_arn"] == submission.only_job["jobArn"]


@pytest.mark.parametrize("forgets", [False, True])
def test_after_dying_between_creating_and_recording_the_job(submission, stack, forgets):
    # An event would bring the ARN, too.
    stack.simulator.behave(f"/{submission.run}/", event_lost_rate=1, forget_creations=forgets)
    submission.submit()
    arn = submission.item["job_arn"]
    stack.table.update_item(Key={"job_name": submission.job["name"]}, UpdateExpression="REMOVE job_arn")
    submission.submit()
    assert submission.only_job["createCalls"] == 1, "it was found by its name, even if its token is forgotten"
    assert submission.item["job_arn"] == arn == submission.only_job["jobArn"]


def test_the_job_of_another_run_is_left_alone(submission, stack):
    submission.submit()
    payload = {**submission.payload("token-of-another"), "run_id": f"{submission.run}-other"}
    with pytest.raises(AssertionError, match="NameClash"):
        stack.invoke(submission.function, payload)
    assert (submission.item["run_id"], submission.item["task_token"]) == (submission.run, TOKEN)
    assert submission.only_job["createCalls"] == 1


def test_an_older_attempt_changes_nothing(submission, stack):
    stack.invoke(submission.function, {**submission.payload("newer"), "retry_count": 1})
    with pytest.raises(AssertionError, match="Superseded"):
        submission.submit("older")
    assert submission.item["task_token"] == "newer"
    assert submission.only_job["createCalls"] == 1


def test_after_dying_before_creating_the_job(submission, stack):
    item = {"job_name": submission.job["name"], "run_id": submission.run, "job_index": 0, "records": 100}
    stack.table.put_item(Item={**item, "task_token": TOKEN, "open": "1", "model_id": CLAUDE})
    submission.submit()
    assert submission.item["job_arn"] == submission.only_job["jobArn"]


@pytest.fixture(scope="module")
def waiting_machine(stack):
    """A state machine that submits its input and waits, as SubmitJob does."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {
            "FunctionName": function_name("submit"),
            "Payload": {
                "task_token.$": "$$.Task.Token",
                **{f"{name}.$": f"$.{name}" for name in FIELDS},
            },
        },
        "End": True,
    }
    deployed = stack.step_functions.describe_state_machine(stateMachineArn=stack.environment["STATE_MACHINE_ARN"])
    created = stack.step_functions.create_state_machine(
        name=f"waits-{uuid.uuid4().hex[:8]}",
        roleArn=deployed["roleArn"],
        definition=json.dumps({"StartAt": "Submit", "States": {"Submit": task}}),
    )
    yield created["stateMachineArn"]
    stack.step_functions.delete_state_machine(stateMachineArn=created["stateMachineArn"])


class Waiter:
    """An execution with a token of its own, waiting for a submission's job."""

    def __init__(self, stack, machine: str, submission: Submission):
        self.stack = stack
        payload = {name: value for name, value in submission.payload().items() if name != "task_token"}
        started = stack.step_functions.start_execution(stateMachineArn=machine, input=json.dumps(payload))
        self.arn = started["executionArn"]

    @property
    def status(self) -> str:
        return self.stack.step_functions.describe_execution(executionArn=self.arn)["status"]

    def wait(self) -> str:
        wait_for("an answer to the token", lambda: self.status != "RUNNING")
        return self.status


def test_another_token_when_the_job_is_over_is_answered_at_once(stack, submission, waiting_machine):
    assert Waiter(stack, waiting_machine, submission).wait() == "SUCCEEDED"
    assert Waiter(stack, waiting_machine, submission).wait() == "SUCCEEDED"
    assert submission.only_job["createCalls"] == 1
    assert submission.item["answered"] is True


def test_another_token_while_the_job_runs_replaces_the_first(stack, submission, waiting_machine):
    stack.simulator.behave(f"/{submission.run}/", job_seconds=10)
    first = Waiter(stack, waiting_machine, submission)
    wait_for("the first token", lambda: stack.simulator.jobs_of(submission.run) and submission.item.get("job_arn"))
    token = submission.item["task_token"]
    second = Waiter(stack, waiting_machine, submission)
    assert second.wait() == "SUCCEEDED"
    assert submission.only_job["createCalls"] == 1
    assert submission.item["task_token"] != token
    assert first.status == "RUNNING", "on AWS nobody waits for an old token any more"
    stack.step_functions.stop_execution(executionArn=first.arn)
