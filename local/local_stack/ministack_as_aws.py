"""MiniStack, with those things mended in which 1.5.33 differs from AWS and that runs and pipelines depend on.

1. A function that fails in a `waitForTaskToken` step fails the step at once, so that its Retry and Catch see the error.
   MiniStack ignores the failure and goes on waiting for the token.
2. A Distributed Map takes its concurrency from `MaxConcurrencyPath`. MiniStack only knows `MaxConcurrency`.
3. What is over stays over. An execution that is stopped takes the children of its maps with it: no step of theirs is
   begun any more, and their tokens are void. MiniStack lets them go on to their end, and children that had not begun
   begin; an execution that was stopped could even become a failed one.
4. The first child that fails ends its map, if the map tolerates no failure, and so ends the other children in the same
   way. MiniStack waits for all of them first.
5. Each attempt of a `waitForTaskToken` step has a token of its own. MiniStack keeps the first one's, which may have been
   answered while nobody waited: the second attempt then waits in vain.
6. An iteration of an inline Map that fails is the last one to begin. MiniStack begins all others as well.
7. A nested execution (`startExecution.sync`) is one like any other: it tells EventBridge of its status, its name must be
   new, and it is stopped with the execution that waits for it. If it fails, the step fails with `States.TaskFailed` and
   a description of it as the cause. MiniStack does none of this, and fails the step with the nested one's own error.
8. An execution that is started again with its own name and input while it runs is the same execution. MiniStack refuses.
9. The URL of a function, as CloudFormation gives it, leads to the function. MiniStack's leads to amazonaws' own domain.

Nothing else is touched, and the template and the state machine are those that go to AWS. All of it belongs upstream;
when a version mends it, this file goes and `ministack` is started as it is.
"""

import json
import os
import time
import uuid
from contextvars import ContextVar

from ministack import app
from ministack.core.responses import json_response
from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners
from ministack.services.stepfunctions import _ExecutionError

# The execution whose step runs, and the token that the step waits for. Not thread-local: a step with a timeout invokes
# its function in a thread of its own, which inherits the context.
_execution: ContextVar[dict | None] = ContextVar("execution", default=None)
_token: ContextVar[str | None] = ContextVar("token", default=None)
_waiting: dict[str, dict | None] = {}
"""The execution that waits for each token."""
# The inline Map whose iteration is about to begin; threads of iterations inherit it.
_inline_map: ContextVar[dict | None] = ContextVar("inline_map", default=None)

# What ends the steps of an execution that is over. No Retry or Catch of ours names it, and none could go on from there.
ABORTED = "States.ExecutionAborted"

_execute_task = stepfunctions._execute_task
_invoke_with_callback = stepfunctions._invoke_with_callback
_call_lambda = stepfunctions._call_lambda
_run_map_items = stepfunctions._run_map_items
_run_distributed_map = stepfunctions._run_distributed_map
_run_sub_machine = stepfunctions._run_sub_machine
_start_execution = stepfunctions._start_execution
_stop_execution = stepfunctions._stop_execution
_fail_execution = stepfunctions._fail_execution
_apply_jsonata_arguments = stepfunctions._apply_jsonata_arguments
_lambda_url_attributes = provisioners._lambda_url_attributes


def execute_task(state_def, raw_input, execution, context):
    running = _execution.set(execution)
    try:
        return _execute_task(state_def, raw_input, execution, context)
    finally:
        _execution.reset(running)


def apply_jsonata_arguments(state_def, raw_input, context=None):
    # Evaluated anew for each attempt, and the token is read from the context after that.
    if context is not None and state_def.get("Resource", "").endswith(".waitForTaskToken"):
        context["Task"] = {"Token": str(uuid.uuid4())}
    return _apply_jsonata_arguments(state_def, raw_input, context)


def invoke_with_callback(resource, input_data, token, state_def):
    waiting = _token.set(token)
    _waiting[token] = _execution.get()
    try:
        return _invoke_with_callback(resource, input_data, token, state_def)
    finally:
        del _waiting[token]
        _token.reset(waiting)


def call_lambda(function, event):
    try:
        # Here the token is known already, so an execution that ends from now on finds it and makes it void.
        if is_over(_execution.get()):
            raise _ExecutionError(ABORTED, "")
        return _call_lambda(function, event)
    except _ExecutionError as error:
        fail_token(_token.get(), error)
        raise


def fail_token(token, error):
    """Ends the wait for a token, unless it was answered."""
    waiting = stepfunctions._task_tokens.get(token)
    if waiting is not None and not waiting["event"].is_set():
        waiting["error"] = {"Error": error.error, "Cause": error.cause}
        waiting["event"].set()


def is_over(execution):
    """Whether no step of it may begin: it has ended itself, or the map that it is a child of, or the map's execution."""
    if execution is None:
        # A step that is tried by itself, with TestState.
        return False
    map_run = stepfunctions._map_runs.get(execution.get("mapRunArn"))
    if map_run is not None:
        return map_run["status"] != "RUNNING" or is_over(stepfunctions._executions.get(map_run["executionArn"]))
    return execution["status"] != "RUNNING"


def void_tokens():
    """Wakes what waits in executions that are over."""
    for token, execution in list(_waiting.items()):
        if is_over(execution):
            fail_token(token, _ExecutionError(ABORTED, ""))


def start_execution(data):
    response = _start_execution(data)
    if response[0] == 400 and json.loads(response[2])["__type"] == "ExecutionAlreadyExists":
        machine = stepfunctions._resolve_state_machine_arn(data["stateMachineArn"])
        there = stepfunctions._executions[f"{machine.replace(':stateMachine:', ':execution:')}:{data['name']}"]
        if there["status"] == "RUNNING" and there["input"] == data.get("input", "{}"):
            return json_response({"executionArn": there["executionArn"], "startDate": there["startDate"]})
    return response


def run_nested_execution(resource, input_data):
    parent = _execution.get()
    if is_over(parent):
        raise _ExecutionError(ABORTED, "")
    status, _, body = start_execution(stepfunctions._nested_start_execution_request(input_data))
    answer = json.loads(body)
    if status != 200:
        raise _ExecutionError(f"StepFunctions.{answer['__type']}Exception", answer["message"])
    nested = stepfunctions._executions[answer["executionArn"]]
    while nested["status"] == "RUNNING":
        if is_over(parent):
            stop_execution({"executionArn": nested["executionArn"]})
            raise _ExecutionError(ABORTED, "")
        time.sleep(0.05)
    described = as_step_functions_describes(nested)
    if nested["status"] != "SUCCEEDED":
        raise _ExecutionError("States.TaskFailed", json.dumps(described, separators=(",", ":")))
    if resource.endswith(":2"):
        described.update({field: json.loads(described[field]) for field in ("Input", "Output")})
    return described


def as_step_functions_describes(nested):
    """What a state gets to know of the nested execution that it waited for: DescribeExecution, in capitals."""
    described = json.loads(stepfunctions._describe_execution({"executionArn": nested["executionArn"]})[2])
    if nested["status"] != "SUCCEEDED":
        described = {name: value for name, value in described.items() if not name.startswith("output")}
    details = {name: {"Included": True} for name in ("inputDetails", "outputDetails") if name in described}
    dates = {name: stepfunctions._iso_to_epoch_ms(described[name]) for name in ("startDate", "stopDate")}
    described.update({**details, **dates, "redriveCount": 0})
    return {name[0].upper() + name[1:]: described[name] for name in sorted(described)}


def stop_execution(data):
    response = _stop_execution(data)
    void_tokens()
    return response


def fail_execution(execution, error, cause):
    if execution["status"] == "RUNNING":
        _fail_execution(execution, error, cause)


def run_sub_machine(states, start_at, input_data, execution, context):
    # The children of a Distributed Map begin here; so do branches within them, whose failures they may still catch.
    begins = "mapRunArn" in execution and "_begun" not in execution
    execution["_begun"] = True
    inline_map = _inline_map.get()
    if inline_map is not None and inline_map["failed"]:
        raise _ExecutionError(ABORTED, "")
    # What is nested in the iteration may fail without failing it.
    outside = _inline_map.set(None)
    try:
        return _run_sub_machine(states, start_at, input_data, execution, context)
    except _ExecutionError:
        if begins:
            end_map(stepfunctions._map_runs[execution["mapRunArn"]])
        if inline_map is not None:
            inline_map["failed"] = True
        raise
    finally:
        _inline_map.reset(outside)


def end_map(map_run):
    if not map_run["toleratedFailureCount"] and not map_run["toleratedFailurePercentage"]:
        map_run["status"] = "FAILED"
        void_tokens()


def run_map_items(state_def, raw_input, execution, context):
    processor = state_def.get("ItemProcessor", {}).get("ProcessorConfig") or {}
    outside = _inline_map.set(None if processor.get("Mode") == "DISTRIBUTED" else {"failed": False})
    try:
        return _run_map_items(state_def, raw_input, execution, context)
    finally:
        _inline_map.reset(outside)


def run_distributed_map(state_def, raw_input, effective, iterator, execution, context):
    path = state_def.get("MaxConcurrencyPath")
    if path:
        state_def = {**state_def, "MaxConcurrency": stepfunctions._resolve_path_or_ctx(path, effective, context)}
    try:
        return _run_distributed_map(state_def, raw_input, effective, iterator, execution, context)
    finally:
        # MiniStack takes every child that ends with an error for a failed one.
        for child in list(stepfunctions._executions.values()):
            if child.get("error") == ABORTED:
                child.update(status="ABORTED", error=None, cause=None)


def lambda_url_attributes(config):
    attributes = _lambda_url_attributes(config)
    name = attributes["FunctionUrl"].removeprefix("https://").partition(".")[0]
    return {**attributes, "FunctionUrl": f"{os.environ['AWS_ENDPOINT_URL']}/_aws/lambda-url/{name}/"}


stepfunctions._execute_task = execute_task
stepfunctions._apply_jsonata_arguments = apply_jsonata_arguments
stepfunctions._invoke_with_callback = invoke_with_callback
stepfunctions._call_lambda = call_lambda
stepfunctions._run_map_items = run_map_items
stepfunctions._run_distributed_map = run_distributed_map
stepfunctions._run_sub_machine = run_sub_machine
stepfunctions._start_execution = start_execution
stepfunctions._stop_execution = stop_execution
stepfunctions._invoke_nested_start_execution_sync = run_nested_execution
stepfunctions._fail_execution = fail_execution
provisioners._lambda_url_attributes = lambda_url_attributes

if __name__ == "__main__":
    app.main()
