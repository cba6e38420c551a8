"""Fixtures that record what MiniStack's engine invokes and which events it sends."""

import pytest
from stepfunctions_for_tests import Functions

from local_stack import ministack_as_aws
from local_stack.ministack_as_aws import stepfunctions


@pytest.fixture
def functions(monkeypatch):
    functions = Functions()
    # Their state machines have a role that does not exist.
    monkeypatch.setattr(ministack_as_aws.app, "AUTH", False)
    monkeypatch.setattr(ministack_as_aws, "_call_lambda", functions)
    monkeypatch.setattr(stepfunctions, "_resolve_lambda_function_ref", lambda value, optimized: value)
    monkeypatch.setattr(stepfunctions, "_read_map_items", lambda reader, effective, context: effective["items"])
    monkeypatch.setattr(stepfunctions, "_SFN_WAIT_SCALE", 0.01)
    yield functions
    stepfunctions.reset()


@pytest.fixture
def events(monkeypatch):
    """The status events sent to EventBridge, as pairs of execution and status."""
    events = []
    monkeypatch.setattr(
        stepfunctions,
        "_emit_execution_status_event",
        lambda execution: events.append((execution["executionArn"], execution["status"])),
    )
    return events
