"""MiniStack, with those things mended in which Step Functions of 1.5.33 differs from AWS and that runs depend on.

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

Nothing else is touched, and the template and the state machine are those that go to AWS. All of it belongs upstream;
when a version mends it, this file goes and `ministack` is started as it is.
"""

import uuid
from contextvars import ContextVar

from ministack import app
from ministack.services import stepfunctions
from ministack.services.stepfunctions import _ExecutionError

# The execution whose step runs, and the token that the step waits for. Not thread-local: a step with a timeout invokes
# its function in a thread of its own, which inherits the context.
_execution: ContextVar[dict | None] = ContextVar("execution", default=None)
_token: ContextVar[str | None] = ContextVar("token", default=None)
_waiting: dict[str, dict] = {}
"""The execution that waits for each token."""

# What ends the steps of an execution that is over. No Retry or Catch of ours names it, and none could go on from there.
ABORTED = "States.ExecutionAborted"

_execute_task = stepfunctions._execute_task
_invoke_with_callback = stepfunctions._invoke_with_callback
_call_lambda = stepfunctions._call_lambda
_run_distributed_map = stepfunctions._run_distributed_map
_run_sub_machine = stepfunctions._run_sub_machine
_stop_execution = stepfunctions._stop_execution
_fail_execution = stepfunctions._fail_execution
_apply_jsonata_arguments = stepfunctions._apply_jsonata_arguments


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
    try:
        return _run_sub_machine(states, start_at, input_data, execution, context)
    except _ExecutionError:
        if begins:
            end_map(stepfunctions._map_runs[execution["mapRunArn"]])
        raise


def end_map(map_run):
    if not map_run["toleratedFailureCount"] and not map_run["toleratedFailurePercentage"]:
        map_run["status"] = "FAILED"
        void_tokens()


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


stepfunctions._execute_task = execute_task
stepfunctions._apply_jsonata_arguments = apply_jsonata_arguments
stepfunctions._invoke_with_callback = invoke_with_callback
stepfunctions._call_lambda = call_lambda
stepfunctions._run_distributed_map = run_distributed_map
stepfunctions._run_sub_machine = run_sub_machine
stepfunctions._stop_execution = stop_execution
stepfunctions._fail_execution = fail_execution

if __name__ == "__main__":
    app.main()
