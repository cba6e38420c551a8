"""Executions call the versions of functions that they began with, whatever becomes of the functions meanwhile."""

import json

import pytest

from stack.contract import function_name
from stack.inputs import csv_text, topic_table
from stack.local import GONE

COUNT = 12


@pytest.mark.usefixtures("misbehaving")
def test_executions_call_the_version_that_their_definition_names(stack):
    finalize = function_name("finalize")
    before = stack.functions.get_function_configuration(FunctionName=finalize)["Environment"]["Variables"]
    # As an update of the stack would, but one that breaks the function.
    broken = {**before, "BUCKET_NAME": before["BUCKET_NAME"] + GONE}
    stack.functions.update_function_configuration(FunctionName=finalize, Environment={"Variables": broken})
    try:
        run = stack.play(stack.joke(stack.put_input(csv_text(topic_table(COUNT)))))
        assert run.summary["answered"] == COUNT
        payload = {"action": "summarize", "run_id": run.run_id, "execution_arn": run.arn}
        answer = stack.functions.invoke(FunctionName=finalize, Payload=json.dumps(payload).encode())
        assert "FunctionError" in answer, "the function itself is broken"
    finally:
        stack.functions.update_function_configuration(FunctionName=finalize, Environment={"Variables": before})
