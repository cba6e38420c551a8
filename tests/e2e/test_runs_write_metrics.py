"""Functions write the figures of a run to their logs, from which CloudWatch makes metrics."""

import json

from stack.contract import function_name
from stack.inputs import csv_text, topic_table

# No other run of the tests has as many rows.
ROWS = topic_table(137, 800_000)
NAMESPACE = "BedrockBatch"


def play(stack):
    return stack.play(stack.joke(stack.put_input(csv_text(ROWS))), "figures")


def lines(stack, function: str, metric: str) -> list[dict]:
    found = [json.loads(line) for line in stack.logged(function_name(function), f'"{metric}"')]
    for line in found:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"].startswith(NAMESPACE)
        assert [described["Name"] for described in directive["Metrics"]] == [metric]
        (dimensions,) = directive["Dimensions"]
        assert all(line[name] for name in dimensions) and line[metric] >= 0
    return found


def test_answered_rows_are_counted_once(stack, played):
    assert [line["RowsAnswered"] for line in lines(stack, "finalize", "RowsAnswered")].count(137) == 1


def test_tokens_have_their_model(stack, played):
    tokens = played.output["summary"]["input_tokens"]
    models = {line["Model"] for line in lines(stack, "finalize", "InputTokens") if line["InputTokens"] == tokens}
    assert played.output["model_id"] in models


def test_steps_and_jobs_have_their_names(stack, played):
    steps = {line["Step"] for line in lines(stack, "preprocess", "StepSeconds")}
    assert {"preprocess", "process_jobs"} <= steps
    ends = lines(stack, "job-status", "JobsEnded") + lines(stack, "submit", "JobsEnded")
    assert "Completed" in {line["Status"] for line in ends}


def test_a_run_has_its_time(stack, played):
    assert lines(stack, "finalize", "RunSeconds")
