"""Functions have the rights of their roles, as in AWS: a request that the role of a function does not allow is denied.

MiniStack enforces rights for all callers (`AUTH=true`) or for none, and with all of them the stack cannot be deployed: it
refuses the roles that the CDK assumes. Therefore only requests that a function has signed are judged here, by MiniStack's
evaluation of policies. All others are requests of an administrator. Requests to Bedrock go to the simulator, which judges none;
they are recorded, as all others are (`requests/`), and judged after the end-to-end tests (`infra/checks/rights.ts`).
"""

import sys

from ministack import app
from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, stepfunctions

from local_stack.requests import watch

_execution_credentials = lambda_runtime.execution_credentials
_enforce = iam_evaluator.enforce
_pin_request_origin = iam_evaluator.pin_request_origin
_functions: dict[str, str] = {}
"""Names of all functions that have been started, by the access keys of their roles."""

# They are granted for a state machine. MiniStack asks for the right to all resources, since the request has the token alone.
CALLBACKS = {"states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"}
DENIED = "DENIED"
"""Begins the line of a denial in the log, which has the function, the action and the resource after it."""


def execution_credentials(config: dict) -> dict[str, str]:
    credentials = _execution_credentials(config)
    _functions[credentials["AWS_ACCESS_KEY_ID"]] = config["FunctionName"]
    watch.function_started(credentials["AWS_ACCESS_KEY_ID"], config["FunctionName"])
    return credentials


def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    function = _functions.get(access_key_id)
    if function is None:
        return None
    denied = None
    for resource in names_in_policies(iam_action, service, resource_arn):
        denied = _enforce(access_key_id, iam_action, service, region, resource, service_context)
        if denied is None:
            break
    watch.judged(function, iam_action, resource_arn, service_context, denied=denied is not None)
    if denied is None:
        return None
    sys.stderr.write(f"{DENIED} {function} {iam_action} {resource_arn}\n")
    sys.stderr.flush()
    return denied


def names_in_policies(iam_action: str, service: str, resource_arn: str) -> list[str]:
    """Returns what a policy of the stack may call a resource."""
    if iam_action in CALLBACKS:
        return list(stepfunctions._state_machines)
    if service == "secretsmanager":
        # MiniStack resolves the `Ref` of a secret to its name, which is its ARN in AWS.
        return [resource_arn, resource_arn.rpartition(":")[2].rpartition("-")[0]]
    return [resource_arn]


def accept_signature(*_request) -> None:
    """Accepts any signature: behind the proxies of tests, that of a function is for another host."""


def pin_request_origin(source_ip: str, secure_transport: bool) -> None:
    # The bucket denies requests without TLS, and there is none on the loopback interface.
    _pin_request_origin(source_ip, True)


def hold_functions_to_their_rights() -> None:
    app.AUTH = True
    app.pin_request_origin = pin_request_origin
    lambda_runtime.execution_credentials = execution_credentials
    lambda_svc.execution_credentials = execution_credentials
    iam_evaluator.enforce = enforce
    iam_evaluator.authenticate = accept_signature
    iam_evaluator.check_credentials = accept_signature
