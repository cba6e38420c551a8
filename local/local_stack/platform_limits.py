"""Limits of Step Functions and Lambda that MiniStack does not have: what exceeds them fails here as on AWS.

| limit | what happens |
| --- | --- |
| 256 KiB of input or output of a task or state | it fails with `States.DataLimitExceeded`, which `States.ALL` does not match |
| 25,000 events in the history of an execution | the execution fails |
| 4 KB of environment variables, 900 seconds of timeout | the deployment fails |

Memory has a file of its own (`function_memory.py`). MiniStack ends a function at its timeout itself.
"""

import json
import threading

from ministack.services import stepfunctions
from ministack.services.stepfunctions import _ExecutionError

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_HISTORY_EVENTS = 25_000
MAX_ENVIRONMENT_BYTES = 4 * 1024
MAX_TIMEOUT_SECONDS = 900

DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
# AWS writes that an attempt of a task was started, and that one that waits was submitted; MiniStack does not.
EVENTS_ON_AWS = {"TaskScheduled": 3}

_add_event = stepfunctions._add_event
_error_matches = stepfunctions._error_matches
TASKS = ("_invoke_resource", "_invoke_with_callback")
HANDLERS = ("_execute_task", "_execute_map", "_execute_parallel")
_lengths: set[int] = {0}
"""The greatest number of events of an execution so far."""
_lock = threading.Lock()


def check_payload(what: str, value: object) -> None:
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
    if size > MAX_PAYLOAD_BYTES:
        cause = f"{what} has {size} bytes, and the service limit is {MAX_PAYLOAD_BYTES}"
        raise _ExecutionError(DATA_LIMIT_EXCEEDED, cause)


def error_matches(error_equals: list[str], error: str) -> bool:
    if error == DATA_LIMIT_EXCEEDED:
        return error in error_equals
    return _error_matches(error_equals, error)


def with_limited_task(invoke):
    """Returns an invocation of a task with limits on its input and its result."""

    def invoke_with_limits(resource, input_data, *more):
        check_payload(f"The input of a task of {resource}", input_data)
        result = invoke(resource, input_data, *more)
        check_payload(f"The result of a task of {resource}", result)
        return result

    return invoke_with_limits


def with_limited_output(handler):
    def execute(state_def, raw_input, execution, context):
        output, following = handler(state_def, raw_input, execution, context)
        check_payload(f"The output of the state {context['State']['Name']}", output)
        return output, following

    return execute


def add_event(execution, event_type, details=None):
    events = execution.get("_events_on_aws", 0) + EVENTS_ON_AWS.get(event_type, 1)
    execution["_events_on_aws"] = events
    with _lock:
        _lengths.add(events)
        _lengths.intersection_update({max(_lengths)})
    if events > MAX_HISTORY_EVENTS and execution["status"] == "RUNNING" and event_type != "ExecutionFailed":
        # AWS names no error for it.
        raise _ExecutionError("States.Runtime", f"The execution reached {MAX_HISTORY_EVENTS} history events")
    return _add_event(execution, event_type, details)


def longest_history() -> int:
    """Returns the number of events of the execution that has most of them."""
    with _lock:
        return max(_lengths)


def check_function(properties: dict) -> None:
    """Raises an error if Lambda refuses the configuration of a function."""
    name = properties.get("FunctionName", "the function")
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    size = sum(len(str(key).encode()) + len(str(value).encode()) for key, value in variables.items())
    if size > MAX_ENVIRONMENT_BYTES:
        raise ValueError(f"{name}: its environment has {size} bytes, and the maximum is {MAX_ENVIRONMENT_BYTES}")
    timeout = int(properties.get("Timeout", 3))
    if timeout > MAX_TIMEOUT_SECONDS:
        raise ValueError(f"{name}: a timeout of {timeout} s is more than {MAX_TIMEOUT_SECONDS}")


def install() -> None:
    """Wraps what `ministack_as_aws` has corrected, so it comes after that."""
    for name in TASKS:
        setattr(stepfunctions, name, with_limited_task(getattr(stepfunctions, name)))
    stepfunctions._error_matches = error_matches
    stepfunctions._add_event = add_event
    for name in HANDLERS:
        setattr(stepfunctions, name, with_limited_output(getattr(stepfunctions, name)))
