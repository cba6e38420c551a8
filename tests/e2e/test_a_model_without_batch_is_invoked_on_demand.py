"""If Bedrock does not accept the model in batch, `auto` sends the rows on demand, says so, and counts the full price;
in batch mode the run fails with the message of Bedrock."""

import pytest

from stack.checks import assert_answered_once_on_demand, assert_own_answers, assert_rows_kept, assert_totals
from stack.inputs import csv_text, topic_table
from stack.prices import price_of

COUNT = 300
FIRST = 400_000
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
REFUSAL = f"Model {MODEL} does not support batch inference."


def play(stack):
    def execution_input(first: int, count: int = COUNT, **fields) -> dict:
        uri = stack.put_input(csv_text(topic_table(count, FIRST + first)))
        return stack.joke(uri, max_records_per_job=100, requests_per_second=400, max_workers=30, **fields)

    return stack.play_all(
        {
            "auto": execution_input(0),
            "no-rounds": execution_input(1000, max_retry_rounds=0),
            "errors-alone": execution_input(2000, retry_on=["error"]),
            "with-a-small-rest": execution_input(4000, 250),
            "with-a-small-rest-and-no-rounds": execution_input(5000, 250, max_retry_rounds=0),
            "batch": execution_input(3000, processing_mode="batch"),
            "limited": execution_input(6000, max_on_demand_rows=COUNT - 1),
            "small-limited": execution_input(7000, 99, max_on_demand_usd=0),
        },
        batch_refused_models=["anthropic.claude-haiku-4-5"],
    )


@pytest.mark.parametrize(("name", "first"), [("auto", 0), ("no-rounds", 1000), ("errors-alone", 2000)])
def test_auto_invokes_the_model_on_demand(played, name, first):
    """Regardless of `retry_on`, since these rows were not sent before."""
    run = played[name]
    assert run.jobs == []
    assert_rows_kept(run, topic_table(COUNT, FIRST + first))
    assert_own_answers(run)
    assert set(run.rows["attempts"].to_pylist()) == {1}
    assert_totals(run, COUNT, answered=COUNT, fell_back={REFUSAL: COUNT})
    assert (run.summary["rounds"], run.summary["retried"]) == (1, 0)
    assert_answered_once_on_demand(run)


@pytest.mark.parametrize(("name", "first"), [("with-a-small-rest", 4000), ("with-a-small-rest-and-no-rounds", 5000)])
def test_a_remainder_that_goes_on_demand_anyway_changes_nothing(played, name, first):
    run = played[name]
    assert run.jobs == []
    assert_rows_kept(run, topic_table(250, FIRST + first))
    assert_own_answers(run)
    assert set(run.rows["attempts"].to_pylist()) == {1}
    assert_totals(run, 250, answered=250, fell_back={REFUSAL: 200})
    assert_answered_once_on_demand(run)


def test_it_is_counted_at_the_full_price(played):
    summary = played["auto"].summary
    assert summary["lanes"].keys() == {"on_demand"}
    assert summary["cost_usd"] == summary["on_demand_cost_usd"] > 0
    price = price_of(MODEL, "batch")
    assert price is not None
    input_price, output_price = price
    in_batch = (summary["input_tokens"] * input_price + summary["output_tokens"] * output_price) / 1_000_000
    assert abs(summary["cost_usd"] - 2 * in_batch) < 1e-9


def test_batch_mode_fails_with_the_message_of_bedrock(played):
    run = played["batch"]
    error, cause = run.failure()
    assert error == "JobFailed"
    assert REFUSAL in cause
    assert run.jobs == []


def test_a_limit_on_demand_fails_a_run_whose_jobs_are_all_refused(played):
    run = played["limited"]
    error, cause = run.failure()
    assert error == "JobFailed"
    assert REFUSAL in cause
    assert "at most 299 of its requests may be sent on demand (max_on_demand_rows, max_on_demand_usd)" in cause
    assert run.jobs == []
    assert {attempt.lane for attempt in run.job_attempts} == {"batch"}


def test_a_small_input_over_the_limit_is_refused(played):
    run = played["small-limited"]
    error, cause = run.failure()
    assert error == "InvalidInput"
    assert "max_on_demand_usd is `0`: 99 requests of the first round would be sent on demand" in cause
