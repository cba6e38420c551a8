"""Corrections of MiniStack for pipelines: nested executions, one after the other."""

import json
import threading

import pytest
from stepfunctions_for_tests import FAILURE, Execution, call, eventually, state_machine, step, waiting_step

from local_stack.ministack_as_aws import provisioners

NESTED = "arn:aws:states:us-east-1:000000000000:execution:nested:"


def broken(event):
    raise FAILURE


def nested_step(name, machine, **fields):
    """Returns a step that starts a nested execution with this name and its own input, and waits for its end."""
    return {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": machine, "Name": name, "Input": "{% $states.input %}"},
        **fields,
    }


def one_after_the_other(name, iteration, **fields):
    """Returns an inline map with one iteration at a time."""
    return {
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": name,
            "States": {name: {**iteration, "End": True}},
        },
        "ResultPath": None,
        **fields,
    }


def described(arn):
    return call("_describe_execution", executionArn=arn)[1]


def test_no_iteration_starts_after_a_failed_one(functions):
    functions.answers = {"work": lambda event: broken(event) if event == 1 else {}}
    execution = Execution(
        items=range(4),
        Map=one_after_the_other(
            "Work", step("work"), Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Report"}]
        ),
        Report=step("report", End=True),
    )
    assert execution.end()["status"] == "SUCCEEDED"
    assert functions.of("work") == [0, 1]
    (reported,) = functions.of("report")
    assert reported["failure"] == {"Error": FAILURE.error, "Cause": FAILURE.cause}


def test_a_retried_map_restarts_its_iterations(functions):
    functions.answers = {"work": lambda event: broken(event) if functions.of("work") == [0, 1] else {}}
    retry = [{"ErrorEquals": ["Broken"], "MaxAttempts": 1, "IntervalSeconds": 1}]
    execution = Execution(items=range(3), Map=one_after_the_other("Work", step("work"), Retry=retry, End=True))
    assert execution.end()["status"] == "SUCCEEDED"
    assert functions.of("work") == [0, 1, 0, 1, 2]


def test_a_failure_caught_within_an_iteration_does_not_end_the_map(functions):
    functions.answers = {"work": broken}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "After"}]
    states = {"Work": {**step("work"), "Catch": catch, "End": True}, "After": step("after", End=True)}
    parallel = {"Type": "Parallel", "Branches": [{"StartAt": "Work", "States": states}]}
    execution = Execution(items=range(2), Map=one_after_the_other("Both", parallel, End=True))
    assert execution.end()["status"] == "SUCCEEDED"
    assert (len(functions.of("work")), len(functions.of("after"))) == (2, 2)


def test_a_nested_execution_sends_status_events_and_returns_its_output(functions, events):
    functions.answers = {"work": lambda event: {"of": event}}
    nested = state_machine("nested", Work=step("work", Output="{% $states.result.Payload %}", End=True))
    execution = Execution(Run=nested_step("n", nested, Output="{% $states.result %}", End=True))
    result = json.loads(execution.end()["output"])
    input_ = {"items": [], "max_concurrency": 10}
    assert (result["Status"], result["Name"], result["Input"], result["Output"]) == (
        "SUCCEEDED",
        "n",
        input_,
        {"of": input_},
    )
    assert [status for arn, status in events if arn == NESTED + "n"] == ["RUNNING", "SUCCEEDED"]


def test_a_failed_nested_execution_is_described_in_the_cause(functions, events):
    functions.answers = {"work": broken}
    nested = state_machine("nested", Work=step("work", End=True))
    # The nested execution's own error matches no Retry of the step.
    retry = [{"ErrorEquals": ["Broken"], "MaxAttempts": 3, "IntervalSeconds": 1}]
    end = Execution(Run=nested_step("n", nested, Retry=retry, End=True)).end()
    assert (end["status"], end["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(end["cause"])
    assert isinstance(cause.pop("StartDate"), int) and isinstance(cause.pop("StopDate"), int)
    assert cause == {
        "Cause": FAILURE.cause,
        "Error": "Broken",
        "ExecutionArn": NESTED + "n",
        "Input": '{"items": [], "max_concurrency": 10}',
        "InputDetails": {"Included": True},
        "Name": "n",
        "RedriveCount": 0,
        "StateMachineArn": nested,
        "Status": "FAILED",
    }
    assert len(functions.of("work")) == 1
    assert [status for arn, status in events if arn == NESTED + "n"] == ["RUNNING", "FAILED"]


def test_a_stopped_nested_execution_fails_its_step(functions):
    nested = state_machine("nested", Wait=waiting_step("submit", End=True))
    execution = Execution(Run=nested_step("n", nested, End=True))
    eventually(lambda: functions.of("submit"))
    call("_stop_execution", executionArn=NESTED + "n")
    end = execution.end()
    assert (end["error"], json.loads(end["cause"])["Status"]) == ("States.TaskFailed", "ABORTED")


def test_a_name_already_in_use_fails_the_step(functions):
    nested = state_machine("nested", Work=step("work", End=True))
    call("_start_execution", stateMachineArn=nested, name="n", input="{}")
    eventually(lambda: described(NESTED + "n")["status"] == "SUCCEEDED")
    assert (
        Execution(Run=nested_step("n", nested, End=True)).end()["error"]
        == "StepFunctions.ExecutionAlreadyExistsException"
    )
    assert len(functions.of("work")) == 1


def test_stopping_an_execution_stops_the_nested_one_and_starts_no_other(functions, events):
    nested = state_machine("nested", Wait=waiting_step("submit", Next="After"), After=step("after", End=True))
    name = "{% 'n' & $states.input %}"
    execution = Execution(
        items=["0", "1"],
        Map=one_after_the_other("Run", nested_step(name, nested), Next="Report"),
        Report=step("report", End=True),
    )
    eventually(lambda: functions.of("submit"))
    threads = threading.active_count()
    execution.stop()
    eventually(lambda: described(NESTED + "n0")["status"] == "ABORTED")
    eventually(lambda: threading.active_count() < threads)
    assert call("_describe_execution", executionArn=NESTED + "n1")[0] == 400
    assert execution.described["status"] == "ABORTED"
    assert functions.of("after") == functions.of("report") == []
    assert [status for arn, status in events if arn == NESTED + "n0"] == ["RUNNING", "ABORTED"]


class TestStartingTwice:
    @pytest.fixture
    def machine(self, functions):
        return state_machine("nested", Wait=waiting_step("submit", End=True))

    def start(self, machine, input_="{}"):
        return call("_start_execution", stateMachineArn=machine, name="n", input=input_)

    def test_the_same_name_and_input_start_one_execution(self, machine, functions):
        first, second = self.start(machine), self.start(machine)
        assert first == second and first[0] == 200
        eventually(lambda: functions.of("submit"))
        assert len(functions.of("submit")) == 1

    def test_another_input_is_refused(self, machine):
        self.start(machine)
        status, answer = self.start(machine, '{"other": 1}')
        assert (status, answer["__type"]) == (400, "ExecutionAlreadyExists")

    def test_the_name_of_an_ended_execution_is_refused(self, machine):
        self.start(machine)
        call("_stop_execution", executionArn=NESTED + "n")
        assert self.start(machine)[0] == 400


def test_the_url_of_a_function_leads_to_it(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    config = {"FunctionArn": "arn", "FunctionUrl": "https://abc123.lambda-url.us-east-1.on.aws/"}
    assert provisioners._lambda_url_attributes(config) == {
        "FunctionArn": "arn",
        "FunctionUrl": "http://127.0.0.1:4566/_aws/lambda-url/abc123/",
    }
