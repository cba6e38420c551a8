"""MiniStack, with corrections for the differences between version 1.5.33 and AWS that matter to runs and pipelines.

1. A function that fails in a `waitForTaskToken` step fails the step immediately, so that its Retry and Catch see the error.
   MiniStack ignores the failure and keeps waiting for the token.
2. A Distributed Map takes its concurrency from `MaxConcurrencyPath`. MiniStack only supports `MaxConcurrency`.
3. Ended executions stay ended. If an execution is stopped, the children of its maps are stopped too: none of their steps
   starts any more, and their tokens become invalid. MiniStack lets them continue to their end, and children that had not
   started still start; a stopped execution could even become a failed one.
4. The first child that fails ends its map, if the map tolerates no failure, and thereby the other children in the same
   way. MiniStack waits for all of them first.
5. Each attempt of a `waitForTaskToken` step has its own token. MiniStack keeps that of the first attempt, which may have
   been answered between the attempts: the second attempt would then wait forever.
6. After an iteration of an inline Map has failed, no further iteration starts. MiniStack starts all others as well.
7. A nested execution (`startExecution.sync`) behaves like any other: it sends its status to EventBridge, its name must be
   new, and it is stopped with the execution that waits for it. If it fails, the step fails with `States.TaskFailed` and
   a description of it as the cause. MiniStack does none of this, and fails the step with the nested execution's own error.
8. An execution that is started again with the same name and input while it is running is the same execution. MiniStack
   refuses the second start.
9. The URL of a function, as returned by CloudFormation, leads to the function. MiniStack's is in the domain of AWS.
10. A function that takes more memory than its `MemorySize` is ended (`function_memory.py`). MiniStack has no limit.
11. A function has the rights of its role and no others (`function_rights.py`). MiniStack enforces rights for all or for none.
12. What exceeds a limit of Step Functions or Lambda fails (`platform_limits.py`). MiniStack has few of them.
13. CloudFormation sets the reserved concurrency of a function. MiniStack enforces it only if it is set by an API call.

Nothing else is changed, and the template and the state machines are those that are deployed to AWS. All of these corrections
belong upstream; once a version includes them, this file can be removed and `ministack` be started directly.
"""

import json
import os
import time
import uuid
from contextvars import ContextVar

from ministack import app
from ministack.core.responses import json_response
from ministack.services import lambda_svc, stepfunctions
from ministack.services.cloudformation import provisioners
from ministack.services.stepfunctions import _ExecutionError

from local_stack import platform_limits
from local_stack.function_memory import hold_functions_to_their_memory
from local_stack.function_rights import hold_functions_to_their_rights
from local_stack.function_versions import let_tests_change_versions
from local_stack.requests import watch

# The execution whose step is running, and the token that the step waits for. Not thread-local: a step with a timeout invokes
# its function in a separate thread, which inherits the context.
_execution: ContextVar[dict | None] = ContextVar("execution", default=None)
_token: ContextVar[str | None] = ContextVar("token", default=None)
_waiting: dict[str, dict | None] = {}
"""Executions by the token that they wait for."""
# The inline Map whose iteration is about to start; threads of iterations inherit it.
_inline_map: ContextVar[dict | None] = ContextVar("inline_map", default=None)

# Error that ends the steps of an ended execution. None of our Retry or Catch rules names it, and none could continue.
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
_lambda_handlers = dict(provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"])


def execute_task(state_def, raw_input, execution, context):
    running = _execution.set(execution)
    try:
        return _execute_task(state_def, raw_input, execution, context)
    finally:
        _execution.reset(running)


def apply_jsonata_arguments(state_def, raw_input, context=None):
    # Called again for each attempt, before the token is read from the context.
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
        # The token is registered by now, so an execution that ends from now on finds and invalidates it.
        if has_ended(_execution.get()):
            raise _ExecutionError(ABORTED, "")
        return _call_lambda(function, event)
    except _ExecutionError as error:
        fail_token(_token.get(), error)
        raise


def fail_token(token, error):
    """Ends the wait for a token with an error, unless it was answered."""
    waiting = stepfunctions._task_tokens.get(token)
    if waiting is not None and not waiting["event"].is_set():
        waiting["error"] = {"Error": error.error, "Cause": error.cause}
        waiting["event"].set()


def running_state_machine() -> str:
    """Returns the ARN of the state machine whose step this thread runs, without the label of a map."""
    execution = _execution.get()
    return "" if execution is None else execution["stateMachineArn"].partition("/")[0]


def has_ended(execution):
    """Returns True if no further step of the execution may start: it has ended, or the map that it is a child of, or the
    execution of that map."""
    if execution is None:
        # A single step, tested with TestState.
        return False
    map_run = stepfunctions._map_runs.get(execution.get("mapRunArn"))
    if map_run is not None:
        return map_run["status"] != "RUNNING" or has_ended(stepfunctions._executions.get(map_run["executionArn"]))
    return execution["status"] != "RUNNING"


def invalidate_tokens():
    """Ends all waits in executions that have ended."""
    for token, execution in list(_waiting.items()):
        if has_ended(execution):
            fail_token(token, _ExecutionError(ABORTED, ""))


def start_execution(data):
    response = _start_execution(data)
    if response[0] == 400 and json.loads(response[2])["__type"] == "ExecutionAlreadyExists":
        machine = stepfunctions._resolve_state_machine_arn(data["stateMachineArn"])
        existing = stepfunctions._executions[f"{machine.replace(':stateMachine:', ':execution:')}:{data['name']}"]
        if existing["status"] == "RUNNING" and existing["input"] == data.get("input", "{}"):
            return json_response({"executionArn": existing["executionArn"], "startDate": existing["startDate"]})
    return response


def run_nested_execution(resource, input_data):
    parent = _execution.get()
    if has_ended(parent):
        raise _ExecutionError(ABORTED, "")
    status, _, body = start_execution(stepfunctions._nested_start_execution_request(input_data))
    answer = json.loads(body)
    if status != 200:
        raise _ExecutionError(f"StepFunctions.{answer['__type']}Exception", answer["message"])
    nested = stepfunctions._executions[answer["executionArn"]]
    while nested["status"] == "RUNNING":
        if has_ended(parent):
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
    """Returns a nested execution as the state that waited for it sees it: like DescribeExecution, with capitalized names."""
    described = json.loads(stepfunctions._describe_execution({"executionArn": nested["executionArn"]})[2])
    if nested["status"] != "SUCCEEDED":
        described = {name: value for name, value in described.items() if not name.startswith("output")}
    details = {name: {"Included": True} for name in ("inputDetails", "outputDetails") if name in described}
    dates = {name: stepfunctions._iso_to_epoch_ms(described[name]) for name in ("startDate", "stopDate")}
    described.update({**details, **dates, "redriveCount": 0})
    return {name[0].upper() + name[1:]: described[name] for name in sorted(described)}


def stop_execution(data):
    response = _stop_execution(data)
    invalidate_tokens()
    return response


def fail_execution(execution, error, cause):
    if execution["status"] == "RUNNING":
        _fail_execution(execution, error, cause)


def run_sub_machine(states, start_at, input_data, execution, context):
    # Children of a Distributed Map start here, and so do branches within them, whose failures they may still catch.
    is_child_start = "mapRunArn" in execution and "_started" not in execution
    execution["_started"] = True
    inline_map = _inline_map.get()
    if inline_map is not None and inline_map["failed"]:
        raise _ExecutionError(ABORTED, "")
    # States nested in the iteration may fail without failing it.
    outside = _inline_map.set(None)
    try:
        return _run_sub_machine(states, start_at, input_data, execution, context)
    except _ExecutionError:
        if is_child_start:
            end_map(stepfunctions._map_runs[execution["mapRunArn"]])
        if inline_map is not None:
            inline_map["failed"] = True
        raise
    finally:
        _inline_map.reset(outside)


def end_map(map_run):
    if not map_run["toleratedFailureCount"] and not map_run["toleratedFailurePercentage"]:
        map_run["status"] = "FAILED"
        invalidate_tokens()


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
        # MiniStack marks every child that ends with an error as failed.
        for child in list(stepfunctions._executions.values()):
            if child.get("error") == ABORTED:
                child.update(status="ABORTED", error=None, cause=None)


def lambda_url_attributes(config):
    attributes = _lambda_url_attributes(config)
    name = attributes["FunctionUrl"].removeprefix("https://").partition(".")[0]
    return {**attributes, "FunctionUrl": f"{os.environ['AWS_ENDPOINT_URL']}/_aws/lambda-url/{name}/"}


def create_function(logical_id, props, stack_name):
    platform_limits.check_function(props)
    created = _lambda_handlers["create"](logical_id, props, stack_name)
    reserve_concurrency(created[0], props)
    return created


def update_function(physical_id, old_props, new_props, stack_name, logical_id=None):
    platform_limits.check_function(new_props)
    updated = _lambda_handlers["update"](physical_id, old_props, new_props, stack_name, logical_id)
    reserve_concurrency(updated[0], new_props)
    return updated


def reserve_concurrency(name, props):
    reserved = props.get("ReservedConcurrentExecutions")
    lambda_svc._functions[name]["concurrency"] = None if reserved is None else int(reserved)


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
hold_functions_to_their_memory()
hold_functions_to_their_rights()
let_tests_change_versions()
platform_limits.install()
watch.install(running_state_machine)
provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"].update(create=create_function, update=update_function)

if __name__ == "__main__":
    app.main()
