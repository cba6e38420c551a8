"""What exceeds a limit of AWS fails here too."""

import json

import pytest
from stepfunctions_for_tests import FAILURE, ROLE, call, step

from local_stack import platform_limits
from local_stack.ministack_as_aws import stepfunctions
from local_stack.processes import wait_for

CATCH_ALL = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
LARGE = "x" * (256 * 1024)


def run(states: dict, start: str, execution_input: dict) -> dict:
    definition = json.dumps({"StartAt": start, "States": states})
    _, machine = call("_create_state_machine", name=f"m-{start}", definition=definition, roleArn=ROLE)
    _, started = call("_start_execution", stateMachineArn=machine["stateMachineArn"], input=json.dumps(execution_input))
    execution = stepfunctions._executions[started["executionArn"]]
    assert wait_for(lambda: execution["status"] != "RUNNING", seconds=20)
    return execution


def test_a_result_above_256_kib_fails_the_execution_past_a_catch_of_all_errors(functions):
    functions.answers["large"] = lambda event: LARGE
    states = {"Large": step("large", Output=0, Catch=CATCH_ALL, End=True), "Caught": {"Type": "Succeed"}}
    execution = run(states, "Large", {})
    assert (execution["status"], execution["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_an_output_above_256_kib_fails_the_execution(functions):
    functions.answers["half"] = lambda event: LARGE[: len(LARGE) // 2]
    doubled = {"a": "{% $states.result.Payload %}", "b": "{% $states.result.Payload %}"}
    execution = run({"Half": step("half", Output=doubled, End=True)}, "Half", {})
    assert (execution["status"], execution["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_result_of_almost_256_kib_passes(functions):
    functions.answers["fits"] = lambda event: LARGE[:-100]
    assert run({"Fits": step("fits", Output=0, End=True)}, "Fits", {})["status"] == "SUCCEEDED"


def test_other_errors_are_still_caught_with_all(functions):
    def fail(event):
        raise FAILURE

    functions.answers["fails"] = fail
    states = {"Fails": step("fails", Catch=CATCH_ALL, End=True), "Caught": {"Type": "Succeed"}}
    assert run(states, "Fails", {})["status"] == "SUCCEEDED"


def test_an_execution_with_too_many_events_fails(functions, monkeypatch):
    monkeypatch.setattr(platform_limits, "MAX_HISTORY_EVENTS", 50)
    execution = run({"Again": step("again", Next="Again")}, "Again", {})
    assert execution["status"] == "FAILED"
    assert "50 history events" in execution["cause"]
    assert platform_limits.longest_history() >= 50


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"Environment": {"Variables": {"A": "x" * 4096}}}, "4097 bytes"),
        ({"Timeout": 901}, "901 s"),
    ],
)
def test_a_function_that_lambda_refuses_is_not_deployed(properties, problem):
    with pytest.raises(ValueError, match=problem):
        platform_limits.check_function({"FunctionName": "f", **properties})


def test_a_function_at_the_limits_is_deployed():
    platform_limits.check_function({"Environment": {"Variables": {"A": "x" * 4095}}, "Timeout": 900})
