"""`realtime`, and in `auto` inputs too small for batch: each row is sent on demand, once, in the format of its model,
and comes out as from a batch job."""

import pyarrow as pa
import pytest

from stack.checks import (
    assert_answered_on_demand,
    assert_answered_once_on_demand,
    assert_own_answers,
    assert_rows_kept,
    assert_totals,
    assert_whole,
)
from stack.inputs import csv_text, parquet_bytes, topic_table, topics

FIRST = 500_000
FAST = {"requests_per_second": 300, "max_workers": 20}
MODELS = {
    "nova": "amazon.nova-lite-v1:0",
    "converse": "openai.gpt-oss-20b-1:0",
    "profile": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "no-price": "mistral.mistral-small-2402-v1:0",
}
TITAN = "amazon.titan-embed-text-v2:0"
LARGE_AT = 33


def rows(number: int, count: int) -> pa.Table:
    """Rows of its own for each run."""
    return topic_table(count, FIRST + 1000 * number)


def texts_to_embed() -> pa.Table:
    texts = topics(30, FIRST)
    texts[7] = ""
    return pa.table({"input_text": texts})


def own_ids() -> pa.Table:
    return pa.table({"record_id": pa.array(range(20, 0, -1), pa.int64()), "topic": topics(20, FIRST + 30_000)})


def with_a_large_row() -> pa.Table:
    texts = topics(200, FIRST + 40_000)
    texts[LARGE_AT] = "x" * 11_000_000
    return pa.table({"topic": texts})


def play(stack):
    def put(table: pa.Table) -> str:
        return stack.put_input(csv_text(table))

    inputs = {
        "realtime": stack.joke(put(rows(0, 130)), processing_mode="realtime", max_records_per_job=50, **FAST),
        "small": stack.joke(put(rows(1, 99)), **FAST),
        "one-row": stack.joke(put(rows(2, 1)), **FAST),
        "enough": stack.joke(put(rows(3, 100)), **FAST),
        "below-the-threshold": stack.joke(put(rows(4, 149)), batch_threshold=150, **FAST),
        "at-the-threshold": stack.joke(put(rows(5, 150)), batch_threshold=150, **FAST),
        "small-by-limit": stack.joke(put(rows(6, 150)), max_records_total=40, **FAST),
        "small-rest": stack.joke(put(rows(7, 115)), max_records_per_job=105, **FAST),
        "large-row": stack.joke(
            stack.put_input(parquet_bytes(with_a_large_row()), "r.parquet"), max_records_per_job=100, **FAST
        ),
        "embeddings": stack.joke(
            put(texts_to_embed()),
            model_id=TITAN,
            prompt_id=None,
            inference={"dimensions": 256},
            ask_blank_rows=True,
            **FAST,
        ),
        "own-ids": stack.joke(
            stack.put_input(parquet_bytes(own_ids()), "rows.parquet"), output_formats=["parquet", "csv"], **FAST
        ),
        "invoked-by-profile": stack.joke(
            put(rows(8, 5)),
            model_id="amazon.nova-lite-v1:0",
            inference_profile_required_models=["amazon.nova-lite"],
            **FAST,
        ),
        "listed-model": stack.joke(put(rows(9, 5)), model_id="anthropic.claude-sonnet-4-6", **FAST),
    }
    for number, (name, model_id) in enumerate(MODELS.items(), 10):
        inputs[name] = stack.joke(put(rows(number, 15)), model_id=model_id, **FAST)
    return stack.play_all(inputs, at_once=6)


def test_realtime_answers_every_row_on_demand(played):
    assert_answered_on_demand(played["realtime"], rows(0, 130), [44, 43, 43])


@pytest.mark.parametrize(("name", "number", "count"), [("small", 1, 99), ("one-row", 2, 1)])
def test_auto_answers_inputs_below_the_minimum_on_demand(played, name, number, count):
    assert_answered_on_demand(played[name], rows(number, count), [count])


def test_auto_answers_enough_rows_in_batch(played):
    assert_whole(played["enough"], rows(3, 100), [100])


def test_batch_threshold_moves_the_minimum(played):
    assert_answered_on_demand(played["below-the-threshold"], rows(4, 149), [149])
    assert_whole(played["at-the-threshold"], rows(5, 150), [150])


def test_rows_beyond_a_limit_do_not_count(played):
    run = played["small-by-limit"]
    assert_rows_kept(run, rows(6, 40))
    assert_own_answers(run)
    assert_totals(run, 150, answered=40, skipped=110)
    assert run.jobs == []


def test_the_remainder_of_batch_jobs_goes_on_demand(played):
    run = played["small-rest"]
    assert [(attempt.lane, attempt.round, len(attempt)) for attempt in run.job_attempts] == [
        ("batch", 0, 100),
        ("on_demand", 0, 15),
    ]
    assert_rows_kept(run, rows(7, 115))
    assert_own_answers(run)
    assert set(run.rows["attempts"].to_pylist()) == {1}
    assert_totals(run, 115, answered=115)
    assert run.summary["rounds"] == 1
    assert_answered_once_on_demand(run)


def test_a_remainder_that_a_large_row_makes_too_small_goes_on_demand(played):
    run, table = played["large-row"], with_a_large_row()
    assert_rows_kept(run, table)
    assert_totals(run, 200, answered=199, failed=1)
    assert [(attempt.lane, len(attempt)) for attempt in run.job_attempts] == [("batch", 100), ("on_demand", 99)]
    large = run.rows.slice(LARGE_AT, 1).to_pylist()[0]
    assert "too large" in large["error"]
    assert (large["attempts"], large["model_id"]) == (0, None)
    sent = run.rows.filter(pa.compute.not_equal(run.rows["record_id"], f"r{LARGE_AT:09}"))
    assert_own_answers(run, rows=sent)


@pytest.mark.parametrize("name", MODELS)
def test_each_family_gets_its_own_format(played, name):
    number = 10 + list(MODELS).index(name)
    assert_answered_on_demand(played[name], rows(number, 15), [15])
    assert set(played[name].rows["model_id"].to_pylist()) == {MODELS[name]}


def test_listed_models_are_invoked_by_the_profile_of_the_region(played):
    assert_answered_on_demand(played["invoked-by-profile"], rows(8, 5), [5])
    models = set(played["invoked-by-profile"].rows["model_id"].to_pylist())
    assert models == {"us.amazon.nova-lite-v1:0"}
    assert_answered_on_demand(played["listed-model"], rows(9, 5), [5])
    bare, profile = "anthropic.claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6"
    assert set(played["listed-model"].rows["model_id"].to_pylist()) == {profile}
    assert played["listed-model"].summary["models"] == {"requested": bare, "batch": profile, "on_demand": profile}


def test_embeddings_and_a_text_that_is_refused(played):
    run = played["embeddings"]
    assert_rows_kept(run, texts_to_embed())
    assert_own_answers(run)
    assert_totals(run, 30, answered=29, failed=1)
    refused = run.rows.slice(7, 1).to_pylist()[0]
    assert (refused["embedding"], refused["attempts"]) == (None, 1), "it would be refused again"
    assert "ValidationException" in refused["error"]
    assert {len(vector) for vector in run.rows["embedding"].to_pylist() if vector} == {256}
    assert_answered_once_on_demand(run)


def test_own_ids_and_both_formats(played):
    run = played["own-ids"]
    ids = [str(number) for number in range(20, 0, -1)]
    assert_answered_on_demand(run, own_ids(), [20], ids)
    assert [row["response"] for row in run.csv_rows] == run.rows["response"].to_pylist()
    assert [row["record_id"] for row in run.csv_rows] == ids


def test_an_unknown_price_is_not_zero(played):
    summary = played["no-price"].summary
    assert summary["output_tokens"] > 0
    assert (summary["cost_usd"], summary["on_demand_cost_usd"], summary["prices"]) == (None, None, [])
    assert summary["lanes"]["on_demand"]["cost_usd"] is None
