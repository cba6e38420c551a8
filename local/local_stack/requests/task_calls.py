"""The requests that Step Functions makes for a state machine, with the rights of its role: for tasks, and for Distributed Maps.

MiniStack performs them without a request, so they are recorded where it does.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from .parser import AwsRequest, operation
from .record import Call, Record

LAMBDA = "arn:aws:states:::lambda:invoke"
EXECUTION = "arn:aws:states:::states:startExecution"

Validate = Callable[[str, AwsRequest], None]


def request_of(resource: str, arguments: dict[str, Any]) -> tuple[AwsRequest, str, str] | None:
    """Returns the request of a task, its action and its resource; None if the integration is not known here."""
    if resource.startswith(LAMBDA):
        name = str(arguments.get("FunctionName", ""))
        payload = json.dumps(arguments.get("Payload")).encode()
        parameters: dict[str, Any] = {**arguments, "FunctionName": name, "Payload": payload}
        return AwsRequest("lambda", operation("lambda", "Invoke"), parameters), "lambda:InvokeFunction", name
    if resource.startswith(EXECUTION):
        parameters = {name[0].lower() + name[1:]: value for name, value in arguments.items()}
        if not isinstance(parameters.get("input", ""), str):
            parameters["input"] = json.dumps(parameters["input"])
        request = AwsRequest("stepfunctions", operation("stepfunctions", "StartExecution"), parameters)
        return request, "states:StartExecution", parameters.get("stateMachineArn", "")
    return None


def install(validate: Validate, record: Record, running_state_machine: Callable[[], str]) -> None:
    invoke_resource, invoke_with_callback = stepfunctions._invoke_resource, stepfunctions._invoke_with_callback
    read_map_items = stepfunctions._read_map_items

    def task_seen(resource: str, arguments: dict[str, Any]) -> None:
        caller = f"state machine {running_state_machine()}"
        found = request_of(resource, arguments)
        if found is None:
            record.add_invalid(caller, f"requests/task_calls.py does not know {resource}: add it")
            return
        request, action, named = found
        validate(caller, request)
        record.add(Call(caller, action, named))

    def seen_invoke_resource(resource, arguments):
        task_seen(resource, arguments)
        return invoke_resource(resource, arguments)

    def seen_invoke_with_callback(resource, arguments, token, state_def):
        task_seen(resource, arguments)
        return invoke_with_callback(resource, arguments, token, state_def)

    def seen_read_map_items(reader, effective, context):
        caller = f"state machine {context['StateMachine']['Id']}"
        parameters = reader.get("Parameters") or reader.get("Arguments") or {}
        resolved = stepfunctions._resolve_params_obj(parameters, effective, context)
        validate(caller, AwsRequest("s3", operation("s3", "GetObject"), resolved))
        record.add(Call(caller, "s3:GetObject", f"arn:aws:s3:::{resolved.get('Bucket')}/{resolved.get('Key')}"))
        # Each child is an execution of the same state machine.
        record.add(Call(caller, "states:StartExecution", context["StateMachine"]["Id"]))
        return read_map_items(reader, effective, context)

    stepfunctions._invoke_resource = seen_invoke_resource
    stepfunctions._invoke_with_callback = seen_invoke_with_callback
    stepfunctions._read_map_items = seen_read_map_items
