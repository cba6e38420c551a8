"""Transitions are counted as AWS bills them."""

import json

import pytest
from stepfunctions_for_tests import FAILURE, ROLE, call, step

from local_stack.processes import wait_for
from local_stack.requests import billing
from local_stack.requests.record import Record


@pytest.fixture
def record(monkeypatch):
    for name in ("_add_event", *billing.HANDLERS):
        monkeypatch.setattr(billing.stepfunctions, name, getattr(billing.stepfunctions, name))
    monkeypatch.setattr(billing.lambda_runtime.ProvidedWorker, "invoke", billing.lambda_runtime.ProvidedWorker.invoke)
    record = Record()
    billing.install(record)
    return record


def run(name: str, states: dict) -> None:
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    _, machine = call("_create_state_machine", name=name, definition=definition, roleArn=ROLE)
    _, started = call("_start_execution", stateMachineArn=machine["stateMachineArn"], input="{}")
    execution = billing.stepfunctions._executions[started["executionArn"]]
    assert wait_for(lambda: execution["status"] != "RUNNING", seconds=20)


def test_each_state_and_each_retry_is_a_transition(functions, record):
    attempts = []

    def fail_twice(event):
        attempts.append(event)
        if len(attempts) < 3:
            raise FAILURE
        return {}

    functions.answers["task"] = fail_twice
    retry = [{"ErrorEquals": ["Broken"], "IntervalSeconds": 1, "MaxAttempts": 5}]
    run(
        "m",
        {
            "Pass": {"Type": "Pass", "Next": "Task"},
            "Task": step("task", Retry=retry, Next="End"),
            "End": {"Type": "Succeed"},
        },
    )
    # Pass, three attempts, End.
    assert record.counts[billing.TRANSITIONS] == 5


def test_the_processor_time_of_a_process_is_read():
    class This:
        pid = "self"

    assert billing.cpu_seconds(This()) > 0
    assert billing.cpu_seconds(None) == 0
