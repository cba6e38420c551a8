"""MiniStack, with two things mended in which Step Functions of 1.5.33 differs from AWS and that runs depend on.

1. A function that fails in a `waitForTaskToken` step fails the step at once, so that its Retry and Catch see the error.
   MiniStack ignores the failure and goes on waiting for the token.
2. A Distributed Map takes its concurrency from `MaxConcurrencyPath`. MiniStack only knows `MaxConcurrency`.

Nothing else is touched, and the template and the state machine are those that go to AWS. Both belong upstream; when a
version mends them, this file goes and `ministack` is started as it is.
"""

import threading

from ministack import app
from ministack.services import stepfunctions

_waiting = threading.local()
_invoke_with_callback = stepfunctions._invoke_with_callback
_call_lambda = stepfunctions._call_lambda
_run_distributed_map = stepfunctions._run_distributed_map


def invoke_with_callback(resource, input_data, token, state_def):
    _waiting.token = token
    try:
        return _invoke_with_callback(resource, input_data, token, state_def)
    finally:
        _waiting.token = None


def call_lambda(function, event):
    try:
        return _call_lambda(function, event)
    except stepfunctions._ExecutionError as error:
        waiting = stepfunctions._task_tokens.get(getattr(_waiting, "token", None))
        if waiting is not None and not waiting["event"].is_set():
            waiting["error"] = {"Error": error.error, "Cause": error.cause}
            waiting["event"].set()
        raise


def run_distributed_map(state_def, raw_input, effective, iterator, execution, context):
    path = state_def.get("MaxConcurrencyPath")
    if path:
        state_def = {**state_def, "MaxConcurrency": stepfunctions._resolve_path_or_ctx(path, effective, context)}
    return _run_distributed_map(state_def, raw_input, effective, iterator, execution, context)


stepfunctions._invoke_with_callback = invoke_with_callback
stepfunctions._call_lambda = call_lambda
stepfunctions._run_distributed_map = run_distributed_map

if __name__ == "__main__":
    app.main()
