"""Lets MiniStack record the requests of functions and state machines, if `RECORD_REQUESTS=1`.

MiniStack names the IAM actions and resources of a request, and judges them (`function_rights.py`); botocore's models say which
requests are valid. `GET /_local/record` returns the record.
"""

import json
import os
import traceback
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import responses
from ministack.services import lambda_svc

from local_stack import platform_limits

from . import bedrock_calls, bedrock_tap, billing, task_calls
from .model_rules import problems_of, unchecked_patterns
from .parser import AwsRequest, HttpRequest, Unparsed, parse, signer
from .record import Call, Record

VARIABLE = "RECORD_REQUESTS"
PATH = "/_local/record"
ENDPOINTS = ("AWS_ENDPOINT_URL_BEDROCK", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL_SERVICE_QUOTAS")
# Objects are not kept.
MAX_BODY_BYTES = 4 * 1024 * 1024

record = Record()
_functions: dict[str, str] = {}
"""Names of functions by the access keys of their roles."""
_app = app.app
_provided_worker_env = lambda_svc._provided_worker_env


def is_on() -> bool:
    return os.environ.get(VARIABLE) == "1"


def function_started(access_key: str, function: str) -> None:
    _functions[access_key] = function


def judged(function: str, action: str, resource: str, context: dict[str, Any] | None, *, denied: bool) -> None:
    """Records a call whose action MiniStack found in a request."""
    if is_on():
        record.add(Call(function, action, resource, context_of(context), denied))


def context_of(context: dict[str, Any] | None) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
    """Returns the condition keys of the services' own."""
    own = {name: value for name, value in (context or {}).items() if value and not name.startswith("aws:")}
    return tuple(sorted((name, tuple(value) if isinstance(value, list) else str(value)) for name, value in own.items()))


def request_seen(request: HttpRequest) -> AwsRequest | None:
    """Validates a request, if a function has signed it."""
    scope = signer(request.headers)
    caller = _functions.get(scope["key"], "") if scope else "?"
    if not caller:
        return None
    try:
        found = parse(request)
    except Unparsed as unparsed:
        record.add_invalid(caller, str(unparsed))
    except Exception:
        # A fault of the check must not be one of the function, and must be seen.
        record.add_invalid(caller, f"{request.method} {request.path}: {traceback.format_exc(limit=-3)}")
    else:
        validate(caller, found)
        return found
    return None


def validate(caller: str, request: AwsRequest) -> None:
    record.count(f"{caller} {request.name}")
    for problem in problems_of(request):
        record.add_invalid(caller, problem)


def bedrock_request_seen(request: HttpRequest) -> None:
    found = request_seen(request)
    scope = signer(request.headers)
    if found is None or scope is None:
        return
    for call in bedrock_calls.calls_of(_functions[scope["key"]], found, scope["region"], responses.get_account_id()):
        record.add(call)


# --- in MiniStack ---


async def app_with_record(scope, receive, send):
    if scope["type"] != "http":
        return await _app(scope, receive, send)
    if scope["path"] == PATH:
        return await answer(send)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    signed = signer(headers)
    if signed is None or signed["key"] not in _functions:
        return await _app(scope, receive, send)
    request = HttpRequest(
        scope["method"],
        scope["raw_path"].decode("latin-1").partition("?")[0],
        scope["query_string"].decode("latin-1"),
        headers,
    )
    keeps_body = not (signed["service"] == "s3" and scope["method"] == "PUT")
    request.body_was_skipped = not keeps_body
    body = bytearray()

    async def receive_and_copy():
        message = await receive()
        if message["type"] == "http.request" and keeps_body and len(body) < MAX_BODY_BYTES:
            body.extend(message.get("body", b""))
        return message

    try:
        return await _app(scope, receive_and_copy, send)
    finally:
        # After the answer, so that no function waits for the check.
        request.body = bytes(body)
        request_seen(request)


async def answer(send) -> None:
    found = {
        **record.as_json(),
        "unchecked_patterns": sorted(unchecked_patterns),
        "longest_history": platform_limits.longest_history(),
    }
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(found).encode()})


def install(running_state_machine: Callable[[], str]) -> None:
    """`running_state_machine` returns the ARN of the state machine whose step the thread runs."""
    if not is_on():
        return
    billing.install(record)
    task_calls.install(validate, record, running_state_machine)
    taps = bedrock_tap.Taps(bedrock_request_seen)
    taps.start()

    def environment_with_taps(*arguments, **options):
        environment = _provided_worker_env(*arguments, **options)
        return environment | {name: taps.url(environment[name]) for name in ENDPOINTS if name in environment}

    lambda_svc._provided_worker_env = environment_with_taps
    app.app = app_with_record
