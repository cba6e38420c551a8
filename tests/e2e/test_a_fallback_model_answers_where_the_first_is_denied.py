"""`fallback_model_id` is invoked on demand once Bedrock refuses the first model; each row names the model that
answered, and the cost is that of this model. Without a fallback, the run fails and says what to do, unless it already
has answers."""

import pyarrow as pa
import pytest

from stack.checks import assert_answered_on_demand, assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topics
from stack.prices import price_of

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
FALLBACK = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
COUNT = 25
# In the text of all requests of these runs: on demand, they are recognized by it.
DENIED = "which only the fallback knows"


def rows_of(number: int, count: int = COUNT) -> pa.Table:
    return pa.table({"topic": [f"{topic}, {DENIED}" for topic in topics(count, 1000 * number)]})


def play(stack):
    def execution_input(number: int, count: int = COUNT, **fields) -> dict:
        uri = stack.put_input(csv_text(rows_of(number, count)))
        return stack.joke(uri, requests_per_second=300, max_workers=10, **fields)

    stack.simulator.behave(DENIED, on_demand_denied_models=["anthropic.claude-haiku-4-5"])
    return stack.play_all(
        {
            "fallback": execution_input(0, fallback_model_id=FALLBACK, max_records_per_job=13),
            "none": execution_input(1),
            "rest-of-a-batch": execution_input(2, 110),
            "rest-with-fallback": execution_input(3, 110, fallback_model_id=FALLBACK),
        },
        partial_rate=1,
    )


def test_the_fallback_answers_and_is_named_in_each_row(played):
    run = played["fallback"]
    assert_answered_on_demand(run, rows_of(0), [13, 12])
    assert set(run.rows["model_id"].to_pylist()) == {FALLBACK}


def test_the_cost_is_that_of_the_model_that_answered(played):
    summary = played["fallback"].summary
    assert [price["model_id"] for price in summary["prices"]] == [FALLBACK]
    price = price_of(FALLBACK, "on_demand")
    assert price is not None
    read, written = price
    cost = (summary["input_tokens"] * read + summary["output_tokens"] * written) / 1_000_000
    assert abs(summary["cost_usd"] - cost) < 1e-9


def test_both_models_of_a_run_are_named_and_paid(played):
    run = played["rest-with-fallback"]
    assert_rows_kept(run, rows_of(3, 110))
    assert_own_answers(run)
    assert_totals(run, 110, answered=110)
    models = {(row["attempts"], row["model_id"]) for row in run.rows.to_pylist()}
    assert models == {(1, MODEL), (2, FALLBACK)}
    prices = {(price["lane"], price["model_id"]) for price in run.summary["prices"]}
    assert prices == {("batch", MODEL), ("on_demand", FALLBACK)}


def test_a_run_without_any_usable_model_fails_and_says_what_to_do(played):
    error, cause = played["none"].failure()
    assert error == "JobFailed"
    assert f"Bedrock refuses the model {MODEL}" in cause
    assert "AccessDeniedException" in cause
    assert "grant access" in cause and "fallback_model_id" in cause


def test_a_run_that_has_answers_keeps_them(played):
    run = played["rest-of-a-batch"]
    assert run.output["status"] == "completed_with_errors"
    assert_rows_kept(run, rows_of(2, 110))
    assert_own_answers(run)
    missed = sum(row["attempts"] == 2 for row in run.rows.to_pylist())
    assert missed > 0
    assert_totals(run, 110, answered=110 - missed, failed=missed)
    for row in run.rows.to_pylist():
        assert (row["error"] is None) == (row["attempts"] == 1)
        assert row["error"] is None or "refuses the model" in row["error"]


@pytest.mark.parametrize("name", ["fallback", "rest-with-fallback"])
def test_the_denied_model_answered_nothing(stack, played, name):
    run = played[name]
    answered = stack.simulator.answered_on_demand()
    for attempt in run.job_attempts:
        if attempt.lane == "on_demand":
            for model_input in attempt.model_inputs.values():
                content = stack.simulator.content(model_input)
                assert answered.get((MODEL, content), 0) == 0
                assert answered[FALLBACK, content] == 1
